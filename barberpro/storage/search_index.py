"""What searches look into, and how far it is: the mark, and a row a barber."""

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool, Record

from barberpro.storage.folding import keys
from barberpro.storage.postgres import AnyConnection

# The lock is the right to do the work; the clock is read under it, so marks rise, and before anything else is read.
_CLAIM: Final = "SELECT clock_timestamp() AS now FROM search_mark FOR UPDATE SKIP LOCKED"
_WAIT: Final = "SELECT 1 FROM search_mark FOR UPDATE"
_MARK: Final = "UPDATE search_mark SET at = $1"
_AGE: Final = "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM search_mark"
_BEHIND: Final = """
    SELECT s.shop_id, s.revision, w.shop_seq, i.shop_seq AS known_seq,
           i.revision IS DISTINCT FROM s.revision AS changed
    FROM shops s JOIN watermarks w USING (shop_id) LEFT JOIN search_shops i USING (shop_id)
    WHERE i.revision IS DISTINCT FROM s.revision OR i.shop_seq IS DISTINCT FROM w.shop_seq
    LIMIT $1
"""
_DONE: Final = """
    INSERT INTO search_shops (shop_id, revision, shop_seq)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
    ON CONFLICT (shop_id) DO UPDATE SET revision = excluded.revision, shop_seq = excluded.shop_seq
"""
_OFFERS: Final = """
    SELECT b.barber_id, b.shop_id, b.name, s.name AS shop_name, s.latitude, s.longitude,
           coalesce(array_agg(v.name) FILTER (WHERE v.name IS NOT NULL), '{}') AS offers
    FROM barbers b JOIN shops s USING (shop_id)
    LEFT JOIN barber_services o USING (barber_id)
    LEFT JOIN services v ON v.service_id = o.service_id AND v.active
    WHERE b.shop_id = ANY ($1::text[]) AND b.active
    GROUP BY b.barber_id, s.shop_id
"""
_GONE: Final = "DELETE FROM search_barbers WHERE shop_id = ANY ($1::text[]) AND barber_id <> ALL ($2::text[])"
_PUT: Final = """
    INSERT INTO search_barbers (barber_id, shop_id, place, words, offers) VALUES ($1, $2, $3::text::cube, $4, $5)
    ON CONFLICT (barber_id) DO UPDATE SET shop_id = excluded.shop_id, place = excluded.place,
        words = excluded.words, offers = excluded.offers
"""


def on_sphere(latitude: float, longitude: float) -> str:
    """A place in degrees as a point of the unit sphere, in the words of the type `cube`."""
    lat, lng = math.radians(latitude), math.radians(longitude)
    return f"({math.cos(lat) * math.cos(lng)!r}, {math.cos(lat) * math.sin(lng)!r}, {math.sin(lat)!r})"


async def claim(connection: AnyConnection, *, wait: bool) -> datetime | None:
    """The present moment, for whoever may do the work until the end of the transaction; None while another does it.

    wait: until that one is done.
    """
    if wait:
        await connection.execute(_WAIT)
    now: datetime | None = await connection.fetchval(_CLAIM)
    return now


async def behind(connection: AnyConnection, most: int) -> list[Record]:
    """Shops of which more is known elsewhere: shop_id, revision, shop_seq, known_seq (or None), changed: the catalogue
    is another one.
    """
    return list(await connection.fetch(_BEHIND, most))


async def put_shops(connection: AnyConnection, shops: Sequence[Record]) -> None:
    """These, from `behind`, are known now."""
    columns = ([shop[name] for shop in shops] for name in ("shop_id", "revision", "shop_seq"))
    await connection.execute(_DONE, *columns)


async def put_mark(connection: AnyConnection, at: datetime) -> None:
    """All that was committed before is known."""
    await connection.execute(_MARK, at)


async def age(pool: "Pool[Any]") -> float:
    """Seconds since the mark, whichever node set it."""
    seconds: float = await pool.fetchval(_AGE)
    return seconds


async def put_barbers(connection: AnyConnection, shop_ids: list[str]) -> None:
    """Writes what the barbers of these shops are found by; takes out those who no longer work."""
    barbers = await connection.fetch(_OFFERS, shop_ids)
    rows = await asyncio.to_thread(_rows, barbers)
    await connection.execute(_GONE, shop_ids, [row[0] for row in rows])
    await connection.executemany(_PUT, rows)


def _rows(barbers: Sequence[Record]) -> list[tuple[str, str, str | None, list[int], list[int]]]:
    return [
        (
            each["barber_id"],
            each["shop_id"],
            on_sphere(each["latitude"], each["longitude"]) if each["latitude"] is not None else None,
            keys(each["name"], each["shop_name"], *each["offers"]),
            keys(*each["offers"]),
        )
        for each in barbers
    ]
