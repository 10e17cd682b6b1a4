"""The code on the shop's door: shown, changed, and scanned."""

from aiohttp import web

from barberpro.domain import guests
from barberpro.domain.policy import Action
from barberpro.handlers.rest.booking_reads import on_the_ticket
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.lookup import booking_for, shop_for
from barberpro.handlers.rest.parsing import asked, body, command_id, no_fields, validated
from barberpro.handlers.rest.qr_codes import origin, picture
from barberpro.handlers.rest.replies import Answer, File
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.access import DoorShop, QrQuery, Scan, Scanned
from barberpro.protocol.bookings import Ticket
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import shop_of_booking
from barberpro.storage.catalogue import Shop


async def qr(request: web.Request) -> File:
    """GET /shops/{shopId}/qr: the address of the shop's join page as a picture, SVG or PNG."""
    shop = await shop_for(request, Action.SEE_QR)
    kind = asked(QrQuery, request).format
    told = await guests.present_code(request.app[SERVICES].pool, shop.shop_id, origin(request))
    # A quarter of it may be scratched or smeared, as happens to what hangs on a door.
    return picture(told["url"], kind, error="q")


async def show_code(request: web.Request) -> Answer:
    """GET /shops/{shopId}/join-code."""
    shop = await shop_for(request, Action.SEE_JOIN_CODE)
    return Answer(await guests.present_code(request.app[SERVICES].pool, shop.shop_id, origin(request)))


async def change_code(request: web.Request) -> Answer:
    """POST /shops/{shopId}/join-code: a new one, which takes the place of the last."""
    shop = await shop_for(request, Action.CHANGE_JOIN_CODE)
    await no_fields(request)
    pool = request.app[SERVICES].pool
    await guests.change_code(pool, identity(request).actor, shop.shop_id, via_of(request), command_id(request))
    return Answer(await guests.present_code(pool, shop.shop_id, origin(request)), 201)


async def withdraw_code(request: web.Request) -> Answer:
    """DELETE /shops/{shopId}/join-code: nobody joins as a guest any more."""
    shop = await shop_for(request, Action.CHANGE_JOIN_CODE)
    await no_fields(request)
    await guests.withdraw_code(request.app[SERVICES].pool, identity(request).actor, shop.shop_id, via_of(request))
    return Answer({})


async def scan(request: web.Request) -> Answer:
    """POST /shops/{shopId}/scan: what a phone needs to join; and its place, when it has one and kept its ticket."""
    told = validated(Scan, await body(request))
    services = request.app[SERVICES]
    shop = await shop_for(request, Action.SCAN)
    door = await guests.at_the_door(services.pool, services.tokens, shop.shop_id, told.code)
    scanned: Scanned = {"shop": _menu(shop), "door": door, "place": await _place(services, shop, told.ticket)}
    return Answer(scanned)


def _menu(shop: Shop) -> DoorShop:
    return {
        "shopId": shop.shop_id,
        "name": shop.name,
        "currency": shop.currency,
        "barbers": [
            {
                "barberId": barber.barber_id,
                "name": barber.name,
                "services": [service.wire for service in barber.services.values()],
            }
            for barber in shop.barbers.values()
        ],
    }


async def _place(services: Services, shop: Shop, ticket: str | None) -> Ticket | None:
    """None when the ticket is for another shop, or its booking has left the line."""
    holder = guests.holder_of(services.tokens, ticket)
    booking_id = holder.booking_id if holder is not None else None
    if holder is None or booking_id is None or shop_of_booking(booking_id) != shop.shop_id:
        return None
    try:
        found = await booking_for(services, holder, booking_id, shop.shop_id)
    except BarberProError:
        return None
    return on_the_ticket(services, found) if found.state is not None else None
