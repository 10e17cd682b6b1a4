"""A shop played again from its events: what each left behind, for the checks to compare with what people were told.

It shares no code with the engine's own fold. Events are absolute (docs/schema.md): `queue` and each of `changes`
replace what was known. What the invariants say of each is in invariants.py; what is kept of each is small, since a run
has hundreds of thousands.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, Final

from loadtests.faults.facts import queue_facts
from loadtests.faults.finding import Finding
from loadtests.faults.history import Json
from loadtests.faults.invariants import broken_by

LIVE: Final = frozenset({"waiting", "next", "serving"})
UNUSED: Final = {"seq": 0, "day": "", "lastToken": 0, "completed": 0, "cancelled": 0}
"""A queue before its first event, as far as that can be compared with it."""


@dataclass(slots=True)
class Happened:
    """An event, and its queue after it.

    committed: in seconds since 1970, when Postgres kept it. facts: the queue's. serving, next: booking ids.
    length: how many wait or are next. told: what the caller of its command is told of the booking.
    """

    shop_seq: int
    barber: str
    seq: int
    epoch: int
    type: str
    command: str | None
    committed: float | None
    facts: str
    status: str
    day: str
    serving: str | None
    next: str | None
    length: int
    told: Json | None

    def served(self) -> int | None:
        """The token in the chair."""
        token = self.facts.split("|", 3)[2]
        return int(token) if token else None

    def place_of(self, status: str, token: int | None) -> int | None:
        """Of a booking of this queue: 0 in the chair, 1 for next, then on; None when it is not in the line."""
        if status in {"serving", "next"}:
            return int(status == "next")
        waiting = self.facts.split("|", 5)[4].split(",")
        return waiting.index(str(token)) + 2 if status == "waiting" and str(token) in waiting else None


NEVER: Final = Happened(0, "", 0, 0, "", None, None, "|closed|||||0|0", "closed", "", None, None, 0, None)
"""What is known of a queue before its first event."""


@dataclass(slots=True)
class Life:
    """A booking: since which shopSeqs it stood how. ended: since which it can change no more."""

    customer: str | None
    since: list[int] = field(default_factory=list)
    stood: list[tuple[str, str, int | None, str | None]] = field(default_factory=list)
    """Its barber, status, token and day."""
    last: Json = field(default_factory=dict)
    """Its last change, as the event has it."""
    ended: int | None = None

    def at(self, shop_seq: int) -> tuple[str, str, int | None, str | None] | None:
        """How it stood after that event; None before it was made."""
        index = bisect_right(self.since, shop_seq)
        return self.stood[index - 1] if index else None

    def between(self, low: int, high: int) -> list[tuple[int, int, str, str]]:
        """How it stood at the shop's events from `low` to `high`: from which to which, at which barber, its status."""
        first, last = max(bisect_right(self.since, low) - 1, 0), bisect_right(self.since, high)
        ends = [*self.since[1:], high + 1]
        return [(max(self.since[i], low), min(ends[i] - 1, high), *self.stood[i][:2]) for i in range(first, last)]


@dataclass(slots=True)
class Place:
    """A barber's queue: who is in it now, and its events so far. doc: as it stands in its last event."""

    doc: Json
    by_seq: dict[int, Happened] = field(default_factory=dict)
    happened: list[Happened] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    """The shopSeqs of its events."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Ranks, by booking."""
    held: dict[str, set[str]] = field(default_factory=lambda: {"serving": set(), "next": set(), "skipped": set()})
    """Bookings by status, without those that wait."""

    def order(self) -> list[str]:
        return sorted(self.waiting, key=self.waiting.__getitem__)

    def at(self, shop_seq: int) -> Happened:
        """Its last event that is not after that one."""
        index = bisect_right(self.seqs, shop_seq)
        return self.happened[index - 1] if index else NEVER

    def between(self, low: int, high: int) -> list[Happened]:
        """How it stood after the shop's event `low`, and after each of its own from there to `high`."""
        first, last = bisect_right(self.seqs, low), bisect_right(self.seqs, high)
        return [self.at(low), *self.happened[first:last]]


class Replay:
    """One shop. `apply` its events in the order of shopSeq; then ask."""

    def __init__(self, shop_id: str) -> None:
        self.shop_id = shop_id
        self.happened: dict[int, Happened] = {}
        """All events, by shopSeq."""
        self.last = 0
        """The shopSeq of the last one; `epoch` and `link` are its own."""
        self.epoch = 0
        self.link = ""
        self.queues: dict[str, Place] = {}
        self.lives: dict[str, Life] = {}
        self.live_of: dict[str, list[tuple[int, str | None]]] = {}
        """By customer: since which shopSeq which booking was live; None for none."""
        self.commands: dict[str, int] = {}
        """The shopSeq of the event that concluded a command, by its id."""
        self.tokens: dict[tuple[str, str, int], str] = {}
        """Whose each token is, by barber and day."""
        self.capacity: int | None = None
        """How many may wait, or be next, at a barber; None when it is not known."""
        self.broken: list[Finding] = []
        """What the invariants say of the events."""

    def apply(self, event: Json, committed: float | None = None) -> None:
        """Takes the shop's next event in."""
        place = self.queues.setdefault(event["barberId"], Place(dict(UNUSED)))
        before = place.doc
        was = {id_: self.lives[id_].last for id_ in map(_id, event["changes"]) if id_ in self.lives}
        for change in event["changes"]:
            self._change(event["shopSeq"], event["barberId"], change)
        place.doc = event["queue"]
        self.broken += broken_by(self, event, before, was)
        self._remember(event, place, committed)
        self.last, self.epoch, self.link = event["shopSeq"], event["epoch"], event["link"]

    def _change(self, shop_seq: int, barber: str, change: Json) -> None:
        booking_id, status = change["bookingId"], change["status"]
        life = self.lives.setdefault(booking_id, Life(change.get("customerId")))
        for place in {barber, change["barberId"], life.stood[-1][0] if life.stood else barber}:
            self._take_out(place, booking_id)
        life.since.append(shop_seq)
        life.stood.append((change["barberId"], status, change.get("token"), change.get("day")))
        life.last = change
        if "endedAt" in change and life.ended is None:
            life.ended = shop_seq
        if "endedAt" not in change:
            self._put_in(change)
        self._claim(shop_seq, life, booking_id, status)

    def _take_out(self, barber: str, booking_id: str) -> None:
        place = self.queues.get(barber)
        if place is None:
            return
        place.waiting.pop(booking_id, None)
        for held in place.held.values():
            held.discard(booking_id)

    def _put_in(self, change: Json) -> None:
        place = self.queues.setdefault(change["barberId"], Place(dict(UNUSED)))
        if change["status"] == "waiting":
            place.waiting[change["bookingId"]] = change["rank"]
        elif change["status"] in place.held:
            place.held[change["status"]].add(change["bookingId"])

    def _claim(self, shop_seq: int, life: Life, booking_id: str, status: str) -> None:
        if life.customer is None:
            return
        claims = self.live_of.setdefault(life.customer, [(0, None)])
        holder = claims[-1][1]
        if status in LIVE and holder != booking_id:
            claims.append((shop_seq, booking_id))
        elif status not in LIVE and holder == booking_id:
            claims.append((shop_seq, None))

    def _remember(self, event: Json, place: Place, committed: float | None) -> None:
        queue = event["queue"]
        command = event["command"]["id"] if "command" in event else None
        happened = Happened(
            event["shopSeq"],
            event["barberId"],
            event["seq"],
            event["epoch"],
            event["type"],
            command,
            committed,
            self._facts(place),
            queue["status"],
            queue["day"],
            queue.get("serving"),
            queue.get("next"),
            len(place.waiting) + ("next" in queue),
            _told(event) if command is not None else None,
        )
        self.happened[happened.shop_seq] = happened
        place.by_seq[happened.seq] = happened
        place.happened.append(happened)
        place.seqs.append(event["shopSeq"])
        if command is not None:
            self.commands.setdefault(command, event["shopSeq"])

    def _facts(self, place: Place) -> str:
        queue = place.doc
        return queue_facts(
            queue["day"],
            queue["status"],
            self._token(queue.get("serving")),
            self._token(queue.get("next")),
            [self._token(who) or 0 for who in place.order()],
            [self._token(who) or 0 for who in place.held["skipped"]],
            queue["completed"],
            queue["cancelled"],
        )

    def _token(self, booking_id: str | None) -> int | None:
        life = self.lives.get(booking_id) if booking_id is not None else None
        return life.stood[-1][2] if life is not None else None

    # Asking ----------------------------------------------------------------------------------------------------

    def epoch_at(self, moment: float) -> int:
        """Of the last event that was committed by then; 0 before the first."""
        committed = (each for each in self.happened.values() if each.committed is not None and each.committed <= moment)
        return max(committed, key=lambda each: each.shop_seq, default=NEVER).epoch

    def concluding(self, command: str) -> Happened | None:
        """The event that concluded the command; None when it had no effect."""
        return self.happened.get(self.commands.get(command, 0))

    def between(self, barber: str, low: int, high: int) -> list[Happened]:
        """A queue as it stood at the shop's events from `low` to `high`."""
        place = self.queues.get(barber)
        return place.between(low, high) if place is not None else [NEVER]

    def held_by(self, customer: str, low: int, high: int) -> list[str | None]:
        """The customer's live bookings at the shop's events from `low` to `high`; None where there was none."""
        claims = self.live_of.get(customer, [(0, None)])
        first = bisect_right(claims, low, key=_since) - 1
        return [booking for _, booking in claims[first : bisect_right(claims, high, key=_since)]]


def _since(claim: tuple[int, str | None]) -> int:
    return claim[0]


def _id(change: Json) -> str:
    booking_id: str = change["bookingId"]
    return booking_id


def _told(event: Json) -> Json | None:
    """What docs/protocol.md promises the caller of a booking, without aheadCount."""
    booking_id = event.get("bookingId")
    change: Any = next((each for each in event["changes"] if each["bookingId"] == booking_id), None)
    if booking_id is None or change is None:
        return None
    return {
        "bookingId": booking_id,
        "shopId": event["shopId"],
        "barberId": change["barberId"],
        "tokenNumber": change.get("token"),
        "status": change["status"],
        "position": event.get("position"),
        "businessDate": change.get("day"),
        "skipCount": change["skips"],
    }
