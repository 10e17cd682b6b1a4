"""Finding what a request is about, for whoever may know of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from barberpro.domain.policy import Action, Relation, allowed, require
from barberpro.domain.relations import to_booking, to_shop
from barberpro.handlers.rest.context import actor_if_any, identity
from barberpro.handlers.rest.parsing import path_booking, path_shop
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.actors import Actor
from barberpro.protocol.errors import bad_field, not_found
from barberpro.queue.fold import ShopState
from barberpro.storage.bookings import StoredBooking, find_booking, read_shop
from barberpro.storage.catalogue import Shop

Json = dict[str, Any]
_PATIENCE_SECONDS: Final = 5.0
Relate = Callable[[Actor | None, Shop], Relation]


@dataclass(frozen=True, slots=True)
class Found:
    """A booking, for somebody who may see it.

    booking, born: as in events. state: its shop, when the booking is live or skipped today; else None.
    staff: whether they see it as staff. ended: the row of one that never changes again.
    """

    shop: Shop
    booking: Json
    born: Json
    state: ShopState | None
    staff: bool
    ended: StoredBooking | None = None


async def view_of(services: Services, shop_id: str) -> ShopState:
    """The view of an existing shop. Raises what storage.postgres.Away lists, when it is not loaded yet."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return await services.views.shop(shop_id)


async def visible_booking(request: web.Request) -> Found:
    """The booking that the path names, with its newest durable state.

    A live one is read from the view, so it can be seen while Postgres is away.
    Raises UNAUTHORIZED; NOT_FOUND when there is none, or it is not the caller's to know of.
    """
    booking_id, shop_id = path_booking(request)
    return await booking_for(request.app[SERVICES], identity(request).actor, booking_id, shop_id)


async def booking_for(services: Services, actor: Actor, booking_id: str, shop_id: str) -> Found:
    """As `visible_booking`, for this actor. shop_id: the one that the booking's id names."""
    shop = await services.catalogue.shop(shop_id)
    found = await _read(services, shop, booking_id, actor) if shop is not None else None
    if found is None:
        raise not_found("booking")
    relation = to_booking(actor, found.shop, booking_id, found.booking.get("customerId"))
    require(actor, Action.SEE_BOOKING, relation, "booking")
    return found


async def shop_for(request: web.Request, action: Action, relate: Relate = to_shop) -> Shop:
    """The shop that the path names, for whoever may do this there. relate: how they have to stand to it.

    Raises UNAUTHORIZED, FORBIDDEN; NOT_FOUND when there is none, or it is not the caller's.
    """
    shop = await request.app[SERVICES].catalogue.shop(path_shop(request))
    if shop is None:
        raise not_found("shop")
    actor = actor_if_any(request)
    require(actor, action, relate(actor, shop), "shop")
    return shop


async def shop_asked_for(request: web.Request, shop_id: str | None, action: Action) -> Shop:
    """The shop with this id, or without one the only shop where the caller works, for whoever may do this there.

    Raises BAD_REQUEST for whoever has to say which, UNAUTHORIZED, FORBIDDEN, NOT_FOUND.
    """
    services, actor = request.app[SERVICES], identity(request).actor
    shop = await services.catalogue.shop(shop_id or await _only_shop(services, actor))
    if shop is None:
        raise not_found("shop")
    require(actor, action, to_shop(actor, shop), "shop")
    return shop


async def _only_shop(services: Services, actor: Actor) -> str:
    barber = await services.catalogue.barber(actor.barber_id) if actor.barber_id is not None else None
    shops = actor.shop_ids | ({barber.shop_id} if barber is not None else set())
    if len(shops) != 1:
        raise bad_field("shopId", "is missing: say which shop's")
    return next(iter(shops))


async def _read(services: Services, shop: Shop, booking_id: str, actor: Actor) -> Found | None:
    staff = allowed(actor, Action.SEE_QUEUE_FULL, to_shop(actor, shop))
    view = await view_of(services, shop.shop_id)
    if booking_id in view.bookings and booking_id in view.born:
        return Found(shop, view.bookings[booking_id], view.born[booking_id], view, staff)
    stored = await find_booking(services.pool, booking_id)
    if stored is None:
        return None
    if stored.state["status"] in {"completed", "cancelled"}:
        return Found(shop, stored.state, stored.born, None, staff, stored)
    # Another node has just made it, and this one's view is a moment behind; or it was skipped on an earlier day.
    fresh = ShopState.of_snapshot(await read_shop(services.pool, shop.shop_id))
    live = fresh.bookings.get(booking_id)
    return Found(shop, live or stored.state, stored.born, fresh if live else None, staff)
