"""Shops: shown to everybody, made and changed by those who run them."""

from datetime import UTC, datetime

from aiohttp import web

from barberpro.domain import shops
from barberpro.domain.hours import closing, open_at
from barberpro.domain.policy import Action, Relation, require
from barberpro.domain.relations import to_running
from barberpro.handlers.closing import week_of
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.lookup import shop_for
from barberpro.handlers.rest.parsing import body, command_id, validated
from barberpro.handlers.rest.queues import shop_of_barber
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.errors import not_found
from barberpro.protocol.shops import BarberTold, ChangeBarber, ChangeShop, CreateShop, SettingsTold, ShopTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.catalogue import Barber, Shop
from barberpro.storage.sealing import Sealer


async def show(request: web.Request) -> Answer:
    """GET /shops/{shopId}."""
    return Answer(shop_told(await shop_for(request, Action.SEE_SHOP), _sealer(request)))


async def create(request: web.Request) -> Answer:
    """POST /shops: by a barber, who runs it from then on; or by an administrator."""
    wanted = validated(CreateShop, await body(request))
    services, actor, key = request.app[SERVICES], identity(request).actor, command_id(request)
    shop_id, made = await shops.create(
        services.pool, services.keys, _sealer(request), actor, wanted, key, via_of(request)
    )
    headers = {"Location": f"/api/v1/shops/{shop_id}"}
    return Answer(await _told(request, shop_id), 201 if made else 200, headers)


async def change(request: web.Request) -> Answer:
    """PATCH /shops/{shopId}. Every node knows of it within seconds."""
    shop = await shop_for(request, Action.CHANGE_SHOP, to_running)
    wanted = validated(ChangeShop, await body(request))
    pool, actor = request.app[SERVICES].pool, identity(request).actor
    await shops.change(pool, _sealer(request), actor, shop.shop_id, wanted, via_of(request))
    return Answer(await _told(request, shop.shop_id))


async def change_barber(request: web.Request) -> Answer:
    """PATCH /barbers/me: what a barber tells of themselves."""
    actor = identity(request).actor
    if actor.barber_id is None:
        raise not_found("barber")
    require(actor, Action.CHANGE_OWN_BARBER, Relation.OWNER, "barber")
    shop = await shop_of_barber(request, actor.barber_id)
    wanted = validated(ChangeBarber, await body(request))
    staff = request.app[ACCOUNTS].staff
    await staff.change_barber(actor, shop.shop_id, actor.barber_id, wanted, via_of(request))
    fresh = await fresh_shop(request, shop.shop_id)
    if actor.barber_id not in fresh.barbers:
        raise not_found("barber")
    return Answer(barber_told(fresh.barbers[actor.barber_id]))


async def fresh_shop(request: web.Request, shop_id: str) -> Shop:
    """For who has just changed it: as it is in Postgres. Raises NOT_FOUND."""
    catalogue = request.app[SERVICES].catalogue
    catalogue.forget(shop_id)
    shop = await catalogue.shop(shop_id)
    if shop is None:
        raise not_found("shop")
    return shop


def shop_told(shop: Shop, sealer: Sealer) -> ShopTold:
    week, zone, now = week_of(shop), shop.zone, datetime.now(UTC)
    closes = closing(week, zone, now) if week is not None else None
    return {
        "shopId": shop.shop_id,
        "name": shop.name,
        "timeZone": shop.time_zone,
        "currency": shop.currency,
        "address": sealer.unseal(shop.address_sealed) if shop.address_sealed is not None else None,
        "latitude": shop.latitude,
        "longitude": shop.longitude,
        "openingHours": week.document() if week is not None else None,
        "openNow": open_at(week, zone, now) if week is not None else None,
        "closesAt": rfc3339_of(closes) if closes is not None else None,
        "settings": _settings_told(shop),
        "barbers": [barber_told(barber) for barber in shop.barbers.values()],
    }


def barber_told(barber: Barber) -> BarberTold:
    return {
        "barberId": barber.barber_id,
        "shopId": barber.shop_id,
        "name": barber.name,
        "photoUrl": barber.photo_url,
        "services": [service.wire for service in barber.services.values()],
    }


def _settings_told(shop: Shop) -> SettingsTold:
    rules = shop.rules
    return {
        "queueCapacity": rules.queue_capacity,
        "remoteJoin": rules.remote_join,
        "graceMinutes": rules.grace_seconds / 60,
        "graceAction": rules.grace_action,
        "maxSkips": rules.max_skips,
        "lateMinutes": rules.late_seconds / 60,
        "publicDisplay": shop.public_display,
        "closingCutoff": rules.closing_cutoff,
        "slotMinutes": rules.slot_minutes,
        "changeNoticeMinutes": rules.change_notice_minutes,
    }


async def _told(request: web.Request, shop_id: str) -> ShopTold:
    return shop_told(await fresh_shop(request, shop_id), _sealer(request))


def _sealer(request: web.Request) -> Sealer:
    return request.app[ACCOUNTS].contacts.sealer
