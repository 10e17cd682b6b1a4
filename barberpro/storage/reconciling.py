"""Finding what does not add up: bookings without payment, payments without booking, payments that are not the price."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.protocol.money import Problem
from barberpro.storage.searching import Conditions, searched

# What was completed in the time, and whatever was written in the ledger in the time; with all that was ever paid for
# them. A shop's bookings are found by its barbers: by bookings_ended.
_FIND: Final = """
    WITH looked_at AS (
        SELECT b.booking_id FROM barbers r JOIN bookings b ON b.barber_id = r.barber_id
        WHERE r.shop_id = {shop} AND b.ended_at >= {since} AND b.ended_at < {until} AND b.status = 'completed'
        UNION
        SELECT booking_id FROM payment_ledger WHERE shop_id = {shop} AND at >= {since} AND at < {until}
    ), compared AS (
        SELECT l.booking_id, b.barber_id, b.status, b.total_price AS price, b.ended_at, p.paid,
               coalesce(b.currency, p.currency) AS currency,
               CASE WHEN b.status IS DISTINCT FROM 'completed' THEN CASE WHEN p.paid <> 0 THEN 'no_visit' END
                    WHEN p.lines = 0 AND b.total_price > 0 THEN 'unpaid'
                    WHEN p.paid <> b.total_price THEN 'difference' END AS problem
        FROM looked_at l LEFT JOIN bookings b USING (booking_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(m.amount) FILTER (WHERE m.purpose = 'service'), 0) AS paid, count(*) AS lines,
                   max(m.currency) AS currency
            FROM payment_ledger m WHERE m.booking_id = l.booking_id
        ) p
    )
    SELECT * FROM compared WHERE {where} ORDER BY booking_id LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class Discrepant:
    """A booking that does not add up. barber_id, status and price are None when there is no such booking."""

    booking_id: str
    barber_id: str | None
    status: str | None
    price: Decimal | None
    ended_at: datetime | None
    paid: Decimal
    currency: str
    problem: Problem


async def discrepancies(
    pool: "Pool[Any]",
    shop_id: str,
    since: datetime,
    until: datetime,
    problem: Problem | None,
    after: str | None,
    most: int,
) -> list[Discrepant]:
    """By booking. after: the booking where the page before ended. Raises what storage.postgres.Away lists."""
    where = Conditions()
    named = {"shop": where.argument(shop_id), "since": where.argument(since), "until": where.argument(until)}
    if problem is not None:
        where.add("problem = {}", problem)
    else:
        where.add("problem IS NOT NULL")
    if after is not None:
        where.add("booking_id > {}", after)
    query = _FIND.format(**named, where=where, most=most)
    return [Discrepant(**row) for row in await searched(pool, query, where.values)]
