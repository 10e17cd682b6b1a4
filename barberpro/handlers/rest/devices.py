"""Displays and kiosks: paired, listed and revoked."""

from aiohttp import web

from barberpro.domain import devices
from barberpro.domain.policy import Action
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.lookup import shop_for
from barberpro.handlers.rest.parsing import body, no_fields, validated
from barberpro.handlers.rest.replies import Answer, Endpoint, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.access import AskPairing, DeviceKind, FetchDeviceToken, Pair
from barberpro.protocol.errors import not_found


async def ask(request: web.Request) -> Answer:
    """POST /devices: a new device asks for a code to show."""
    asked = validated(AskPairing, await body(request))
    return Answer(await devices.ask(request.app[SERVICES].pool, asked.kind), 201)


async def token(request: web.Request) -> Answer:
    """POST /devices/token: the device asks, with its secret, for its token; again before that one ends."""
    asked = validated(FetchDeviceToken, await body(request))
    services = request.app[SERVICES]
    return Answer(await devices.token_of(services.pool, services.tokens, asked.secret))


def pair(kind: DeviceKind) -> Endpoint:
    """POST /shops/{shopId}/displays/pair and .../kiosks/pair: staff enter the code that a device of the kind shows."""

    async def pair_one(request: web.Request) -> Answer:
        """Staff enter the code that the device shows."""
        shop = await shop_for(request, Action.PAIR_DEVICE)
        asked = validated(Pair, await body(request))
        pool, actor = request.app[SERVICES].pool, identity(request).actor
        return Answer(await devices.pair(pool, actor, shop.shop_id, kind, asked.code, asked.name, via_of(request)))

    return pair_one


async def show_all(request: web.Request) -> Page:
    """GET /shops/{shopId}/devices."""
    shop = await shop_for(request, Action.SEE_DEVICES)
    return Page(list(await devices.of_shop(request.app[SERVICES].pool, shop.shop_id)))


async def revoke(request: web.Request) -> Answer:
    """DELETE /shops/{shopId}/devices/{deviceId}."""
    shop = await shop_for(request, Action.REVOKE_DEVICE)
    device_id = request.match_info["deviceId"]
    if not is_id(device_id):
        raise not_found("device")
    await no_fields(request)
    pool, actor = request.app[SERVICES].pool, identity(request).actor
    await devices.revoke_device(pool, actor, shop.shop_id, device_id, via_of(request))
    return Answer({})
