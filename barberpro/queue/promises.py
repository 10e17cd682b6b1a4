"""What customers were promised when they joined, and whether it was kept, from a queue's own record.

Nobody notes what a state said. But a quote depends on nothing except the line, the chair and the barber's last visits,
and the events tell all of these: so each promise is worked out anew, as it was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from barberpro.queue.estimate import InChair, Wait, WaitEstimator
from barberpro.queue.pace import Record
from barberpro.storage.snapshot import Visit

Json = dict[str, Any]

_JOINING: Final = frozenset({"join", "check_in"})
_ANOTHER_PLACE: Final = frozenset({"step_back", "skip", "no_show", "recall", "transfer", "cancel"})
"""After these the booking's own place is another than what was promised: its customer or its absence made it so."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer was told at joining, and how long it took until they were in the chair.

    at: when they joined, in ms since the epoch.
    """

    booking_id: str
    at: int
    told: Wait
    waited_minutes: float

    @property
    def kept(self) -> bool:
        """Within what nine of ten waits should not exceed."""
        return self.waited_minutes <= self.told.p90_minutes


def promises(events: Iterable[Json], visits: Iterable[Visit], estimator: WaitEstimator) -> list[Promise]:
    """The promises to those who joined in these events of one queue and were served in them, in the order of service.

    events: oldest first, from a moment when nobody waited, such as a day's first join. visits: the barber's last ones
    before that. Whoever stepped back, was skipped, or moved to another queue was promised nothing of the new place.
    """
    line = _Line(Record(visits), estimator)
    made: dict[str, tuple[int, Wait]] = {}
    kept: list[Promise] = []
    for event in events:
        line.apply(event)
        about = event.get("bookingId")
        if event["type"] in _JOINING and about in line.bookings:
            made[about] = (event["at"], line.wait_of(about, event["at"]))
        elif event["type"] in _ANOTHER_PLACE:
            made.pop(about or "", None)
        started = line.doc.get("serving")
        if started in made:
            at, wait = made.pop(started)
            kept.append(Promise(started, at, wait, (event["at"] - at) / 60_000))
    return kept


class _Line:
    """One queue as its events tell it. bookings: those in it."""

    def __init__(self, record: Record, estimator: WaitEstimator) -> None:
        self.doc: Json = {}
        self.bookings: dict[str, Json] = {}
        self._record = record
        self._estimator = estimator

    def apply(self, event: Json) -> None:
        self.doc = event["queue"]
        for booking in event["changes"]:
            was = self.bookings.pop(booking["bookingId"], None)
            if "endedAt" not in booking and booking["barberId"] == event["barberId"]:
                self.bookings[booking["bookingId"]] = booking
            elif was is not None and booking["status"] == "completed":
                self._record.add(Visit(booking["endedAt"], booking["startedAt"], booking["minutes"]))

    def wait_of(self, booking_id: str, now: int) -> Wait:
        """As StateBuilder.line works it out (queue/states.py), at a time in ms."""
        waiting = {who: booking for who, booking in self.bookings.items() if booking["status"] == "waiting"}
        order = sorted(waiting, key=lambda who: int(waiting[who]["rank"]))
        called = self.doc.get("next")
        people = ([called] if called in self.bookings else []) + order
        ahead = [self.bookings[who]["minutes"] for who in people]
        chair = _chair(self.bookings.get(self.doc.get("serving") or ""), now)
        waits = self._estimator.waits(self._record.pace, chair, ahead, paused=self.doc["status"] == "paused")
        return waits[people.index(booking_id)] if booking_id in people else Wait(0, 0)


def _chair(serving: Mapping[str, Any] | None, now: int) -> InChair | None:
    if serving is None:
        return None
    return InChair(serving["minutes"], max(0.0, (now - serving["startedAt"]) / 60_000))
