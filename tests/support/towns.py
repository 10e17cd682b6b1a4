"""A town of barbers to search in, and everything that is true of them. Holds no tests itself."""

import itertools
import math
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import orjson

from barberpro.domain.find import Find
from barberpro.protocol.actors import SYSTEM
from barberpro.server.node import Node
from barberpro.server.search_index import SearchIndex
from barberpro.storage.cache import Cache
from barberpro.storage.shops import NewService, NewShop, create_shop
from tests.support.shops import Json, customer, send

MIDDLE: Final = (12.9716, 77.5946)
_ZONES: Final = ("Asia/Kolkata", "Europe/Berlin", "America/New_York")
_PEOPLE: Final = (
    "Rajesh Kumar", "राजेश", "Sandeep", "Sandip Rao", "Lakshmi", "Laxmi Devi", "José Núñez", "Łukasz", "Zoë", "Ravi",
    "Ravindra", "Venkatesh", "Mohammed Ali", "Anil", "சுரேஷ்", "Suresh", "Priya", "D'Souza",
)  # fmt: skip
_SHOPS: Final = ("Corner Barbers", "Sharp Cuts", "Salon Müller", "The Royal Shave", "Nai Ki Dukan", "Cut & Go")
_SERVICES: Final = ("Haircut", "Hair cut", "Beard trim", "Shave", "Colour", "Children's haircut")
_HOURS: Final[tuple[Json | None, ...]] = (
    None,
    {},
    {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    {day: [["09:00", "13:00"], ["14:00", "18:30"]] for day in ("mon", "tue", "wed", "thu", "fri")},
)


@dataclass(frozen=True, slots=True)
class Townsman:
    """A barber. place: (latitude, longitude). rated: stars by rating."""

    barber_id: str
    shop_id: str
    name: str
    shop: str
    services: tuple[str, ...]
    place: tuple[float, float] | None
    hours: Json | None
    zone: str
    rated: tuple[int, ...]


def find_of(node: Node, prefix: str) -> Find:
    """As the server wires it."""
    return Find(node.pool, Cache(node.redis, prefix, "find"), SearchIndex(node.pool).refresh)


async def town(node: Node, shops: int = 24, seed: int = 7) -> list[Townsman]:
    """Shops of two barbers within some twenty kilometres; more than half of the lines are at work."""
    builders = _Builders(node, random.Random(seed))  # noqa: S311 - a town is no secret
    return [person for _ in range(shops) for person in await builders.shop()]


class _Builders:
    def __init__(self, node: Node, dice: random.Random) -> None:
        self._node = node
        self._dice = dice
        self._customers = itertools.count(1000)

    async def shop(self) -> list[Townsman]:
        node, dice = self._node, self._dice
        offered = tuple(dice.sample(_SERVICES, dice.randint(1, 3)))
        services = tuple(NewService(name, Decimal("250.00"), dice.choice((10, 20, 45))) for name in offered)
        names = (dice.choice(_PEOPLE), dice.choice(_PEOPLE))
        new = NewShop(dice.choice(_SHOPS), dice.choice(_ZONES), "INR", names, services)
        shop_id = await create_shop(node.pool, node.keys, new)
        place = None if dice.random() < 0.1 else (MIDDLE[0] + dice.gauss(0, 0.08), MIDDLE[1] + dice.gauss(0, 0.08))
        hours = dice.choice(_HOURS)
        await put_place(node, shop_id, place, hours)
        found = await node.catalogue.shop(shop_id)
        assert found is not None
        people = [
            Townsman(each.barber_id, shop_id, each.name, new.name, offered, place, hours, new.time_zone, self._rated())
            for each in found.barbers.values()
        ]
        for person in people:
            await self._work(person.barber_id, next(iter(found.barbers[person.barber_id].services)))
            await give_ratings(node, person)
        return people

    def _rated(self) -> tuple[int, ...]:
        return tuple(self._dice.choices((1, 2, 3, 4, 5), k=self._dice.choice((0, 0, 1, 4))))

    async def _work(self, barber_id: str, service_id: str) -> None:
        """Opens the line, has some join it, and serves one, or not."""
        dice, line = self._dice, {"barberId": barber_id}
        if dice.random() < 0.3:
            return
        await send(self._node, SYSTEM, type="open", **line)
        for _ in range(people := dice.randint(0, 3)):
            await send(self._node, customer(next(self._customers)), type="join", serviceIds=[service_id], **line)
        if people and dice.random() < 0.5:
            await send(self._node, SYSTEM, type="start", **line)
        if dice.random() < 0.2:
            await send(self._node, SYSTEM, type="pause", **line)


async def put_place(node: Node, shop_id: str, place: tuple[float, float] | None, hours: Json | None) -> None:
    await node.pool.execute(
        "UPDATE shops SET latitude = $2, longitude = $3, opening_hours = $4::text::jsonb WHERE shop_id = $1",
        shop_id, *(place or (None, None)), orjson.dumps(hours).decode() if hours is not None else None,
    )  # fmt: skip


async def give_ratings(node: Node, person: Townsman) -> None:
    """As sums, without the visits."""
    if person.rated:
        await node.pool.execute(
            "INSERT INTO barber_ratings (barber_id, count, stars) VALUES ($1, $2, $3)",
            person.barber_id, len(person.rated), sum(person.rated),
        )  # fmt: skip


def kilometres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The haversine formula, on a sphere of the earth's mean radius."""
    lat1, lng1, lat2, lng2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))
