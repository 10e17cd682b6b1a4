"""Changing when a barber works."""

from typing import Any

from asyncpg import Pool

from barberpro.domain.hours import parse_week
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.calendar import ChangeAvailability
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.audit import note
from barberpro.storage.calendars import Kept, lock_calendar, write_calendar

Json = dict[str, Any]


async def change(
    pool: "Pool[Any]", actor: Actor, shop_id: str, barber_id: str, wanted: ChangeAvailability, via: Via
) -> Kept:
    """The barber's calendar with what is wanted, as it stands from now on.

    What is so already is no change, so the same may be asked for again. The hours are known to be in
    order. Raises STALE_STATE.
    """
    given = wanted.model_dump(include=wanted.model_fields_set - {"revision"})
    given |= {name: parse_week(given[name]).document() for name in ("shifts", "breaks") if given.get(name) is not None}
    async with pool.acquire() as connection, connection.transaction():
        kept = await lock_calendar(connection, barber_id)
        after = {name: value for name, value in given.items() if kept.document[name] != value}
        if not after:
            return kept
        if wanted.revision is not None and wanted.revision != kept.revision:
            raise BarberProError(ErrorCode.STALE_STATE, details={"barberId": barber_id, "revision": kept.revision})
        before = {name: kept.document[name] for name in after}
        changed = Kept(kept.document | after, kept.revision + 1)
        await write_calendar(connection, barber_id, changed)
        await note(
            connection, actor, "calendar.changed", "barber", barber_id,
            before=before, after=after, via=via, shop_id=shop_id,
        )  # fmt: skip
    return changed
