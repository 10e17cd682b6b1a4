"""Writing the catalogue: shops, barbers, services."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from asyncpg import Pool

from barberpro.protocol.ids import new_barber_id, new_service_id, new_shop_id
from barberpro.storage.deployment import open_watermark
from barberpro.storage.keys import Keys
from barberpro.storage.zones import offset_table


@dataclass(frozen=True, slots=True)
class NewService:
    name: str
    price: Decimal
    duration_minutes: int


@dataclass(frozen=True, slots=True)
class NewShop:
    """A shop with barbers who all offer all of its services."""

    name: str
    time_zone: str
    currency: str
    barbers: tuple[str, ...]
    services: tuple[NewService, ...]
    settings: dict[str, int | str | bool] = field(default_factory=dict)
    """Columns of `shops` by name; the others keep their defaults."""


_SETTINGS = frozenset(
    {
        "queue_capacity",
        "grace_seconds",
        "grace_action",
        "max_skips",
        "late_seconds",
        "slot_minutes",
        "change_notice_minutes",
        "public_display",
    }
)


class UnknownZoneError(ValueError):
    """A shop's time zone does not exist; the message names it."""


async def create_shop(pool: "Pool[Any]", keys: Keys, shop: NewShop) -> str:
    """Writes the shop in one transaction; returns its id. Raises UnknownZoneError, or ValueError for a setting."""
    unknown = set(shop.settings) - _SETTINGS
    if unknown:
        raise ValueError(f"unknown settings of a shop: {', '.join(sorted(unknown))}")
    try:
        await asyncio.to_thread(offset_table, shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZoneError(f"time zone is {shop.time_zone!r}: it is not in the IANA database") from None
    shop_id = new_shop_id()
    columns = {"shop_id": shop_id, "name": shop.name, "time_zone": shop.time_zone, "currency": shop.currency}
    values: dict[str, Any] = {**columns, **shop.settings}
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO shops ({', '.join(values)}) VALUES ({places})",  # noqa: S608 - names checked above
            *values.values(),
        )
        services = [(new_service_id(), shop_id, s.name, s.price, s.duration_minutes) for s in shop.services]
        await connection.executemany(
            "INSERT INTO services (service_id, shop_id, name, price, duration_minutes, created_at)"
            " VALUES ($1, $2, $3, $4, $5, clock_timestamp())",
            services,
        )
        barbers = [(new_barber_id(), shop_id, name) for name in shop.barbers]
        await connection.executemany(
            "INSERT INTO barbers (barber_id, shop_id, name, created_at) VALUES ($1, $2, $3, clock_timestamp())",
            barbers,
        )
        await connection.executemany(
            "INSERT INTO barber_services (barber_id, service_id) VALUES ($1, $2)",
            [(barber[0], service[0]) for barber in barbers for service in services],
        )
        await open_watermark(connection, keys, shop_id)
    return shop_id
