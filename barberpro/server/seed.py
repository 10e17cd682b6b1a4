"""`barberpro seed`: a shop to try things with."""

from decimal import Decimal
from typing import Any

from asyncpg import Pool

from barberpro.protocol.actors import Role
from barberpro.protocol.ids import new_user_id
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.keys import Keys
from barberpro.storage.shops import NewService, NewShop, create_shop
from barberpro.storage.staff import add_owner
from barberpro.storage.users import add_user, set_role

_SERVICES = (
    NewService("Haircut", Decimal("250.00"), 25),
    NewService("Beard trim", Decimal("120.00"), 15),
    NewService("Haircut and beard", Decimal("340.00"), 35),
    NewService("Children's haircut", Decimal("180.00"), 20),
)


def demo_shop(name: str = "Corner Barbers", time_zone: str = "Asia/Kolkata") -> NewShop:
    """Three barbers, four services, and a grace that suits a shop's day."""
    return NewShop(name, time_zone, "INR", ("Asha", "Ben", "Carlos"), _SERVICES, {"grace_seconds": 300})


async def seed(pool: "Pool[Any]", keys: Keys, shop: NewShop) -> dict[str, Any]:
    """Creates the shop, which its first barber runs; returns `describe_shop`, and the owner's account as ownerId."""
    document = await describe_shop(pool, await create_shop(pool, keys, shop))
    owner_id, first, shop_id = new_user_id(), document["barbers"][0], document["shopId"]
    async with pool.acquire() as connection, connection.transaction():
        await add_user(connection, owner_id, Role.BARBER.value, first["name"], "en", None, [])
        await set_role(connection, owner_id, Role.BARBER.value, first["barberId"], [shop_id])
        await add_owner(connection, shop_id, owner_id)
    return {**document, "ownerId": owner_id}


async def describe_shop(pool: "Pool[Any]", shop_id: str) -> dict[str, Any]:
    """{shopId, barbers: [{barberId, name, services: [...]}]}: what `barberpro simulate` takes."""
    read = await Catalogue(pool).shop(shop_id)
    assert read is not None  # noqa: S101 - the caller knows that it exists
    return {
        "shopId": shop_id,
        "barbers": [
            {
                "barberId": barber.barber_id,
                "name": barber.name,
                "services": [service.wire for service in barber.services.values()],
            }
            for barber in read.barbers.values()
        ],
    }
