"""When people come, and what for; to a shop, or to all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from asyncpg import Pool

from barberpro.storage.searching import Conditions, searched

_QUARTER: Final = 900
"""Seconds. No clock is set to less."""
_MOST_SERVICES: Final = 20
# By bookings_ended, barber by barber, and bookings_live. A line is emptied when its day turns: two days suffice.
_ARRIVALS: Final = f"""
    SELECT floor(extract(epoch FROM joined_at) / {_QUARTER})::bigint AS quarter, count(*) AS joined FROM (
        SELECT k.joined_at FROM barbers b JOIN bookings k USING (barber_id)
        WHERE {{whose}} AND k.ended_at >= {{since}} AND k.ended_at < {{until}}::timestamptz + interval '2 days'
        UNION ALL
        SELECT b.joined_at FROM bookings b WHERE {{whose}} AND b.ended_at IS NULL
    ) k WHERE joined_at >= {{since}} AND joined_at < {{until}} GROUP BY 1
"""  # noqa: S608 - fixed words
_SERVICES: Final = """
    SELECT s ->> 'name' AS name, count(*) AS completed, sum((s ->> 'durationMinutes')::bigint)::bigint AS minutes
    FROM barbers b JOIN bookings k USING (barber_id) CROSS JOIN LATERAL jsonb_array_elements(k.services) s
    WHERE {whose} AND k.ended_at >= {since} AND k.ended_at < {until} AND k.status = 'completed'
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class DoneService:
    """minutes: planned, of all of them together."""

    name: str
    completed: int
    minutes: int


async def arrivals(
    pool: "Pool[Any]", since: datetime, until: datetime, zone: ZoneInfo, shop_id: str | None
) -> list[int]:
    """How many joined the line in each of the 24 hours of the zone's clock. Raises what storage.postgres.Away lists."""
    query, values = _asked(_ARRIVALS, since, until, shop_id)
    hours: Counter[int] = Counter()
    for row in await searched(pool, query, values):
        hours[datetime.fromtimestamp(row["quarter"] * _QUARTER, zone).hour] += row["joined"]
    return [hours[hour] for hour in range(24)]


async def services_done(pool: "Pool[Any]", since: datetime, until: datetime, shop_id: str | None) -> list[DoneService]:
    """By name, the most frequent ones, first of all the one done most. Raises what storage.postgres.Away lists."""
    query, values = _asked(_SERVICES, since, until, shop_id)
    return [DoneService(**row) for row in await searched(pool, query, values)]


def _asked(query: str, since: datetime, until: datetime, shop_id: str | None) -> tuple[str, Sequence[object]]:
    where = Conditions()
    whose = Conditions(where.values)
    if shop_id is not None:
        whose.add("b.shop_id = {}", shop_id)
    named = {"since": where.argument(since), "until": where.argument(until)}
    return query.format(whose=whose, most=_MOST_SERVICES, **named), where.values
