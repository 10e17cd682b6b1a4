"""What a shop offers: services, and each barber's own prices and minutes of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.replays import digest_of, need_same
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.currencies import need_decimals
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_service_id
from barberpro.protocol.shops import ChangeOffer, ChangeService, CreateService
from barberpro.storage.audit import note
from barberpro.storage.catalogue import Shop
from barberpro.storage.menu import (
    Listed,
    Offer,
    add_service,
    change_service,
    count_services,
    menu_of,
    service_made_with,
    set_offer,
)
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.shops import lock_shop

Json = dict[str, Any]

_MOST: Final = 200
"""Services of a shop: they are read as a whole."""


async def create(
    pool: "Pool[Any]", actor: Actor, shop: Shop, wanted: CreateService, key: str | None, via: Via
) -> tuple[Listed, bool]:
    """The service, which all barbers of the shop offer, and whether it is new: with the same Idempotency-Key it was
    made before. Raises BAD_REQUEST for decimals that the currency does not have, INVALID_TRANSITION for one too many,
    IDEMPOTENCY_MISMATCH.
    """
    price = _price(wanted.price, shop.currency)
    service_id = new_service_id((shop.shop_id, actor.id, key) if key is not None else None)
    new = Listed(service_id, wanted.name, price, wanted.duration_minutes, active=True)
    digest = digest_of(actor, wanted.model_dump(mode="json", exclude_unset=True)) if key is not None else None
    async with pool.acquire() as connection, connection.transaction():
        await lock_shop(connection, shop.shop_id)
        made = await add_service(connection, shop.shop_id, new, digest)
        if not made:
            need_same(await service_made_with(connection, service_id) or digest, digest)  # as of a shop
        if made and await count_services(connection, shop.shop_id) > _MOST:
            raise BarberProError(ErrorCode.INVALID_TRANSITION, f"A shop has {_MOST} services at most.")
        listed = await _found(connection, shop.shop_id, service_id)
        if made:
            await note(
                connection, actor, "service.created", "service", service_id,
                after=_noted(listed), via=via, shop_id=shop.shop_id,
            )  # fmt: skip
    return listed, made


async def change(
    pool: "Pool[Any]", actor: Actor, shop: Shop, service_id: str, wanted: ChangeService, via: Via
) -> Listed:
    """What was booked stays as it was agreed. Raises NOT_FOUND, and BAD_REQUEST as `create` does."""
    given: Json = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    if "price" in given:
        given["price"] = _price(wanted.price, shop.currency)
    async with pool.acquire() as connection, connection.transaction():
        await lock_shop(connection, shop.shop_id)
        present = await _found(connection, shop.shop_id, service_id)
        changed = replace(present, **given)
        if changed != present:
            await change_service(connection, shop.shop_id, changed)
            await note(
                connection, actor, "service.changed", "service", service_id,
                before=_noted(present), after=_noted(changed), via=via, shop_id=shop.shop_id,
            )  # fmt: skip
    return changed


async def offer(
    pool: "Pool[Any]", actor: Actor, shop: Shop, barber_id: str, service_id: str, wanted: ChangeOffer, via: Via
) -> Offer:
    """How the barber offers the service from now on. Raises NOT_FOUND, and BAD_REQUEST as `create` does."""
    price = _price(wanted.price, shop.currency) if wanted.price is not None and wanted.offered else None
    minutes = wanted.duration_minutes if wanted.offered else None
    changed = Offer(barber_id, wanted.offered, price, minutes)
    async with pool.acquire() as connection, connection.transaction():
        await lock_shop(connection, shop.shop_id)
        listed = await _found(connection, shop.shop_id, service_id)
        present = next((each for each in listed.offers if each.barber_id == barber_id), None)
        if present is None:
            raise not_found("barber")
        if changed != present:
            await set_offer(connection, service_id, changed)
            await note(
                connection, actor, "offer.changed", "service", service_id,
                before=_offered(present), after=_offered(changed), via=via, shop_id=shop.shop_id,
            )  # fmt: skip
    return changed


def _price(text: str, currency: str) -> Decimal:
    need_decimals("price", text, currency)
    return Decimal(text)


async def _found(connection: AnyConnection, shop_id: str, service_id: str) -> Listed:
    found = await menu_of(connection, shop_id, service_id)
    if not found:
        raise not_found("service")
    return found[0]


def _noted(listed: Listed) -> Json:
    return {
        "serviceName": listed.name,
        "price": str(listed.price),
        "durationMinutes": listed.duration_minutes,
        "active": listed.active,
    }


def _offered(told: Offer) -> Json:
    price = str(told.price) if told.price is not None else None
    return {
        "barberId": told.barber_id,
        "offered": told.offered,
        "price": price,
        "durationMinutes": told.duration_minutes,
    }
