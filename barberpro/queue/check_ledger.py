"""Part of `barberpro check`: what the bookings say was paid at their end, and what stands in the ledger of it."""

from typing import Any, Final

from asyncpg.pool import PoolConnectionProxy

# By bookings_ended, barber by barber; and the other way round, by the ledger's own index.
_DIFFERENT: Final = """
    SELECT coalesce(said.payment_id, line.payment_id) AS payment_id, said.amount AS said, line.amount AS written
    FROM (
        SELECT 'pm_' || substr(b.booking_id, 4) || m.suffix AS payment_id, m.amount::numeric AS amount,
               b.payment ->> 'method' AS method
        FROM barbers r JOIN bookings b ON b.barber_id = r.barber_id AND b.ended_at IS NOT NULL
        CROSS JOIN LATERAL (VALUES ('', b.payment ->> 'amount'), ('t', b.payment ->> 'tip')) AS m (suffix, amount)
        WHERE r.shop_id = $1 AND m.amount IS NOT NULL AND (m.suffix = '' OR m.amount::numeric > 0)
    ) said
    FULL JOIN (
        SELECT payment_id, amount, method FROM payment_ledger WHERE shop_id = $1 AND shop_seq IS NOT NULL
    ) line USING (payment_id)
    WHERE (said.amount, said.method) IS DISTINCT FROM (line.amount, line.method)
    ORDER BY 1 LIMIT 100
"""


async def check_ledger(connection: "PoolConnectionProxy[Any]", shop_id: str) -> list[str]:
    """Every difference, as a sentence. Call it in the transaction that reads the bookings."""
    return [
        f"payment {row['payment_id']}: the booking says {row['said']}, the ledger {row['written']}"
        for row in await connection.fetch(_DIFFERENT, shop_id)
    ]
