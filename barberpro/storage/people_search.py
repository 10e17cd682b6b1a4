"""Accounts, barbers and shops, searched by administrators: the newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool, Record

from barberpro.storage.searching import searched

_USERS: Final = """
    SELECT user_id, role, name, email_sealed, phone_sealed, barber_id, shop_ids, created_at, deleted_at FROM users
    WHERE ($1::text IS NULL OR role = $1)
      AND ($2::text IS NULL OR shop_ids @> ARRAY[$2::text] AND shop_ids <> '{}')
      AND ($3::text IS NULL OR position(lower($3) IN lower(name)) > 0)
      AND ($4::text IS NULL OR email_lookup = $4)
      AND ($5::text IS NULL OR phone_lookup = $5)
      AND ($6::timestamptz IS NULL OR (created_at, user_id) < ($6, $7))
    ORDER BY created_at DESC, user_id DESC LIMIT $8
"""
_BARBERS: Final = """
    SELECT b.barber_id, b.shop_id, s.name AS shop_name, b.name, b.photo_url, b.active, b.created_at,
           (SELECT u.user_id FROM users u WHERE u.barber_id = b.barber_id ORDER BY u.user_id LIMIT 1) AS user_id
    FROM barbers b JOIN shops s USING (shop_id)
    WHERE ($1::text IS NULL OR b.shop_id = $1)
      AND ($2::boolean IS NULL OR b.active = $2)
      AND ($3::text IS NULL OR position(lower($3) IN lower(b.name)) > 0)
      AND ($4::timestamptz IS NULL OR (b.created_at, b.barber_id) < ($4, $5))
    ORDER BY b.created_at DESC, b.barber_id DESC LIMIT $6
"""
# Those of a page alone are looked at more closely.
_SHOPS: Final = """
    SELECT s.*,
           (SELECT count(*) FROM barbers b WHERE b.shop_id = s.shop_id AND b.active) AS barbers,
           (SELECT count(*) FROM queues q WHERE q.shop_id = s.shop_id AND q.status = 'open') AS open_queues,
           l.waiting, l.serving
    FROM (
        SELECT shop_id, name, time_zone, currency, created_at FROM shops
        WHERE ($1::text IS NULL OR position(lower($1) IN lower(name)) > 0)
          AND ($2::timestamptz IS NULL OR (created_at, shop_id) < ($2, $3))
        ORDER BY created_at DESC, shop_id DESC LIMIT $4
    ) s CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE k.status IN ('waiting', 'next')) AS waiting,
               count(*) FILTER (WHERE k.status = 'serving') AS serving
        FROM bookings k WHERE k.shop_id = s.shop_id AND k.ended_at IS NULL
    ) l
    ORDER BY s.created_at DESC, s.shop_id DESC
"""


@dataclass(frozen=True, slots=True)
class WantedUsers:
    """name: a part of it. email_lookup, phone_lookup: keyed hashes. after: where the page before ended."""

    role: str | None = None
    shop_id: str | None = None
    name: str | None = None
    email_lookup: str | None = None
    phone_lookup: str | None = None
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class WantedBarbers:
    shop_id: str | None = None
    active: bool | None = None
    name: str | None = None
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class WantedShops:
    name: str | None = None
    after: tuple[datetime, str] | None = None


async def search_users(pool: "Pool[Any]", wanted: WantedUsers, most: int) -> list[Record]:
    """Raises what storage.postgres.Away lists."""
    filters = (wanted.role, wanted.shop_id, wanted.name, wanted.email_lookup, wanted.phone_lookup)
    return await searched(pool, _USERS, (*filters, *(wanted.after or (None, None)), most))


async def search_barbers(pool: "Pool[Any]", wanted: WantedBarbers, most: int) -> list[Record]:
    """Raises what storage.postgres.Away lists."""
    filters = (wanted.shop_id, wanted.active, wanted.name)
    return await searched(pool, _BARBERS, (*filters, *(wanted.after or (None, None)), most))


async def search_shops(pool: "Pool[Any]", wanted: WantedShops, most: int) -> list[Record]:
    """Raises what storage.postgres.Away lists."""
    return await searched(pool, _SHOPS, (wanted.name, *(wanted.after or (None, None)), most))
