"""What a shop offers: its services, and how each barber offers them."""

from aiohttp import web

from barberpro.domain import menu
from barberpro.domain.policy import Action
from barberpro.domain.relations import to_offers, to_running
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.lookup import shop_for
from barberpro.handlers.rest.parsing import body, command_id, path_id, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.currencies import written
from barberpro.protocol.shops import ChangeOffer, ChangeService, CreateService, OfferTold, ServiceTold
from barberpro.storage.menu import Listed, Offer, menu_of


async def show(request: web.Request) -> Page:
    """GET /shops/{shopId}/services: all of them, those that are switched off among them, with every barber's offer."""
    shop = await shop_for(request, Action.SEE_MENU)
    listed = await menu_of(request.app[SERVICES].pool, shop.shop_id)
    return Page([_told(each, shop.currency) for each in listed])


async def create(request: web.Request) -> Answer:
    """POST /shops/{shopId}/services: all barbers of the shop offer it."""
    shop = await shop_for(request, Action.CHANGE_MENU, to_running)
    wanted = validated(CreateService, await body(request))
    services, actor, key = request.app[SERVICES], identity(request).actor, command_id(request)
    listed, made = await menu.create(services.pool, actor, shop, wanted, key, via_of(request))
    services.catalogue.forget(shop.shop_id)
    return Answer(_told(listed, shop.currency), 201 if made else 200)


async def change(request: web.Request) -> Answer:
    """PATCH /shops/{shopId}/services/{serviceId}."""
    shop = await shop_for(request, Action.CHANGE_MENU, to_running)
    service_id = path_id(request, "serviceId", "service")
    wanted = validated(ChangeService, await body(request))
    services, actor = request.app[SERVICES], identity(request).actor
    listed = await menu.change(services.pool, actor, shop, service_id, wanted, via_of(request))
    services.catalogue.forget(shop.shop_id)
    return Answer(_told(listed, shop.currency))


async def offer(request: web.Request) -> Answer:
    """PUT /shops/{shopId}/barbers/{barberId}/services/{serviceId}: by who runs the shop, or the barber."""
    barber_id = path_id(request, "barberId", "barber")
    shop = await shop_for(request, Action.CHANGE_OFFER, lambda actor, shop: to_offers(actor, shop, barber_id))
    service_id = path_id(request, "serviceId", "service")
    wanted = validated(ChangeOffer, await body(request))
    services, actor, via = request.app[SERVICES], identity(request).actor, via_of(request)
    offered = await menu.offer(services.pool, actor, shop, barber_id, service_id, wanted, via)
    services.catalogue.forget(shop.shop_id)
    return Answer(_offer_told(service_id, offered, shop.currency))


def _told(listed: Listed, currency: str) -> ServiceTold:
    return {
        "serviceId": listed.service_id,
        "name": listed.name,
        "price": written(listed.price, currency),
        "durationMinutes": listed.duration_minutes,
        "active": listed.active,
        "offers": [_offer_told(listed.service_id, each, currency) for each in listed.offers],
    }


def _offer_told(service_id: str, told: Offer, currency: str) -> OfferTold:
    return {
        "barberId": told.barber_id,
        "serviceId": service_id,
        "offered": told.offered,
        "price": written(told.price, currency) if told.price is not None else None,
        "durationMinutes": told.duration_minutes,
    }
