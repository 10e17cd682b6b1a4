"""What became of imported documents, read to be compared with the documents."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from barberpro.storage.postgres import AnyConnection

_BOOKINGS: Final = """
    SELECT b.booking_id, b.status, b.barber_id, b.customer_id, b.total_price, b.currency, b.token_number, b.started_at,
           b.ended_at, r.stars,
           coalesce((SELECT sum(l.amount) FROM payment_ledger l
                     WHERE l.booking_id = b.booking_id AND l.purpose = 'service'), 0) AS paid
    FROM bookings b LEFT JOIN ratings r USING (booking_id) WHERE b.booking_id = ANY ($1::text[])
"""
_THERE: Final = {
    "users": "SELECT user_id FROM users WHERE user_id = ANY ($1::text[])",
    "barbers": "SELECT barber_id FROM barbers WHERE barber_id = ANY ($1::text[])",
}
_IMPORTED: Final = "SELECT count(*) FROM imported_rows WHERE collection = $1"
_ONLY_HERE: Final = """
    SELECT b.currency, count(*) AS bookings, sum(b.total_price) AS total
    FROM (SELECT DISTINCT w.shop_id FROM imported_rows r JOIN barbers w ON w.barber_id = r.target_id
          WHERE r.collection = 'barbers') s
    JOIN barbers w USING (shop_id)
    JOIN bookings b ON b.barber_id = w.barber_id AND b.ended_at IS NOT NULL
    WHERE b.shop_seq > 0 AND b.status = 'completed' GROUP BY b.currency ORDER BY b.currency
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A booking as it stands here. paid: for its services, what was given back taken off."""

    booking_id: str
    status: str
    barber_id: str
    customer_id: str | None
    total_price: Decimal
    currency: str
    token_number: int | None
    started_at: datetime | None
    ended_at: datetime | None
    stars: int | None
    paid: Decimal


async def standing(connection: AnyConnection, booking_ids: list[str]) -> dict[str, Standing]:
    """By id."""
    return {row["booking_id"]: Standing(**row) for row in await connection.fetch(_BOOKINGS, booking_ids)}


async def there(connection: AnyConnection, collection: str, ids: list[str]) -> set[str]:
    """Those of the users, or of the barbers, that there are."""
    return {row[0] for row in await connection.fetch(_THERE[collection], ids)}


async def imported(connection: AnyConnection, collection: str) -> int:
    """How many documents of a collection were ever taken."""
    return int(await connection.fetchval(_IMPORTED, collection))


async def only_here(connection: AnyConnection) -> list[tuple[str, int, Decimal]]:
    """(currency, how many, their prices) of what was completed here in the shops that were imported."""
    return [(row["currency"], row["bookings"], row["total"]) for row in await connection.fetch(_ONLY_HERE)]
