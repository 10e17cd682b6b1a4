"""A shop's events, folded from its checkpoint or from the first on: they must give its rows."""

from typing import Any, Final

from asyncpg.pool import PoolConnectionProxy

from barberpro.queue.history import History, booking_difference
from barberpro.storage.checkpoints import load_checkpoint
from barberpro.storage.digests import Digest
from barberpro.storage.imported import load_mark
from barberpro.storage.snapshot import BOOKING, ShopSnapshot, booking_of_row

Json = dict[str, Any]

_BOOKINGS: Final = BOOKING.partition(" WHERE ")[0] + " WHERE b.shop_id = $1"
_ROWS_AT_ONCE: Final = 2000


async def check_history(connection: "PoolConnectionProxy[Any]", snapshot: ShopSnapshot) -> list[str]:
    """How the rows differ from the fold of the events, and where an event breaks an invariant.

    Call it inside the transaction in which the snapshot was read.
    """
    checkpoint = await load_checkpoint(connection, snapshot.shop_id)
    history = History.after(snapshot.shop_id, checkpoint)
    await history.read(connection, _ROWS_AT_ONCE)
    if history.torn:
        return history.found
    found = history.found + _state_differences(history, snapshot)
    return found + await _booking_differences(connection, history, checkpoint.shop_seq)


def told_twice(doc: Json) -> Json:
    """A queue without what only Redis and the events say of it: when its day ends, which spares it the calendar."""
    return {key: value for key, value in doc.items() if key != "dayEnds"}


def _state_differences(history: History, snapshot: ShopSnapshot) -> list[str]:
    folded = history.state
    if folded.shop_seq != snapshot.shop_seq:
        return [f"the watermark is {snapshot.shop_seq}, the last event {folded.shop_seq}"]
    found = []
    if history.link != snapshot.link:
        found.append(f"the watermark has the link {snapshot.link}, the last event {history.link}")
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


async def _booking_differences(connection: "PoolConnectionProxy[Any]", history: History, cut: int) -> list[str]:
    """Every booking's row, ended ones too, beside what the events made of it.

    Those below the cut all at once, and those imported likewise.
    """
    found, left, gone, imported = [], dict(history.last), Digest(), Digest()
    async for row in connection.cursor(_BOOKINGS, history.state.shop_id, prefetch=_ROWS_AT_ONCE):
        name, actual = row["booking_id"], (booking_of_row(row), row["shop_seq"])
        expected = left.pop(name, None)
        if expected is None and row["shop_seq"] == 0:
            imported.add(actual)
        elif expected is None and row["shop_seq"] <= cut:
            gone.add(actual)
        else:
            found += booking_difference(name, expected, actual)
    if gone != history.gone:
        found.append(
            f"of {history.gone.count} bookings that ended by event {cut}, {gone.count} have rows, or other ones"
        )
    mark = await load_mark(connection, history.state.shop_id)
    if imported != mark:
        found.append(f"of {mark.count} imported bookings, {imported.count} have rows, or other ones")
    return found + [f"booking {name}: the events have it, and it has no row" for name in left]
