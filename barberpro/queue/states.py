"""The absolute states of the rooms, built from a view, for the audience that may see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from statistics import fmean
from typing import Any, Final

from barberpro.protocol import states as wire
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.protocol.times import now_millis, rfc3339
from barberpro.queue.estimate import Estimator, InChair, Wait
from barberpro.queue.fold import Json, QueueState, ShopState
from barberpro.queue.pace import NEW_BARBER
from barberpro.storage.catalogue import Shop

_DISPLAYED: Final = 10
"""How many of those who wait a display lists."""


@dataclass(frozen=True, slots=True)
class Line:
    """A queue with everybody's place and wait worked out, once for all who are shown it."""

    queue: QueueState
    order: list[str]
    """Who waits, first to last, without `next`."""
    waits: dict[str, Wait]
    newcomer: Wait


class StateBuilder:
    """Builds room states. `full` is for staff, all else is public: no name, note, price or booking id."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator

    def line(self, state: ShopState, queue: QueueState) -> Line:
        order = queue.order()
        people = ([queue.next] if queue.next else []) + order
        chair = _in_chair(state, queue)
        ahead = [state.bookings[who]["minutes"] for who in people]
        waits = self._estimator.waits(queue.record.pace, chair, ahead, paused=queue.doc["status"] == "paused")
        return Line(queue, order, dict(zip(people, waits, strict=False)), waits[-1])

    def finishes(self, state: ShopState, queue: QueueState, own: float) -> Iterator[int]:
        """When whoever joins now for `own` planned minutes is done, in whole minutes (P90), by how many are ahead.

        It goes on behind the end of the line: others may join just before, and are taken to be as those who are there.
        """
        people = ([queue.next] if queue.next else []) + queue.order()
        ahead = [state.bookings[who]["minutes"] for who in people]
        chair, pace, paused = _in_chair(state, queue), queue.record.pace, queue.doc["status"] == "paused"
        others = repeat(fmean([*ahead, own]))
        return self._estimator.finishes(pace, chair, chain(ahead, others), own, paused=paused)

    def queue(self, state: ShopState, line: Line, *, full: bool) -> wire.QueueUpdated:
        """protocol.md section 2."""
        queue = line.queue
        entry = self._full if full else self._public
        return {
            "room": str(Room(RoomKind.QUEUE, queue.barber_id)),
            "epoch": state.epoch,
            "seq": queue.doc["seq"],
            "cause": cause_of(queue.cause, full=full),
            "barberId": queue.barber_id,
            "shopId": state.shop_id,
            "businessDate": queue.doc["day"],
            "status": queue.doc["status"],
            "serving": entry(state, line, queue.serving, 0) if queue.serving else None,
            "next": entry(state, line, queue.next, 1) if queue.next else None,
            "waiting": [entry(state, line, who, place) for place, who in enumerate(line.order, 2)],
            "skipped": [entry(state, line, who, None) for who in queue.skipped],
            "counts": {
                "waiting": len(line.order),
                "completed": queue.doc["completed"],
                "cancelled": queue.doc["cancelled"],
                "skipped": len(queue.skipped),
            },
            "updatedAt": rfc3339(queue.at),
        }

    @staticmethod
    def _public(state: ShopState, line: Line, who: str, place: int | None) -> wire.PublicEntry:
        booking = state.bookings[who]
        wait = line.waits.get(who)
        return {
            "tokenNumber": booking["token"],
            "status": booking["status"],
            "position": place,
            "estimatedWait": wait.to_wire() if wait else None,
        }

    @classmethod
    def _full(cls, state: ShopState, line: Line, who: str, place: int | None) -> wire.FullEntry:
        booking, born = state.bookings[who], state.born.get(who, {})
        return {
            "bookingId": who,
            **cls._public(state, line, who, place),
            "customerName": born.get("customerName"),
            "services": born.get("services", []),
            "durationMinutes": booking["minutes"],
            "joinedAt": rfc3339(booking["joinedAt"]),
            "skipCount": booking["skips"],
            "kind": born.get("kind"),
            "notes": born.get("notes"),
        }

    def display(self, state: ShopState, shop: Shop, lines: dict[str, Line], last: Json | None) -> wire.DisplayUpdated:
        """lines: by barber; a barber whose queue was never used has none. last: the cause."""
        return {
            "room": str(Room(RoomKind.DISPLAY, state.shop_id)),
            "epoch": state.epoch,
            "seq": state.shop_seq,
            "cause": cause_of(last, full=False),
            "shopId": state.shop_id,
            "shopName": shop.name,
            "queues": [
                self._displayed(state, barber.barber_id, barber.name, lines.get(barber.barber_id))
                for barber in shop.barbers.values()
            ],
            "calls": [
                {
                    "callId": call.call_id,
                    "tokenNumber": call.token,
                    "barberId": call.barber_id,
                    "barberName": shop.barbers[call.barber_id].name if call.barber_id in shop.barbers else None,
                    "at": rfc3339(call.at),
                }
                for call in state.calls
            ],
            "serverTime": rfc3339(now_millis()),
        }

    def _displayed(self, state: ShopState, barber_id: str, name: str, line: Line | None) -> wire.DisplayedQueue:
        if line is None:
            return {
                "barberId": barber_id,
                "barberName": name,
                "status": "closed",
                "serving": None,
                "next": None,
                "waiting": [],
                "waitingCount": 0,
                "estimatedWait": self._estimator.waits(NEW_BARBER, None, [])[-1].to_wire(),
            }
        queue = line.queue
        waiting = enumerate(line.order[:_DISPLAYED], 2)
        return {
            "barberId": barber_id,
            "barberName": name,
            "status": queue.doc["status"],
            "serving": self._public(state, line, queue.serving, 0) if queue.serving else None,
            "next": self._public(state, line, queue.next, 1) if queue.next else None,
            "waiting": [self._public(state, line, who, place) for place, who in waiting],
            "waitingCount": len(line.order),
            "estimatedWait": line.newcomer.to_wire(),
        }

    def booking(self, state: ShopState, booking: Json, line: Line | None) -> wire.BookingUpdated:
        """For whoever may see the booking. Its seq is the shopSeq of its queue's last event,
        which goes on rising when the booking is transferred. line: its queue's, when it is in one.
        """
        booking_id = booking["bookingId"]
        queue = state.queues.get(booking["barberId"])
        place = _place(line, booking)
        wait = line.waits.get(booking_id) if line is not None and place is not None else None
        serving = state.bookings.get(queue.serving) if queue is not None and queue.serving else None
        return {
            "room": str(Room(RoomKind.BOOKING, booking_id)),
            "epoch": state.epoch,
            "seq": queue.shop_seq if queue is not None else state.shop_seq,
            "cause": _own_cause(queue.cause if queue is not None else None, booking_id),
            "bookingId": booking_id,
            "shopId": state.shop_id,
            "barberId": booking["barberId"],
            "tokenNumber": booking.get("token"),
            "status": booking["status"],
            "position": place,
            "aheadCount": max(place - 1, 0) if place is not None else None,
            "estimatedWaitTime": wait.p50_minutes if wait else None,
            "estimatedWait": wait.to_wire() if wait else None,
            "servingToken": serving["token"] if serving else None,
            "updatedAt": rfc3339(queue.at if queue is not None else booking.get("joinedAt", 0)),
        }


def unused_queue(shop: Shop, barber_id: str) -> QueueState:
    """The queue of a barber who never opened it: closed and empty, at seq 0."""
    today = datetime.now(shop.zone).date().isoformat()
    doc: Json = {"status": "closed", "seq": 0, "day": today, "lastToken": 0, "completed": 0, "cancelled": 0}
    return QueueState(barber_id, doc, at=now_millis())


def _in_chair(state: ShopState, queue: QueueState) -> InChair | None:
    if not queue.serving:
        return None
    serving = state.bookings[queue.serving]
    return InChair(serving["minutes"], max(0.0, (now_millis() - serving["startedAt"]) / 60_000))


def _place(line: Line | None, booking: Json) -> int | None:
    status = booking["status"]
    if status == "serving":
        return 0
    if status == "next":
        return 1
    if line is None or booking["bookingId"] not in line.queue.waiting:
        return None
    return line.order.index(booking["bookingId"]) + 2


def cause_of(event: Json | None, *, full: bool) -> wire.Cause | None:
    """Why the state is what it is: its last event, told to the audience. None before there was any."""
    if event is None:
        return None
    subject = event.get("bookingId")
    token: Any = next((b.get("token") for b in event["changes"] if b["bookingId"] == subject), None)
    by_customer = event["actor"]["role"] in {"customer", "guest"}
    cause: wire.Cause = {
        "type": event["type"],
        "actorRole": event["actor"]["role"],
        "at": rfc3339(event["at"]),
    }
    command_id = event.get("command", {}).get("id")
    if command_id is not None:
        cause["commandId"] = command_id
    if full and subject is not None:
        cause["bookingId"] = subject
    if token is not None:
        cause["tokenNumber"] = token
    # What a customer gives as a reason is for staff; what staff or the system give is for those concerned.
    if (full or not by_customer) and event.get("reason") is not None:
        cause["reason"] = event["reason"]
    return cause


def _own_cause(event: Json | None, booking_id: str) -> wire.Cause | None:
    """The cause as a booking's own room shows it: other bookings stay without an id."""
    return cause_of(event, full=event is not None and event.get("bookingId") == booking_id)
