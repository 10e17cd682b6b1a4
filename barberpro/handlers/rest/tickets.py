"""Tickets that are handed on, from a kiosk's screen or paper to a phone."""

from aiohttp import web

from barberpro.domain import tickets
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_booking
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.lookup import visible_booking
from barberpro.handlers.rest.parsing import body, path_booking, validated
from barberpro.handlers.rest.qr_codes import kind_of, origin, picture
from barberpro.handlers.rest.replies import Answer, File
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.access import TakeOver
from barberpro.storage.sealing import Sealer


async def qr(request: web.Request) -> File:
    """GET /bookings/{bookingId}/qr: the address of the booking's page, with a code for its ticket, as a picture."""
    found, kind = await visible_booking(request), kind_of(request)
    booking_id, actor = found.booking["bookingId"], identity(request).actor
    relation = to_booking(actor, found.shop, booking_id, found.booking.get("customerId"))
    require(actor, Action.HAND_ON_TICKET, relation, "booking")
    # Behind the hash: that part of an address stays in the browser, and is in no log.
    address = f"{origin(request)}/ticket/{booking_id}#{tickets.code_for(_sealer(request), booking_id)}"
    return picture(address, kind, error="m")


async def fetch(request: web.Request) -> Answer:
    """POST /bookings/{bookingId}/ticket: the ticket that a code is good for."""
    booking_id, _ = path_booking(request)
    asked = validated(TakeOver, await body(request))
    tokens = request.app[SERVICES].tokens
    return Answer({"ticket": tickets.ticket_for(_sealer(request), tokens, booking_id, asked.code)})


def _sealer(request: web.Request) -> Sealer:
    return request.app[ACCOUNTS].contacts.sealer
