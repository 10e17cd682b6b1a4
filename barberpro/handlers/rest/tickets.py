"""Tickets that are handed on, from a kiosk's screen or paper to a phone."""

from aiohttp import web

from barberpro.domain import tickets
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_booking
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.lookup import visible_booking
from barberpro.handlers.rest.parsing import asked, body, path_booking, validated
from barberpro.handlers.rest.qr_codes import origin, picture
from barberpro.handlers.rest.replies import Answer, File
from barberpro.handlers.services import ACCOUNTS, SERVICES
from barberpro.protocol.access import QrQuery, TakenOver, TakeOver
from barberpro.storage.sealing import Sealer


async def qr(request: web.Request) -> File:
    """GET /bookings/{bookingId}/qr: the address of the booking's page, with a code for its ticket, as a picture."""
    found, kind = await visible_booking(request), asked(QrQuery, request).format
    booking_id, actor = found.booking["bookingId"], identity(request).actor
    relation = to_booking(actor, found.shop, booking_id, found.booking.get("customerId"))
    require(actor, Action.HAND_ON_TICKET, relation, "booking")
    # Behind the hash: that part of an address stays in the browser, and is in no log.
    address = f"{origin(request)}/ticket/{booking_id}#{tickets.code_for(_sealer(request), booking_id)}"
    return picture(address, kind, error="m")


async def fetch(request: web.Request) -> Answer:
    """POST /bookings/{bookingId}/ticket: the ticket that a code is good for."""
    booking_id, _ = path_booking(request)
    given, tokens = validated(TakeOver, await body(request)), request.app[SERVICES].tokens
    told: TakenOver = {"ticket": tickets.ticket_for(_sealer(request), tokens, booking_id, given.code)}
    return Answer(told)


def _sealer(request: web.Request) -> Sealer:
    return request.app[ACCOUNTS].contacts.sealer
