"""The load: which transition comes next, drawn so that most of them succeed.

The floor keeps a model of every line as the acknowledgements told it, with what is still under way. Both designs are
loaded by it, so both get the same mix.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final

MIX: Final = {
    "join": 31, "advance": 24, "step_back": 11, "skip": 9, "move": 8, "transfer": 6, "cancel": 5, "recall": 4,
    "no_show": 2,
}  # fmt: skip
"""Percent drawn. What the line does not allow just then becomes another; a short line is joined."""

MAX_SKIPS: Final = 2
_FILLERS: Final = ("step_back", "move", "skip")
_BURST: Final = 8
_CLEAR: Final = 3
"""Steps on single bookings keep this far behind the last one that an advance under way will take."""


@dataclass(slots=True, eq=False)
class Customer:
    """A customer with at most one live booking. number: in the floor's range."""

    number: int


@dataclass(slots=True, eq=False)
class Booking:
    """A live or skipped booking. leaving: a step is under way after which it is in this line no more."""

    booking_id: str
    customer: Customer
    skips: int = 0
    leaving: bool = False


@dataclass(slots=True, eq=False)
class Line:
    """One queue. order: `next`, then those who wait, as of the last acknowledgement.

    fronts: steps under way that take the first of the line; burst: how many were sent since none was.
    """

    number: int
    shop: int
    order: list[Booking] = field(default_factory=list)
    skipped: list[Booking] = field(default_factory=list)
    serving: str | None = None
    fronts: int = 0
    burst: int = 0
    joining: int = 0


@dataclass(slots=True)
class Step:
    """One transition to make. places: of a step back. position: of a move. expects: `serving` must be in the chair."""

    kind: str
    line: Line
    booking: Booking | None = None
    customer: Customer | None = None
    places: int = 0
    position: int = 0
    expects: bool = False
    serving: str | None = None
    to: Line | None = None


class Refusal(Exception):
    """A step was refused. status: of its booking, when that is why; serving: who is in the chair, when stale."""

    def __init__(self, code: str, status: str | None = None, serving: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.serving = serving


class NobodyFreeError(Exception):
    """Every customer stands in a line already: more is under way than the floor was made for."""


class Floor:
    """`draw()` a step, then tell how it went: `done(step, booking id, status)` or `refused(step, why)`."""

    def __init__(self, shops: int, barbers: int, length: int, customers: int, seed: int = 1) -> None:
        """length: how many should be in a line; it stays within a third of it. customers: enough for all lines."""
        self.lines = [Line(shop * barbers + barber, shop) for shop in range(shops) for barber in range(barbers)]
        self._barbers = barbers
        self._least, self._most = length * 2 // 3, length * 4 // 3
        self._free = deque(Customer(number) for number in range(customers))
        self._random = random.Random(seed)
        self._kinds = [kind for kind, share in MIX.items() for _ in range(share)]

    def draw(self) -> Step:
        """Raises NobodyFreeError."""
        line = self.lines[int(self._random.random() * len(self.lines))]
        kind = self._kinds[int(self._random.random() * len(self._kinds))]
        size = len(line.order) + line.joining - line.fronts
        if size <= self._least:
            return self.join(line)
        if kind == "join" and size >= self._most:
            kind = "advance"
        # What is not possible just now becomes one of those that neither fill nor empty the line, if one is.
        filler = _FILLERS[int(self._random.random() * len(_FILLERS))]
        return self._step(kind, line) or self._step(filler, line) or self.join(line)

    def join(self, line: Line) -> Step:
        """Raises NobodyFreeError."""
        if not self._free:
            raise NobodyFreeError
        line.joining += 1
        return Step("join", line, customer=self._free.popleft())

    def _step(self, kind: str, line: Line) -> Step | None:
        if kind == "join":
            return self.join(line)
        if kind in {"advance", "no_show"}:
            return self._front(kind, line)
        if kind == "recall":
            return Step(kind, line, line.skipped.pop()) if line.skipped else None
        return self._inside(kind, line)

    def _front(self, kind: str, line: Line) -> Step | None:
        """A step that takes the first of the line. After _BURST of them, all must be back before the next.

        So the first of a burst knows the line exactly: it alone says whom it expects in the chair, or is a no-show.
        """
        if line.burst >= min(_BURST, len(line.order)):
            return None
        exact = line.fronts == 0
        first = line.order[line.fronts]
        if first.leaving:
            return None
        line.fronts += 1
        line.burst += 1
        if exact and kind == "no_show":
            line.burst = _BURST
            first.leaving = True
            return Step(kind, line, first)
        return Step("advance", line, first, expects=exact, serving=line.serving if exact else None)

    def _inside(self, kind: str, line: Line) -> Step | None:
        """A step on a booking well behind the first, so that it is still in the line when its turn comes."""
        clear = line.fronts + _CLEAR
        behind = len(line.order) - 1 - clear
        if behind <= 0:
            return None
        place = clear + int(self._random.random() * behind)
        booking = line.order[place]
        if booking.leaving:
            return None
        if kind == "step_back":
            return Step(kind, line, booking, places=1 + int(self._random.random() * 3))
        if kind == "move":
            return Step(kind, line, booking, position=clear + 1 + int(self._random.random() * behind))
        booking.leaving = kind != "skip" or booking.skips >= MAX_SKIPS
        return Step(kind, line, booking, to=self._neighbour(line) if kind == "transfer" else None)

    def _neighbour(self, line: Line) -> Line:
        shift = 1 + int(self._random.random() * (self._barbers - 1))
        return self.lines[line.shop * self._barbers + (line.number + shift) % self._barbers]

    # How it went -----------------------------------------------------------------------------------------------

    def done(self, step: Step, booking_id: str, status: str) -> None:
        line, booking = step.line, step.booking
        if step.kind == "join":
            assert step.customer is not None
            line.joining -= 1
            line.order.append(Booking(booking_id, step.customer))
            return
        assert booking is not None
        if step.kind == "advance":
            self._advanced(line, booking_id, status)
            return
        if step.kind == "no_show":
            _settle_front(line)
        place = _take_out(line, booking)
        booking.leaving = False
        if status == "skipped":
            booking.skips = MAX_SKIPS
            line.skipped.append(booking)
        elif status == "cancelled":
            self._free.append(booking.customer)
        else:
            _put_back(step, booking, place)

    def _advanced(self, line: Line, booking_id: str, status: str) -> None:
        line.serving = booking_id if status == "serving" else None
        _settle_front(line)
        for booking in line.order:
            if booking.booking_id == booking_id:
                line.order.remove(booking)
                # Still in the chair, but a customer comes again only after all others that are free.
                self._free.append(booking.customer)
                return

    def refused(self, step: Step, refusal: Refusal) -> None:
        line, booking = step.line, step.booking
        if step.kind == "join":
            assert step.customer is not None
            line.joining -= 1
            self._free.append(step.customer)
        elif step.kind == "advance":
            if refusal.code == "STALE_STATE":
                line.serving = refusal.serving
            _settle_front(line)
        elif booking is not None:
            if step.kind == "no_show":
                _settle_front(line)
            booking.leaving = False
            if refusal.status not in {"waiting", "next"}:
                _take_out(line, booking)


def _settle_front(line: Line) -> None:
    line.fronts -= 1
    if not line.fronts:
        line.burst = 0


def _take_out(line: Line, booking: Booking) -> int:
    """Where it stood; the end of the line when it was not in it."""
    if booking not in line.order:
        return len(line.order)
    place = line.order.index(booking)
    del line.order[place]
    return place


def _put_back(step: Step, booking: Booking, place: int) -> None:
    """Where the transition put it; place: where it stood before."""
    order = (step.to or step.line).order
    if step.kind == "move":
        order.insert(step.position - 1, booking)
    elif step.kind == "step_back":
        order.insert(place + step.places, booking)
    else:
        booking.skips += step.kind == "skip"
        order.append(booking)
