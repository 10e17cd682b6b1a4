"""Lists of bookings: one's own, or for staff those of their shop."""

from dataclasses import replace
from datetime import datetime

import orjson
from aiohttp import web
from asyncpg import Record

from barberpro.domain.policy import Action
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.lookup import shop_asked_for
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Role
from barberpro.protocol.booking_lists import BookingsQuery, ListedBooking
from barberpro.protocol.currencies import written
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.booking_lists import WantedBookings, list_bookings


async def list_all(request: web.Request) -> Page:
    """GET /bookings: the newest first."""
    query = asked(BookingsQuery, request)
    wanted = await _whose(request, query)
    rows = await list_bookings(request.app[SERVICES].pool, wanted, query.limit + 1)
    cursor = rows[query.limit - 1]["booking_id"] if len(rows) > query.limit else None
    return Page([_listed(row) for row in rows[: query.limit]], cursor)


async def _whose(request: web.Request, query: BookingsQuery) -> WantedBookings:
    """A customer's own, a guest's one, or those of a shop. Raises NOT_FOUND for a shop that is not the caller's."""
    actor = identity(request).actor
    wanted = WantedBookings(
        shop_id=query.shop_id,
        barber_id=query.barber_id,
        status=query.status,
        kind=query.kind,
        since=query.from_,
        until=query.to,
        before=query.cursor,
    )
    if actor.role is Role.CUSTOMER:
        return replace(wanted, customer_id=actor.id)
    if actor.role is Role.GUEST:
        return replace(wanted, booking_id=actor.booking_id)
    return replace(wanted, shop_id=(await shop_asked_for(request, query.shop_id, Action.LIST_BOOKINGS)).shop_id)


def _listed(row: Record) -> ListedBooking:
    return {
        "bookingId": row["booking_id"],
        "shopId": row["shop_id"],
        "shopName": row["shop_name"],
        "barberId": row["barber_id"],
        "barberName": row["barber_name"],
        "kind": row["kind"],
        "status": row["status"],
        "tokenNumber": row["token_number"],
        "businessDate": row["day"],
        "customerName": row["customer_name"],
        "notes": row["notes"],
        "services": orjson.loads(row["services"]),
        "durationMinutes": row["duration_minutes"],
        "totalPrice": written(row["total_price"], row["currency"]),
        "currency": row["currency"],
        "createdAt": rfc3339_of(row["created_at"]),
        "appointmentAt": _told(row["appointment_at"]),
        "joinedAt": _told(row["joined_at"]),
        "startedAt": _told(row["started_at"]),
        "endedAt": _told(row["ended_at"]),
        "endReason": row["end_reason"],
        "cancelledBy": row["cancelled_by"],
        "rating": row["stars"],
    }


def _told(moment: datetime | None) -> str | None:
    return rfc3339_of(moment) if moment is not None else None
