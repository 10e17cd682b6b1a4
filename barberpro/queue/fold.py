"""The fold: a shop's state from its events, each of which tells absolutely what it changed.

Folding all events from the first, or a snapshot and the events after it, gives the same state.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from barberpro.queue.pace import Record
from barberpro.storage.snapshot import ShopSnapshot, Visit

Json = dict[str, Any]

_ENDED_KEPT: Final = 256
CALLS_KEPT: Final = 20


@dataclass(slots=True)
class Call:
    """A screen's announcement: this token, to that barber. `call_id` is the same on every node."""

    call_id: str
    token: int
    barber_id: str
    at: int


@dataclass(slots=True)
class QueueState:
    """doc: the queue as it stands in events. waiting: rank by booking id. cause: its last event, when known.

    shop_seq, at: of its last event. record: the barber's last visits.
    """

    barber_id: str
    doc: Json
    waiting: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, None] = field(default_factory=dict)
    cause: Json | None = None
    shop_seq: int = 0
    at: int = 0
    record: Record = field(default_factory=Record)

    def order(self) -> list[str]:
        """Who waits, first to last; `next` is not among them."""
        return sorted(self.waiting, key=self.waiting.__getitem__)

    @property
    def serving(self) -> str | None:
        return self.doc.get("serving")

    @property
    def next(self) -> str | None:
        return self.doc.get("next")

    @property
    def called(self) -> str | None:
        """Who should be at the chair: the one in it, or the next one while it is free and the barber works."""
        return called_in(self.doc)


def called_in(doc: Json) -> str | None:
    """`QueueState.called`, of a queue as it stands in an event."""
    called: str | None = doc.get("serving") or (doc.get("next") if doc["status"] != "paused" else None)
    return called


class ShopState:
    """Queues, live and skipped bookings, and the last calls of one shop, at (epoch, shop_seq)."""

    def __init__(self, shop_id: str) -> None:
        self.shop_id = shop_id
        self.epoch = 0
        self.shop_seq = 0
        self.queues: dict[str, QueueState] = {}
        self.bookings: dict[str, Json] = {}
        self.born: dict[str, Json] = {}
        self.ended: OrderedDict[str, Json] = OrderedDict()
        """The bookings that ended last, for those who still watch them."""
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)

    @classmethod
    def of_snapshot(cls, snapshot: ShopSnapshot) -> Self:
        state = cls(snapshot.shop_id)
        state.epoch, state.shop_seq = snapshot.epoch, snapshot.shop_seq
        for barber_id, doc in snapshot.queues.items():
            shop_seq, at = snapshot.touched[barber_id]
            state.queues[barber_id] = QueueState(
                barber_id, doc, shop_seq=shop_seq, at=at, record=Record(snapshot.visits.get(barber_id, ()))
            )
        state.bookings = dict(snapshot.bookings)
        state.born = dict(snapshot.born)
        for booking_id, booking in state.bookings.items():
            queue = state.queues.get(booking["barberId"])
            if queue is not None and booking["status"] == "waiting":
                queue.waiting[booking_id] = booking["rank"]
            elif queue is not None and booking["status"] == "skipped":
                queue.skipped[booking_id] = None
        return state

    def apply(self, event: Json, born: Json | None = None) -> QueueState:
        """Folds the shop's next event in; returns the queue it belongs to.

        Raises ValueError when it is not the next one.
        """
        if event["shopSeq"] != self.shop_seq + 1:
            raise ValueError(f"event {event['shopSeq']} of {self.shop_id} does not follow {self.shop_seq}")
        self.shop_seq, self.epoch = event["shopSeq"], event["epoch"]
        queue = self.queues.get(event["barberId"])
        if queue is None:
            queue = self.queues[event["barberId"]] = QueueState(event["barberId"], event["queue"])
            was_called = None
        else:
            was_called = queue.called
        queue.doc, queue.cause = event["queue"], event
        queue.shop_seq, queue.at = event["shopSeq"], event["at"]
        if born is not None:
            self.born[born["bookingId"]] = born
        for booking in event["changes"]:
            self._change(queue, booking)
        called = queue.called
        if called is not None and called != was_called:
            self._call(event, self.bookings[called]["token"])
        return queue

    def remember(self, events: Sequence[Json], tokens: Mapping[str, int]) -> None:
        """Takes the last calls and each queue's last cause from events that are folded in already.

        tokens: of bookings that no event in `events` changed.
        """
        known = dict(tokens)
        called: dict[str, str | None] = {}
        for event in events:
            barber_id, now_called = event["barberId"], called_in(event["queue"])
            known.update((b["bookingId"], b["token"]) for b in event["changes"] if "token" in b)
            first = barber_id not in called and event["seq"] > 1
            if now_called is not None and not first and now_called != called.get(barber_id):
                self._call(event, known[now_called])
            called[barber_id] = now_called
            self.queues[barber_id].cause = event

    def _call(self, event: Json, token: int) -> None:
        barber_id = event["barberId"]
        self.calls.append(Call(f"{barber_id}-{event['seq']}", token, barber_id, event["at"]))

    def _change(self, queue: QueueState, booking: Json) -> None:
        booking_id, status = booking["bookingId"], booking["status"]
        queue.waiting.pop(booking_id, None)
        queue.skipped.pop(booking_id, None)
        if "endedAt" in booking:
            lived = self.bookings.pop(booking_id, None) is not None
            if lived and status == "completed":
                queue.record.add(Visit(booking["endedAt"], booking["startedAt"], booking["minutes"]))
            self.born.pop(booking_id, None)
            self.ended[booking_id] = booking
            if len(self.ended) > _ENDED_KEPT:
                self.ended.popitem(last=False)
            return
        self.bookings[booking_id] = booking
        if booking["barberId"] != queue.barber_id:
            return  # transferred away: the other queue's event puts it there
        if status == "waiting":
            queue.waiting[booking_id] = booking["rank"]
        elif status == "skipped":
            queue.skipped[booking_id] = None

    def position(self, booking: Json) -> int | None:
        """0 while serving, 1 for next, then on; None when not in a line. O(n log n) for those who wait."""
        status = booking["status"]
        if status == "serving":
            return 0
        if status == "next":
            return 1
        if status != "waiting":
            return None
        return self.queues[booking["barberId"]].order().index(booking["bookingId"]) + 2
