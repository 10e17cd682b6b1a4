"""What a shop offers, as Postgres holds it: services, and how each barber offers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

# Every service with every barber of the shop: who does not offer it has no row in barber_services.
_MENU: Final = """
    SELECT s.service_id, s.name, s.price, s.duration_minutes, s.active, b.barber_id,
           o.barber_id IS NOT NULL AS offered, o.price AS own_price, o.duration_minutes AS own_minutes
    FROM services s
    LEFT JOIN barbers b ON b.shop_id = s.shop_id AND b.active
    LEFT JOIN barber_services o ON o.barber_id = b.barber_id AND o.service_id = s.service_id
    WHERE s.shop_id = $1 AND ($2::text IS NULL OR s.service_id = $2)
    ORDER BY s.created_at, s.service_id, b.created_at, b.barber_id
"""
_ADD: Final = """
    INSERT INTO services (service_id, shop_id, name, price, duration_minutes, request_digest, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (service_id) DO NOTHING
"""
_OFFERED_BY_ALL: Final = """
    INSERT INTO barber_services (barber_id, service_id)
    SELECT barber_id, $2 FROM barbers WHERE shop_id = $1 AND active
"""
_CHANGE: Final = """
    UPDATE services SET name = $3, price = $4, duration_minutes = $5, active = $6
    WHERE shop_id = $1 AND service_id = $2
"""
_OFFER: Final = """
    INSERT INTO barber_services (barber_id, service_id, price, duration_minutes) VALUES ($1, $2, $3, $4)
    ON CONFLICT (barber_id, service_id) DO UPDATE
        SET price = excluded.price, duration_minutes = excluded.duration_minutes
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """How a barber offers a service. price, duration_minutes: None where they are the shop's."""

    barber_id: str
    offered: bool
    price: Decimal | None
    duration_minutes: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A service of the shop, with each barber's offer."""

    service_id: str
    name: str
    price: Decimal
    duration_minutes: int
    active: bool
    offers: list[Offer] = field(default_factory=list)


async def menu_of(connection: "AnyConnection | Pool[Any]", shop_id: str, service_id: str | None = None) -> list[Listed]:
    """All services of the shop, those that are switched off among them; or one of them, or none."""
    found: dict[str, Listed] = {}
    for row in await connection.fetch(_MENU, shop_id, service_id):
        listed = found.setdefault(row["service_id"], _listed(row))
        if row["barber_id"] is not None:
            listed.offers.append(Offer(row["barber_id"], row["offered"], row["own_price"], row["own_minutes"]))
    return list(found.values())


async def count_services(connection: AnyConnection, shop_id: str) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM services WHERE shop_id = $1", shop_id))


async def add_service(connection: AnyConnection, shop_id: str, listed: Listed, digest: str | None) -> bool:
    """All barbers of the shop offer it. False, and nothing done, when it is there."""
    if not await insert_service(connection, shop_id, listed, digest):
        return False
    await connection.execute(_OFFERED_BY_ALL, shop_id, listed.service_id)
    return True


async def insert_service(connection: AnyConnection, shop_id: str, listed: Listed, digest: str | None = None) -> bool:
    """Nobody offers it yet; it is active. False, and nothing done, when it is there.

    digest: of the request, when it may be repeated.
    """
    values = (listed.service_id, shop_id, listed.name, listed.price, listed.duration_minutes, digest)
    return bool(await connection.execute(_ADD, *values) == "INSERT 0 1")


async def service_made_with(connection: AnyConnection, service_id: str) -> str | None:
    """The digest of the request that made the service."""
    digest: str | None = await connection.fetchval(
        "SELECT request_digest FROM services WHERE service_id = $1", service_id
    )
    return digest


async def change_service(connection: AnyConnection, shop_id: str, listed: Listed) -> None:
    """As it stands in `listed` now; its offers aside."""
    await connection.execute(
        _CHANGE, shop_id, listed.service_id, listed.name, listed.price, listed.duration_minutes, listed.active
    )


async def set_offer(connection: AnyConnection, service_id: str, offer: Offer) -> None:
    """Of a barber and a service of one shop."""
    if offer.offered:
        await connection.execute(_OFFER, offer.barber_id, service_id, offer.price, offer.duration_minutes)
    else:
        await connection.execute(
            "DELETE FROM barber_services WHERE barber_id = $1 AND service_id = $2", offer.barber_id, service_id
        )


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(row["service_id"], row["name"], row["price"], row["duration_minutes"], row["active"])
