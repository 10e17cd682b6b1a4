"""Ratings, as Postgres holds them. A trigger counts them for their barber, in the same transaction."""

from typing import Any, Final

from asyncpg import Pool, Record

from barberpro.storage.postgres import AnyConnection
from barberpro.storage.searching import searched

_COLUMNS: Final = (
    "rating_id, booking_id, barber_id, shop_id, stars, review, at, made_with, answer, answered_at, answered_by,"
    " hidden_at, hidden_by, hidden_reason"
)
_VISIT: Final = "SELECT barber_id, shop_id, customer_id, status FROM bookings WHERE booking_id = $1"
# Of two tries for one booking, one makes the rating.
_ADD: Final = f"""
    INSERT INTO ratings (rating_id, booking_id, barber_id, shop_id, stars, review, made_with)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (booking_id) DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 - built from constants
_OF_BOOKING: Final = f"SELECT {_COLUMNS} FROM ratings WHERE booking_id = $1"  # noqa: S608 - built from constants
_SUMMARY: Final = "SELECT stars, count FROM barber_ratings WHERE barber_id = $1"
_LOCKED: Final = f"SELECT {_COLUMNS} FROM ratings WHERE rating_id = $1 FOR UPDATE"  # noqa: S608 - built from constants
_ANSWER: Final = f"""
    UPDATE ratings SET answer = $2, answered_by = $3, answered_at = CASE WHEN $2::text IS NOT NULL THEN now() END
    WHERE rating_id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608 - built from constants
_HIDE: Final = f"""
    UPDATE ratings SET hidden_reason = $2, hidden_by = $3, hidden_at = CASE WHEN $2::text IS NOT NULL THEN now() END
    WHERE rating_id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608 - built from constants
_OF_BARBER: Final = f"""
    SELECT {_COLUMNS} FROM ratings
    WHERE barber_id = $1 AND ($2 OR hidden_at IS NULL) AND ($3::text IS NULL OR rating_id < $3)
    ORDER BY rating_id DESC LIMIT $4
"""  # noqa: S608 - built from constants


async def visit_of(connection: AnyConnection, booking_id: str) -> Record | None:
    """The booking's barber_id, shop_id, customer_id and status."""
    return await connection.fetchrow(_VISIT, booking_id)


async def add_rating(
    connection: AnyConnection, rating_id: str, booking_id: str, visit: Record, stars: int, review: str | None, key: str
) -> Record | None:
    """The rating; None when the booking has one. key: of the request."""
    return await connection.fetchrow(
        _ADD, rating_id, booking_id, visit["barber_id"], visit["shop_id"], stars, review, key
    )


async def rating_of_booking(connection: AnyConnection, booking_id: str) -> Record | None:
    return await connection.fetchrow(_OF_BOOKING, booking_id)


async def summary_of(connection: AnyConnection, barber_id: str) -> tuple[int, int]:
    """The sum of the stars of all ratings that are not hidden, and their number."""
    row = await connection.fetchrow(_SUMMARY, barber_id)
    return (row["stars"], row["count"]) if row is not None else (0, 0)


async def locked_rating(connection: AnyConnection, rating_id: str) -> Record | None:
    """For a change in the same transaction."""
    return await connection.fetchrow(_LOCKED, rating_id)


async def put_answer(connection: AnyConnection, rating_id: str, text: str | None, by: str) -> Record:
    """Of a rating that there is. text: None takes it back."""
    row: Record
    [row] = await connection.fetch(_ANSWER, rating_id, text, by if text is not None else None)
    return row


async def put_hidden(connection: AnyConnection, rating_id: str, reason: str | None, by: str) -> Record:
    """Of a rating that there is. reason: None shows it again."""
    row: Record
    [row] = await connection.fetch(_HIDE, rating_id, reason, by if reason is not None else None)
    return row


async def ratings_of_barber(
    pool: "Pool[Any]", barber_id: str, before: str | None, most: int, *, hidden: bool
) -> list[Record]:
    """The newest first, beginning after the one whose id is `before`. hidden: those, too.

    Raises what storage.postgres.Away lists.
    """
    return await searched(pool, _OF_BARBER, (barber_id, hidden, before, most))
