"""Shops, barbers and services as the engine and the doors read them: whole shops, kept while they do not change."""

import asyncio
import time
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
from asyncpg import Pool

from barberpro.protocol.currencies import scaled
from barberpro.protocol.states import Service as ServiceTold
from barberpro.storage.postgres import Away
from barberpro.storage.together import Together
from barberpro.storage.zones import offsets_about, zone_of
from barberpro.tasks import end


@dataclass(frozen=True)
class Service:
    service_id: str
    name: str
    price: Decimal
    duration_minutes: int

    @cached_property
    def wire(self) -> ServiceTold:
        """As it stands in a booking: what was agreed, whatever the shop asks later."""
        return {
            "serviceId": self.service_id,
            "name": self.name,
            "price": str(self.price),
            "durationMinutes": self.duration_minutes,
        }


@dataclass(frozen=True, slots=True)
class Barber:
    barber_id: str
    shop_id: str
    name: str
    services: dict[str, Service]
    photo_url: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop has set for its lines and its appointments.

    slot_minutes: from one bookable time to the next. change_notice_minutes: a customer may move or cancel an
    appointment until so long before it.
    """

    queue_capacity: int
    grace_seconds: int
    grace_action: Literal["skip", "no_show"]
    max_skips: int
    late_seconds: int
    remote_join: bool
    closing_cutoff: bool
    slot_minutes: int
    change_notice_minutes: int


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with its barbers. `policy` is what the scripts need to know of it, as JSON.

    opening_hours: a week as domain/hours.py reads it; None: the shop has not told. owners: users who run it.
    read_on: the day; read anew on the next one, as the policy's table of offsets reaches only some days ahead.
    """

    shop_id: str
    name: str
    time_zone: str
    zone: ZoneInfo
    currency: str
    public_display: bool
    rules: Rules
    address_sealed: str | None
    latitude: float | None
    longitude: float | None
    opening_hours: dict[str, list[list[str]]] | None
    owners: frozenset[str]
    barbers: dict[str, Barber]
    policy: bytes
    revision: int
    read_on: date


_SHOP = """
    SELECT s.*, current_date AS today,
           ARRAY(SELECT o.user_id FROM shop_owners o WHERE o.shop_id = s.shop_id) AS owners
    FROM shops s WHERE s.shop_id = $1
"""
_REVISIONS = "SELECT shop_id, revision, current_date AS today FROM shops WHERE shop_id = ANY ($1::text[])"
_BARBERS = """
    SELECT b.barber_id, b.name, b.photo_url, s.service_id, s.name AS service_name,
           coalesce(o.price, s.price) AS price, coalesce(o.duration_minutes, s.duration_minutes) AS minutes
    FROM barbers b
    LEFT JOIN barber_services o USING (barber_id)
    LEFT JOIN services s ON s.service_id = o.service_id AND s.active
    WHERE b.shop_id = $1 AND b.active
    ORDER BY b.created_at, b.barber_id, s.created_at, s.service_id
"""


def _zone(name: str) -> tuple[ZoneInfo, tuple[tuple[int, int], ...]]:
    """The zone, and its offsets as the scripts take them. Blocking: it may have to be read from a file."""
    return zone_of(name), offsets_about(name)


class Catalogue:
    """Whole shops, kept while they do not change and are used: one query every few seconds asks for the revisions.

    Nobody waits for it where shops are asked for all the time, so commands keep the order in which they came. While
    Postgres is away, what was read last stands.
    """

    def __init__(
        self, pool: "Pool[Any]", max_backlog: int = 10_000, keep_seconds: float = 5.0, idle_seconds: float = 600.0
    ) -> None:
        """max_backlog: how many unconfirmed events a shard may hold before its scripts refuse.

        keep_seconds: how old may be what is known of a shop. idle_seconds: how long nobody asks for a shop until it is
        forgotten.
        """
        self._pool = pool
        self._max_backlog = max_backlog
        self._keep = keep_seconds
        self._idle = idle_seconds
        self._shops: dict[str, Shop] = {}
        self._used: dict[str, float] = {}
        self._shop_of_barber: dict[str, str] = {}
        self._reads: Together[Shop | None] = Together()
        self._look_ups: Together[str | None] = Together()
        self._asked = time.monotonic()
        self._asking: asyncio.Task[None] | None = None

    async def shop(self, shop_id: str) -> Shop | None:
        """Raises what storage.postgres.Away lists, when the shop was never read."""
        age = time.monotonic() - self._asked
        if age > self._keep / 2:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask_revisions())
            if age > self._keep:
                await asyncio.shield(self._asking)
        kept = self._shops.get(shop_id)
        if kept is not None:
            self._used[shop_id] = time.monotonic()
            return kept
        shop = await self._reads(shop_id, self._read)
        if shop is not None:
            self._keep_newest(shop)
        return shop

    def _keep_newest(self, shop: Shop) -> None:
        """A reading that began before the shop was forgotten may end after the one that began then."""
        kept = self._shops.get(shop.shop_id)
        if kept is None or kept.revision <= shop.revision:
            self._shops[shop.shop_id] = shop
            self._used[shop.shop_id] = time.monotonic()
            self._shop_of_barber.update(dict.fromkeys(shop.barbers, shop.shop_id))

    async def barber(self, barber_id: str) -> Barber | None:
        shop_id = self._shop_of_barber.get(barber_id)
        if shop_id is None:
            shop_id = await self._look_ups(barber_id, self._look_up)
        shop = await self.shop(shop_id) if shop_id is not None else None
        return shop.barbers.get(barber_id) if shop is not None else None

    async def _look_up(self, barber_id: str) -> str | None:
        shop_id: str | None = await self._pool.fetchval("SELECT shop_id FROM barbers WHERE barber_id = $1", barber_id)
        return shop_id

    def forget(self, shop_id: str) -> None:
        """Reads the shop anew when it is next asked for: for who has just changed it, and shows what became of it."""
        self._reads.renew(shop_id)
        shop = self._shops.get(shop_id)
        if shop is not None:
            self._forget(shop)

    async def close(self) -> None:
        await end([self._asking])

    async def _ask_revisions(self) -> None:
        """Lets go of what has changed, and of what nobody uses."""
        try:
            rows = await self._pool.fetch(_REVISIONS, list(self._shops), timeout=1.0)
            present = {row["shop_id"]: (row["revision"], row["today"]) for row in rows}
            idle = time.monotonic() - self._idle
            for shop_id, shop in list(self._shops.items()):
                if present.get(shop_id) != (shop.revision, shop.read_on) or self._used[shop_id] < idle:
                    self._forget(shop)
        except Away:
            pass  # what was read last stands; asked again after the usual time
        finally:
            self._asked = time.monotonic()
            self._asking = None

    def _forget(self, shop: Shop) -> None:
        del self._shops[shop.shop_id], self._used[shop.shop_id]
        for barber_id in shop.barbers:
            if self._shop_of_barber.get(barber_id) == shop.shop_id:
                del self._shop_of_barber[barber_id]

    async def _read(self, shop_id: str) -> Shop | None:
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(_SHOP, shop_id)
            if row is None:
                return None
            offers = await connection.fetch(_BARBERS, shop_id)
        zone, offsets = await asyncio.to_thread(_zone, row["time_zone"])
        barbers: dict[str, Barber] = {}
        for offer in offers:
            barber_id = offer["barber_id"]
            barber = barbers.setdefault(barber_id, Barber(barber_id, shop_id, offer["name"], {}, offer["photo_url"]))
            if offer["service_id"] is not None:
                price = scaled(offer["price"], row["currency"])
                barber.services[offer["service_id"]] = Service(
                    offer["service_id"], offer["service_name"], price, offer["minutes"]
                )
        return Shop(
            shop_id=shop_id,
            name=row["name"],
            time_zone=row["time_zone"],
            zone=zone,
            currency=row["currency"],
            public_display=row["public_display"],
            rules=Rules(**{rule.name: row[rule.name] for rule in fields(Rules)}),
            address_sealed=row["address_sealed"],
            latitude=row["latitude"],
            longitude=row["longitude"],
            opening_hours=orjson.loads(row["opening_hours"]) if row["opening_hours"] is not None else None,
            owners=frozenset(row["owners"]),
            barbers=barbers,
            policy=self._policy(row, offsets),
            revision=row["revision"],
            read_on=row["today"],
        )

    def _policy(self, row: Any, zone: tuple[tuple[int, int], ...]) -> bytes:  # noqa: ANN401 - asyncpg's Record
        return orjson.dumps(
            {
                "capacity": row["queue_capacity"],
                "graceMs": row["grace_seconds"] * 1000,
                "graceAction": row["grace_action"],
                "maxSkips": row["max_skips"],
                "lateMs": row["late_seconds"] * 1000,
                "noticeMs": row["change_notice_minutes"] * 60_000,
                "remoteJoin": row["remote_join"],
                "maxBacklog": self._max_backlog,
                "zone": zone,
            }
        )
