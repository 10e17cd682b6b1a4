"""What a shop's queues should do, as plainly as it can be said: lists and statuses, written from the specification.

No time passes here by itself: `turn_day` says that midnight has passed, and appointments are minutes from a fixed
instant. A queue notices the new day when it is next touched, as the engine does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode

Json = dict[str, Any]
LIVE = ("waiting", "next", "serving")
CUSTOMERS_MAY = frozenset({"join", "schedule", "reschedule", "check_in", "step_back", "cancel"})
DAY = 24 * 60


class Refused(Exception):
    """The command is refused with this code, and nothing but a turn of the day has happened."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Booking:
    """at: the appointed time, in minutes from the fixed instant; None for a walk-in. gone: ended, or of a past day."""

    booking_id: str
    barber: str
    customer: str | None
    status: str
    at: int | None = None
    token: int | None = None
    skips: int = 0
    gone: bool = False


@dataclass
class Queue:
    """line: those who wait, first to last; `next` is not among them. old: the day has turned, unnoticed."""

    barber: str
    status: str = "closed"
    seq: int = 0
    last_token: int = 0
    completed: int = 0
    cancelled: int = 0
    serving: Booking | None = None
    next: Booking | None = None
    line: list[Booking] = field(default_factory=list)
    old: bool = False

    @property
    def length(self) -> int:
        return len(self.line) + (self.next is not None)

    def position(self, booking: Booking) -> int | None:
        if booking.status in {"serving", "next"}:
            return int(booking.status == "next")
        return self.line.index(booking) + 2 if booking.status == "waiting" else None

    def remove(self, booking: Booking) -> None:
        if booking is self.next:
            self.next = None
        else:
            self.line.remove(booking)

    def insert(self, booking: Booking, index: int) -> None:
        booking.status = "waiting"
        self.line.insert(max(index, 0), booking)

    def promote(self) -> None:
        if self.next is None and self.line:
            self.next = self.line.pop(0)
            self.next.status = "next"


@dataclass(frozen=True)
class Answer:
    """What the one who asked is told: of the booking, if it is about one, and of the queue."""

    barber: str
    seq: int
    booking: tuple[str, str, int | None, int | None] | None
    """Its id, status, token and position."""


class Model:
    """One shop. `apply` does what a command does, or raises Refused."""

    def __init__(self, barbers: list[str], *, capacity: int, max_skips: int, minutes: int) -> None:
        self.queues = {barber: Queue(barber) for barber in barbers}
        self.bookings: dict[str, Booking] = {}
        self.capacity = capacity
        self.max_skips = max_skips
        self.minutes = minutes

    def turn_day(self) -> None:
        for queue in self.queues.values():
            queue.old = queue.seq > 0

    def touch(self, barber: str) -> Queue:
        """The queue, on the present day: whoever still waited yesterday is cancelled; who sits, sits."""
        queue = self.queues[barber]
        if queue.old:
            queue.old = False
            for booking in [*queue.line, *([queue.next] if queue.next else [])]:
                self._end(booking, "cancelled")
            for booking in self.bookings.values():
                booking.gone |= booking.status == "skipped" and booking.barber == barber
            queue.line, queue.next, queue.status = [], None, "closed"
            queue.last_token = queue.completed = queue.cancelled = 0
            queue.seq += 1
        return queue

    def miss(self, booking: Booking) -> None:
        """The appointment's time is over, and nobody came."""
        queue = self.touch(booking.barber)
        self._end(booking, "cancelled")
        queue.seq += 1

    def apply(self, actor: Actor, command: Json, new_id: str, *, stranger: bool = False) -> Answer:
        """new_id: of the booking that a join or schedule makes. stranger: the barber of another shop."""
        kind = command["type"]
        if actor.role is Role.CUSTOMER and kind not in CUSTOMERS_MAY:
            raise Refused(ErrorCode.FORBIDDEN)
        if stranger:
            raise Refused(ErrorCode.NOT_FOUND)
        booking = self._named(actor, command) if "bookingId" in command else None
        queue = self.touch(booking.barber if booking is not None else command["barberId"])
        self._check_expectation(queue, command.get("expect"))
        rule: Callable[..., Booking | None] = getattr(self, f"_{kind}")
        about = rule(queue, booking, actor=actor, command=command, new_id=new_id)
        if kind == "transfer":
            queue = self.queues[command["toBarberId"]]
        queue.seq += 1
        told = (about.booking_id, about.status, about.token, queue.position(about)) if about is not None else None
        return Answer(queue.barber, queue.seq, told)

    def _named(self, actor: Actor, command: Json) -> Booking:
        booking = self.bookings.get(command["bookingId"])
        if booking is None or (actor.role is Role.CUSTOMER and booking.customer != actor.id):
            raise Refused(ErrorCode.NOT_FOUND)
        if booking.gone:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        return booking

    @staticmethod
    def _check_expectation(queue: Queue, saw: Json | None) -> None:
        serving = queue.serving.booking_id if queue.serving else None
        if saw and (saw.get("seq", queue.seq) != queue.seq or saw.get("servingBookingId", serving) != serving):
            raise Refused(ErrorCode.STALE_STATE)

    # What transitions have in common ---------------------------------------------------------------------------

    def _end(self, booking: Booking, status: str) -> None:
        booking.status, booking.gone = status, True

    def _need(self, booking: Booking | None, *statuses: str) -> Booking:
        assert booking is not None
        if booking.status not in statuses:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        return booking

    def _need_no_live(self, customer: str | None, barring: Booking | None = None) -> None:
        for other in self.bookings.values():
            if customer and other.customer == customer and other.status in LIVE and other is not barring:
                raise Refused(ErrorCode.ALREADY_IN_QUEUE)

    def _need_room(self, queue: Queue) -> None:
        if queue.length >= self.capacity:
            raise Refused(ErrorCode.QUEUE_FULL)

    def _need_slot(self, barber: str, at: int, barring: Booking | None = None) -> None:
        if at <= 0:
            raise Refused(ErrorCode.BAD_REQUEST)
        for other in self.bookings.values():
            if other.barber != barber or other is barring or other.at is None or other.gone:
                continue
            if other.status == "skipped":  # who is in the line keeps the time
                continue
            if abs(other.at - at) < self.minutes:
                raise Refused(ErrorCode.SLOT_TAKEN)

    def _give_token(self, queue: Queue, booking: Booking) -> None:
        queue.last_token += 1
        booking.token, booking.barber = queue.last_token, queue.barber

    def _call_next(self, queue: Queue) -> Booking | None:
        called, queue.next = queue.next, None
        if called is not None:
            called.status, queue.serving = "serving", called
            queue.promote()
        return called

    def _finish(self, queue: Queue) -> Booking | None:
        done, queue.serving = queue.serving, None
        if done is not None:
            self._end(done, "completed")
            queue.completed += 1
        return done

    def _yields(self, queue: Queue, index: int, at: int) -> bool:
        """Whether who waits there lets an appointment at that time go first."""
        other = queue.line[index]
        if other.at is not None and not other.skips:
            return other.at > at
        # They have come before the appointed time, which is still to come; do they begin before it?
        ahead = (queue.serving is not None) + (queue.next is not None) + index
        return ahead * self.minutes >= at

    # The transitions, as the table has them --------------------------------------------------------------------

    def _join(self, queue: Queue, _: None, actor: Actor, new_id: str, **__: object) -> Booking:
        if queue.status != "open":
            raise Refused(ErrorCode.QUEUE_CLOSED if queue.status == "closed" else ErrorCode.QUEUE_PAUSED)
        customer = actor.id if actor.role is Role.CUSTOMER else None
        self._need_no_live(customer)
        self._need_room(queue)
        booking = self.bookings[new_id] = Booking(new_id, queue.barber, customer, "waiting")
        self._give_token(queue, booking)
        queue.insert(booking, len(queue.line))
        queue.promote()
        return booking

    def _schedule(self, queue: Queue, _: None, actor: Actor, command: Json, new_id: str) -> Booking:
        self._need_slot(queue.barber, command["at"])
        customer = actor.id if actor.role is Role.CUSTOMER else None
        booking = Booking(new_id, queue.barber, customer, "scheduled", command["at"])
        self.bookings[new_id] = booking
        return booking

    def _reschedule(self, queue: Queue, named: Booking, command: Json, **__: object) -> Booking:
        booking = self._need(named, "scheduled")
        self._need_slot(queue.barber, command["at"], barring=booking)
        booking.at = command["at"]
        return booking

    def _check_in(self, queue: Queue, named: Booking, **__: object) -> Booking:
        booking = self._need(named, "scheduled")
        assert booking.at is not None
        if booking.at >= DAY // 2:  # the fixed instant is about noon
            raise Refused(ErrorCode.INVALID_TRANSITION)
        if queue.status == "closed":
            raise Refused(ErrorCode.QUEUE_CLOSED)
        self._need_no_live(booking.customer, barring=booking)
        self._give_token(queue, booking)
        index = len(queue.line)
        while index > 0 and self._yields(queue, index - 1, booking.at):
            index -= 1
        queue.insert(booking, index)
        queue.promote()
        return booking

    def _start(self, queue: Queue, named: Booking | None, **__: object) -> Booking:
        if named is not None:
            self._need(named, "next")
        if queue.serving is not None or queue.next is None:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        called = self._call_next(queue)
        assert called is not None
        return called

    def _complete(self, queue: Queue, named: Booking | None, **__: object) -> Booking:
        if named is not None:
            self._need(named, "serving")
        done = self._finish(queue)
        if done is None:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        return done

    def _advance(self, queue: Queue, _: None, **__: object) -> Booking:
        done = self._finish(queue)
        called = self._call_next(queue)
        about = called or done
        if about is None:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        return about

    def _skip(self, queue: Queue, named: Booking, **__: object) -> Booking:
        booking = self._need(named, "next", "waiting")
        queue.remove(booking)
        booking.skips += 1
        if booking.skips > self.max_skips:
            booking.status = "skipped"
        else:
            queue.insert(booking, len(queue.line))
        queue.promote()
        return booking

    def _no_show(self, queue: Queue, named: Booking, **__: object) -> Booking:
        booking = self._need(named, "next")
        queue.remove(booking)
        booking.status = "skipped"
        queue.promote()
        return booking

    def _recall(self, queue: Queue, named: Booking, command: Json, **__: object) -> Booking:
        booking = self._need(named, "skipped")
        if booking.gone:  # the touch of the queue found that the day has turned
            raise Refused(ErrorCode.INVALID_TRANSITION)
        self._need_no_live(booking.customer)
        queue.insert(booking, 0 if command["to"] == "front" else len(queue.line))
        queue.promote()
        return booking

    def _step_back(self, queue: Queue, named: Booking, command: Json, **__: object) -> Booking:
        booking = self._need(named, "next", "waiting")
        place = queue.position(booking)
        assert place is not None
        if place >= queue.length:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        queue.remove(booking)
        queue.promote()
        queue.insert(booking, place - 2 + command["places"])
        return booking

    def _move(self, queue: Queue, named: Booking, command: Json, **__: object) -> Booking:
        booking = self._need(named, "waiting")
        queue.remove(booking)
        queue.insert(booking, command["position"] - 2)
        return booking

    def _transfer(self, queue: Queue, named: Booking, command: Json, **__: object) -> Booking:
        to = self.touch(command["toBarberId"])
        booking = self._need(named, "next", "waiting")
        if to is queue:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        if to.status == "closed":
            raise Refused(ErrorCode.QUEUE_CLOSED)
        self._need_room(to)
        queue.remove(booking)
        queue.promote()
        queue.seq += 1
        self._give_token(to, booking)
        to.insert(booking, len(to.line))
        to.promote()
        return booking

    def _cancel(self, queue: Queue, named: Booking, actor: Actor, **__: object) -> Booking:
        booking = self._need(named, "scheduled", *LIVE)
        if booking.status == "serving" and actor.role is Role.CUSTOMER:
            raise Refused(ErrorCode.INVALID_TRANSITION)
        if booking.status == "serving":
            queue.serving = None
        elif booking.status != "scheduled":
            queue.remove(booking)
        queue.cancelled += booking.status != "scheduled"
        self._end(booking, "cancelled")
        queue.promote()
        return booking

    def _open(self, queue: Queue, _: None, **__: object) -> None:
        if queue.status == "open":
            raise Refused(ErrorCode.INVALID_TRANSITION)
        queue.status = "open"

    def _pause(self, queue: Queue, _: None, **__: object) -> None:
        if queue.status != "open":
            raise Refused(ErrorCode.INVALID_TRANSITION)
        queue.status = "paused"

    def _close(self, queue: Queue, _: None, command: Json, **__: object) -> None:
        cancels = command["waiting"] == "cancel"
        if queue.status == "closed" and not (cancels and queue.length):
            raise Refused(ErrorCode.INVALID_TRANSITION)
        if cancels:
            for booking in [*queue.line, *([queue.next] if queue.next else [])]:
                self._end(booking, "cancelled")
                queue.cancelled += 1
            queue.line, queue.next = [], None
        queue.status = "closed"
