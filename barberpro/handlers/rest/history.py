"""A booking's way through the line, told from the events of its business day."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import orjson

from barberpro.protocol.bookings import PlaceChange
from barberpro.protocol.times import rfc3339
from barberpro.queue.states import cause_of

Json = dict[str, Any]
_PLACE_OF_STATUS: Final[dict[str, int]] = {"serving": 0, "next": 1}


class _Lines:
    """Who waits in each queue, by rank, as events pass by; and the booking whose way is followed."""

    def __init__(self, booking_id: str) -> None:
        self._booking_id = booking_id
        self._waiting: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.booking: Json | None = None

    def pass_by(self, event: Json) -> None:
        line = self._waiting[event["barberId"]]
        for change in event["changes"]:
            line.pop(change["bookingId"], None)
            if change["status"] == "waiting" and change["barberId"] == event["barberId"]:
                line[change["bookingId"]] = change["rank"]
            if change["bookingId"] == self._booking_id:
                self.booking = change

    def position(self, booking: Json) -> int | None:
        """0 while serving, 1 for next, then on; None when not in a line."""
        status: str = booking["status"]
        if status != "waiting":
            return _PLACE_OF_STATUS.get(status)
        mine: int = booking["rank"]
        return 2 + sum(rank < mine for rank in self._waiting[booking["barberId"]].values())


def changes_of_place(booking_id: str, events: Sequence[bytes | str], *, staff: bool) -> list[PlaceChange]:
    """[{seq, at, barberId, tokenNumber, status, position, previousPosition, cause}], oldest first.

    events: JSON, oldest first, beginning while nobody else waited in the queues that they are of. An event is told
    of when it changed the booking's status, place or queue, or was about the booking; so a skip that left it where
    it was is told as well. staff: whether causes name other bookings and tell what other customers gave as reasons.
    """
    lines = _Lines(booking_id)
    told: list[PlaceChange] = []
    before: tuple[str, str, int | None] | None = None
    for event in map(orjson.loads, events):
        lines.pass_by(event)
        booking = lines.booking
        if booking is None or booking["barberId"] != event["barberId"]:
            continue  # another queue; or the first half of a transfer: the second tells where it came to stand
        now = (booking["barberId"], booking["status"], lines.position(booking))
        own = event.get("bookingId") == booking_id
        if now != before or own:
            told.append(_change(event, booking, now[2], before[2] if before else None, full=staff or own))
            before = now
    return told


def _change(event: Json, booking: Json, position: int | None, previous: int | None, *, full: bool) -> PlaceChange:
    cause = cause_of(event, full=full)
    assert cause is not None  # noqa: S101 - there is an event
    return {
        "seq": event["seq"],
        "at": rfc3339(event["at"]),
        "barberId": booking["barberId"],
        "tokenNumber": booking.get("token"),
        "status": booking["status"],
        "position": position,
        "previousPosition": previous,
        "cause": cause,
    }
