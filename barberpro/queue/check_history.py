"""A shop's events from the first on: folded they must give its rows, and no event may break an invariant."""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from asyncpg.pool import PoolConnectionProxy

from barberpro.queue.fold import QueueState, ShopState
from barberpro.storage.snapshot import BOOKING, ShopSnapshot, booking_of_row

Json = dict[str, Any]

_EVENTS: Final = """
    SELECT shop_seq, barber_id, seq, epoch, type, to_char(business_date, 'YYYY-MM-DD') AS day, booking_id,
           token_allocated, data
    FROM queue_events WHERE shop_id = $1 ORDER BY shop_seq
"""
_COLUMNS: Final = {
    "shop_seq": "shopSeq", "barber_id": "barberId", "seq": "seq", "epoch": "epoch", "type": "type", "day": "day",
    "booking_id": "bookingId", "token_allocated": "tokenAllocated",
}  # fmt: skip
_BOOKINGS: Final = BOOKING.partition(" WHERE ")[0] + " WHERE b.shop_id = $1"
_REMEMBERED_MS: Final = 24 * 3600 * 1000
_ROWS_AT_ONCE: Final = 2000
_ENDED: Final = frozenset({"completed", "cancelled"})


@dataclass(slots=True)
class _History:
    """What is known after some of a shop's events."""

    state: ShopState
    final: dict[str, tuple[Json, int]] = field(default_factory=dict)
    """Every booking that ever was: its last state, and the event that gave it."""
    commands: dict[str, Json] = field(default_factory=dict)
    """By its id, the newest event that a command ended with."""
    found: list[str] = field(default_factory=list)

    def take(self, event: Json) -> None:
        """The next event. Raises what the fold raises for events that fit together with nothing."""
        before = self.state.queues.get(event["barberId"])
        doc = before.doc if before is not None else None
        problems = [*_order_problems(event, doc, self.state), *self._ended_again(event), *self._done_again(event)]
        queue = self.state.apply(event)
        problems += _invariant_problems(event, doc, queue, self.state)
        for booking in event["changes"]:
            self.final[booking["bookingId"]] = (booking, event["shopSeq"])
        if "command" in event:
            self.commands[event["command"]["id"]] = event
        self.found += [f"event {event['shopSeq']} ({event['type']}): {problem}" for problem in problems]

    def _ended_again(self, event: Json) -> list[str]:
        """Completed and cancelled never change again."""
        return [
            f"booking {booking['bookingId']} was {self.final[booking['bookingId']][0]['status']} already"
            for booking in event["changes"]
            if booking["bookingId"] in self.final and self.final[booking["bookingId"]][0]["status"] in _ENDED
        ]

    def _done_again(self, event: Json) -> list[str]:
        """A command has its effect once, as long as its id is remembered."""
        name = event["command"]["id"] if "command" in event else ""
        former = self.commands.get(name)
        if former is None or event["at"] - former["at"] >= _REMEMBERED_MS:
            return []
        return [f"command {name} had its effect already, with event {former['shopSeq']}"]


async def check_history(connection: "PoolConnectionProxy[Any]", snapshot: ShopSnapshot) -> list[str]:
    """How the rows differ from the fold of the events, and where an event breaks an invariant.

    Call it inside the transaction in which the snapshot was read.
    """
    history = _History(ShopState(snapshot.shop_id))
    async for row in connection.cursor(_EVENTS, snapshot.shop_id, prefetch=_ROWS_AT_ONCE):
        event = orjson.loads(row["data"])
        wrong = [column for column, key in _COLUMNS.items() if row[column] != event.get(key)]
        if wrong:
            history.found.append(f"event {row['shop_seq']}: its data differ from its columns {', '.join(wrong)}")
        try:
            history.take(event)
        except (KeyError, ValueError) as error:
            return [*history.found, f"event {row['shop_seq']} ({row['type']}) does not fit what was before: {error!r}"]
    found = history.found + _state_differences(history.state, snapshot)
    return found + await _booking_differences(connection, snapshot.shop_id, history.final)


def told_twice(doc: Json) -> Json:
    """A queue without what only Redis and the events say of it: when its day ends, which spares it the calendar."""
    return {key: value for key, value in doc.items() if key != "dayEnds"}


def _order_problems(event: Json, before: Json | None, state: ShopState) -> list[str]:
    """seq rises by exactly 1; days and epochs do not go back; tokens count from 1 each day."""
    problems = []
    seq = before["seq"] if before is not None else 0
    if event["seq"] != seq + 1 or event["queue"]["seq"] != event["seq"]:
        problems.append(f"seq {event['seq']} follows {seq}")
    if event["epoch"] < state.epoch:
        problems.append(f"epoch {event['epoch']} follows {state.epoch}")
    if before is not None and event["day"] < before["day"]:
        problems.append(f"day {event['day']} follows {before['day']}")
    same_day = before is not None and event["day"] == before["day"]
    last = before["lastToken"] if before is not None and same_day else 0
    token = event.get("tokenAllocated")
    expected = last if token is None else last + 1
    if event["queue"]["lastToken"] != expected or token not in {None, expected}:
        problems.append(f"token {token} (last {event['queue']['lastToken']}) follows token {last}")
    return problems


def _invariant_problems(event: Json, before: Json | None, queue: QueueState, state: ShopState) -> list[str]:
    """One serving and one next at most, and nobody waits while nobody is next."""
    problems = []
    for role in ("serving", "next"):
        holder, former = queue.doc.get(role), (before or {}).get(role)
        standing = state.bookings.get(holder or "")
        if holder is not None and (
            standing is None or standing["status"] != role or standing["barberId"] != queue.barber_id
        ):
            problems.append(f"{role} is {holder}, whose booking is {standing}")
        left = state.bookings.get(former or "")
        if former != holder and left is not None and left["status"] == role and left["barberId"] == queue.barber_id:
            problems.append(f"{former} was {role} and still says so")
        problems += [
            f"{booking['bookingId']} is {role}, and the queue says {holder}"
            for booking in event["changes"]
            if booking["barberId"] == queue.barber_id and booking["status"] == role and booking["bookingId"] != holder
        ]
    if queue.waiting and queue.next is None:
        problems.append(f"nobody is next, and {len(queue.waiting)} wait")
    if len(set(queue.waiting.values())) < len(queue.waiting):
        problems.append(f"two have one rank: {queue.waiting}")
    return problems


def _state_differences(folded: ShopState, snapshot: ShopSnapshot) -> list[str]:
    if folded.shop_seq != snapshot.shop_seq:
        return [f"the watermark is {snapshot.shop_seq}, the last event {folded.shop_seq}"]
    found = []
    last = next((queue for queue in folded.queues.values() if queue.shop_seq == folded.shop_seq), None)
    link = last.cause["link"] if last is not None and last.cause is not None else ""
    if link != snapshot.link:
        found.append(f"the watermark has the link {snapshot.link}, the last event {link}")
    docs = {barber: told_twice(queue.doc) for barber, queue in folded.queues.items()}
    for what, events, rows in (("queue", docs, snapshot.queues), ("live booking", folded.bookings, snapshot.bookings)):
        found += [
            f"{what} {name}: the events give {events.get(name)}, the row {rows.get(name)}"
            for name in sorted(events.keys() | rows.keys())
            if events.get(name) != rows.get(name)
        ]
    for barber, (shop_seq, _) in snapshot.touched.items():
        if barber in folded.queues and folded.queues[barber].shop_seq != shop_seq:
            found.append(f"queue {barber}: its row is of event {shop_seq}, not {folded.queues[barber].shop_seq}")
    return found


async def _booking_differences(
    connection: "PoolConnectionProxy[Any]", shop_id: str, final: dict[str, tuple[Json, int]]
) -> list[str]:
    """Every booking's row, ended ones too, beside what the events made of it."""
    found = []
    left = dict(final)
    async for row in connection.cursor(_BOOKINGS, shop_id, prefetch=_ROWS_AT_ONCE):
        expected = left.pop(row["booking_id"], None)
        actual = (booking_of_row(row), row["shop_seq"])
        if expected != actual:
            found.append(f"booking {row['booking_id']}: the events give {expected}, the row {actual}")
    return found + [f"booking {name}: the events have it, and it has no row" for name in left]
