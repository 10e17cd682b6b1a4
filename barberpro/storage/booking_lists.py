"""Lists of bookings: a customer's, or a shop's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool, Record

from barberpro.storage.searching import Conditions, searched

_LIST: Final = """
    SELECT b.*, to_char(b.business_date, 'YYYY-MM-DD') AS day, s.name AS shop_name, w.name AS barber_name,
           r.stars
    FROM bookings b JOIN shops s USING (shop_id) LEFT JOIN barbers w ON w.barber_id = b.barber_id
    LEFT JOIN ratings r ON r.booking_id = b.booking_id
    WHERE {where} ORDER BY {order} LIMIT {most}
"""
_BY_AGE: Final = "b.created_at DESC, b.booking_id DESC"
# Ids of a shop's bookings sort as they were made, so that the primary key has them in order.
_BY_ID: Final = "b.booking_id DESC"
_OLDER: Final = """
    (b.created_at, b.booking_id) < (SELECT l.created_at, l.booking_id FROM bookings l WHERE l.booking_id = {})
"""
_OF_SHOP: Final = "b.shop_id = {} AND b.booking_id BETWEEN {} AND {}"


@dataclass(frozen=True, slots=True)
class WantedBookings:
    """All that are given have to fit; one of customer_id, booking_id and shop_id is. before: the last booking of the
    page before.
    """

    customer_id: str | None = None
    booking_id: str | None = None
    shop_id: str | None = None
    barber_id: str | None = None
    status: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None


async def list_bookings(pool: "Pool[Any]", wanted: WantedBookings, most: int) -> list[Record]:
    """The newest first. Raises what storage.postgres.Away lists, and ValueError when it is nobody's list."""
    if wanted.customer_id is None and wanted.booking_id is None and wanted.shop_id is None:
        raise ValueError("whose bookings?")
    where = Conditions()
    of_shop = wanted.customer_id is None and wanted.booking_id is None
    if wanted.shop_id is not None and of_shop:
        stem = f"bk_{wanted.shop_id.removeprefix('sh_')}_"
        where.add(_OF_SHOP, wanted.shop_id, f"{stem}0", f"{stem}{'z' * 32}")
    _narrow(wanted, where, by_age=not of_shop)
    query = _LIST.format(where=where, order=_BY_ID if of_shop else _BY_AGE, most=where.argument(most))
    return await searched(pool, query, where.values)


def _narrow(wanted: WantedBookings, where: Conditions, *, by_age: bool) -> None:
    equal = ("customer_id", "booking_id", "shop_id", "barber_id", "status", "kind")
    for name in equal:
        value = getattr(wanted, name)
        if value is not None:
            where.add(f"b.{name} = {{}}", value)
    if wanted.since is not None:
        where.add("b.created_at >= {}", wanted.since)
    if wanted.until is not None:
        where.add("b.created_at < {}", wanted.until)
    if wanted.before is not None and by_age:
        where.add(_OLDER, wanted.before)
    elif wanted.before is not None:
        where.add("b.booking_id < {}", wanted.before)
