"""Writing the catalogue: shops, barbers, services."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson
from asyncpg import InvalidParameterValueError, Pool

from barberpro.protocol.ids import new_barber_id, new_service_id, new_shop_id
from barberpro.storage.deployment import open_watermark
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.zones import UnknownZoneError, check_zone


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


COLUMNS: Final = _SETTINGS | {
    "name", "time_zone", "currency", "address_sealed", "latitude", "longitude", "opening_hours", "remote_join",
    "closing_cutoff",
}  # fmt: skip
"""What is told of a shop when it is made, and may be changed later; opening_hours as JSON."""


async def create_shop(pool: "Pool[Any]", keys: Keys, shop: NewShop) -> str:
    """Writes the shop in one transaction; returns its id. Raises UnknownZoneError, or ValueError for a setting."""
    unknown = set(shop.settings) - _SETTINGS
    if unknown:
        raise ValueError(f"unknown settings of a shop: {', '.join(sorted(unknown))}")
    await need_zone(pool, shop.time_zone)
    shop_id = new_shop_id()
    columns = {"name": shop.name, "time_zone": shop.time_zone, "currency": shop.currency}
    async with pool.acquire() as connection, connection.transaction():
        await insert_shop(connection, keys, shop_id, {**columns, **shop.settings})
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
    return shop_id


async def need_zone(pool: "Pool[Any]", name: str) -> None:
    """Raises UnknownZoneError unless it is a zone to us and to Postgres, which has a database of its own.

    Searches ask Postgres what the clock of each shop shows: with one that it cannot read, all of them would fail.
    """
    await asyncio.to_thread(check_zone, name)
    try:
        await pool.execute("SELECT now() AT TIME ZONE $1", name)
    except InvalidParameterValueError:
        raise UnknownZoneError(f"time zone is {name!r}: Postgres does not know it") from None


async def insert_shop(
    connection: AnyConnection, keys: Keys, shop_id: str, columns: Mapping[str, Any], digest: str | None = None
) -> bool:
    """Makes a shop, in the caller's transaction. columns: of COLUMNS; False, and nothing done, when it is there.

    digest: of the request, when it may be repeated.
    """
    values = {"shop_id": shop_id, "request_digest": digest, **_known(columns)}
    done = await connection.execute(
        f"INSERT INTO shops ({', '.join(values)})"  # noqa: S608 - names checked above
        f" VALUES ({', '.join(f'${n}' for n in range(1, len(values) + 1))}) ON CONFLICT (shop_id) DO NOTHING",
        *values.values(),
    )
    if done == "INSERT 0 0":
        return False
    await open_watermark(connection, keys, shop_id)
    return True


async def shop_made_with(connection: AnyConnection, shop_id: str) -> str | None:
    """The digest of the request that made the shop."""
    digest: str | None = await connection.fetchval("SELECT request_digest FROM shops WHERE shop_id = $1", shop_id)
    return digest


async def lock_shop(connection: AnyConnection, shop_id: str) -> Mapping[str, Any] | None:
    """The shop's row, by COLUMNS; nobody else changes it, its people or its services until the transaction ends."""
    row: Mapping[str, Any] | None = await connection.fetchrow(
        "SELECT * FROM shops WHERE shop_id = $1 FOR NO KEY UPDATE", shop_id
    )
    return row


async def update_shop(connection: AnyConnection, shop_id: str, columns: Mapping[str, Any]) -> None:
    """columns: of COLUMNS, at least one."""
    values = _known(columns)
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, 2))
    await connection.execute(
        f"UPDATE shops SET {changes} WHERE shop_id = $1",  # noqa: S608 - names checked above
        shop_id,
        *values.values(),
    )


def _known(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError for what is no column of COLUMNS: the names become part of statements."""
    unknown = columns.keys() - COLUMNS
    if unknown:
        raise ValueError(f"unknown columns of a shop: {', '.join(sorted(unknown))}")
    hours = columns.get("opening_hours")
    return {**columns, **({"opening_hours": orjson.dumps(hours).decode()} if hours is not None else {})}
