"""Counting the bookings whose customer did not come."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from asyncpg import Pool

_PATIENCE_SECONDS: Final = 5.0

# Next, and away for as long as the shop allows, or so the barber says; or late for an appointment. Whoever is called
# back into the line has come after all, and is waiting.
_COUNT: Final = """
    SELECT asked.customer_id, missed.count
    FROM unnest($1::text[]) AS asked (customer_id)
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT FROM bookings
            WHERE customer_id = asked.customer_id AND created_at > now() - make_interval(days => $2)
              AND end_reason IN ('no_show', 'grace_expired', 'missed')  -- the index's
              AND (status = 'skipped' AND end_reason <> 'missed'
                   OR status = 'cancelled' AND cancelled_by = 'system' AND end_reason = 'missed')
            LIMIT $3
        ) AS found
    ) AS missed
"""


_HAPPENED: Final = """
    SELECT EXISTS (
        SELECT FROM queue_events
        WHERE actor_id = $1 AND at > now() - interval '1 day' AND data #>> '{command,id}' = $2
    )
"""


async def has_happened(pool: "Pool[Any]", actor_id: str, command_id: str) -> bool:
    """Whether the command of this actor had its effect, in the day for which its id is remembered."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        known: bool = await pool.fetchval(_HAPPENED, actor_id, command_id)
        return known


async def count_no_shows(pool: "Pool[Any]", customer_ids: Sequence[str], days: int, most: int) -> dict[str, int]:
    """How many each has, of the bookings made in the last `days`; counts up to `most`.

    Raises what storage.postgres.Away lists.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return dict(await pool.fetch(_COUNT, customer_ids, days, most))
