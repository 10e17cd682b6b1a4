"""Bookings: looked at."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast

from aiohttp import web

from barberpro.handlers.rest.history import changes_of_place
from barberpro.handlers.rest.lookup import Found, visible_booking
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.bookings import BookingTold, HistoryMeta, Ticket
from barberpro.protocol.errors import no_longer_kept, not_found
from barberpro.protocol.times import rfc3339
from barberpro.storage.bookings import events_around, find_booking

Json = dict[str, Any]

_PLACE: Final = ("position", "aheadCount", "estimatedWaitTime", "estimatedWait", "servingToken")
_TIMES: Final = ("appointmentAt", "joinedAt", "calledAt", "startedAt", "endedAt")
_BORN: Final = ("kind", "customerName", "services", "durationMinutes", "totalPrice", "currency", "notes")
_BEGINNINGS: Final = frozenset({"join", "schedule"})
_ENDED: Final = ("endReason", "cancelledBy", "payment")


async def show(request: web.Request) -> Answer:
    """GET /bookings/{bookingId}."""
    found = await visible_booking(request)
    return Answer(_document(request.app[SERVICES], found))


async def token(request: web.Request) -> Answer:
    """GET /bookings/{bookingId}/token: what stands on the ticket, and how the line goes."""
    return Answer(on_the_ticket(request.app[SERVICES], await visible_booking(request)))


def on_the_ticket(services: Services, found: Found) -> Ticket:
    """{bookingId, barberId, tokenNumber, businessDate, status, position, aheadCount, servingToken, estimatedWait}."""
    place = _place(services, found)
    shown = ("position", "aheadCount", "servingToken", "estimatedWait")
    return cast("Ticket", {**_head(found), **{name: place[name] for name in shown}})


async def history(request: web.Request) -> Page:
    """GET /bookings/{bookingId}/history: every change of place or status with its cause, oldest first.

    `meta.complete`: whether it begins with the booking's first one. NO_LONGER_KEPT when none is kept.
    """
    found = await visible_booking(request)
    pool, booking_id = request.app[SERVICES].pool, found.booking["bookingId"]
    stored = found.ended or await find_booking(pool, booking_id)
    if stored is None:
        raise not_found("booking")
    events = await events_around(pool, found.shop.shop_id, stored)
    # A long day's events take a while to decode; the loop has others to serve.
    changes = await asyncio.to_thread(changes_of_place, booking_id, events, staff=found.staff)
    if not changes:
        raise no_longer_kept(resource="history")
    meta: HistoryMeta = {"complete": changes[0]["cause"]["type"] in _BEGINNINGS}
    return Page(list(changes), meta=meta)


def _document(services: Services, found: Found) -> BookingTold:
    booking, born = found.booking, found.born
    barber = found.shop.barbers.get(booking["barberId"])
    told = {
        **_head(found),
        "shopId": found.shop.shop_id,
        "shopName": found.shop.name,
        "barberName": barber.name if barber is not None else None,
        **_place(services, found),
        **{name: born.get(name) for name in _BORN},
        "skipCount": booking["skips"],
        "createdAt": _time(born.get("createdAt")),
        **{name: _time(booking.get(name)) for name in _TIMES},
        **{name: booking.get(name) for name in _ENDED},
    }
    return cast("BookingTold", told)


def _head(found: Found) -> Json:
    booking = found.booking
    return {
        "bookingId": booking["bookingId"],
        "barberId": booking["barberId"],
        "tokenNumber": booking.get("token"),
        "businessDate": booking.get("day"),
        "status": booking["status"],
    }


def _place(services: Services, found: Found) -> Json:
    """Where it stands in its line, as its room tells it; all null once it has left the day's line for good."""
    if found.state is None:
        return dict.fromkeys(_PLACE)
    queue = found.state.queues.get(found.booking["barberId"])
    line = services.states.line(found.state, queue) if queue is not None else None
    room: Mapping[str, object] = services.states.booking(found.state, found.booking, line)
    return {name: room[name] for name in _PLACE}


def _time(millis: int | None) -> str | None:
    return rfc3339(millis) if millis is not None else None
