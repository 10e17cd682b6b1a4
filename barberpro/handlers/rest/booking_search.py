"""Bookings of all shops, for administrators."""

from datetime import datetime

from aiohttp import web

from barberpro.handlers.rest.paging import cursor_after, cursor_of
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.currencies import written
from barberpro.protocol.reports import BookingRow, SearchBookingsQuery
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.booking_search import FoundBooking, WantedBookings, search_bookings


async def list_all(request: web.Request) -> Page:
    """GET /admin/bookings: those that have not ended first, then the others, the last ended first.

    `from`, `to`: when they ended; with `to`, none that has not.
    """
    query = asked(SearchBookingsQuery, request)
    wanted = WantedBookings(
        booking_id=query.booking_id,
        shop_id=query.shop_id,
        barber_id=query.barber_id,
        customer_id=query.customer_id,
        status=query.status,
        kind=query.kind,
        since=query.from_,
        until=query.to,
        after=cursor_of(query.cursor),
    )
    limit = query.limit
    found = await search_bookings(request.app[SERVICES].pool, wanted, limit + 1)
    cursor = cursor_after(found[limit - 1].sorted_at, found[limit - 1].booking_id) if len(found) > limit else None
    return Page([_shown(each) for each in found[:limit]], cursor)


def _shown(found: FoundBooking) -> BookingRow:
    return {
        "bookingId": found.booking_id,
        "shopId": found.shop_id,
        "shopName": found.shop_name,
        "barberId": found.barber_id,
        "barberName": found.barber_name,
        "customerId": found.customer_id,
        "customerName": found.customer_name,
        "kind": found.kind,
        "status": found.status,
        "tokenNumber": found.token_number,
        "businessDate": found.business_date.isoformat() if found.business_date is not None else None,
        "totalPrice": written(found.total_price, found.currency),
        "currency": found.currency,
        "durationMinutes": found.duration_minutes,
        "createdAt": rfc3339_of(found.created_at),
        "appointmentAt": _time(found.appointment_at),
        "startedAt": _time(found.started_at),
        "endedAt": _time(found.ended_at),
        "endReason": found.end_reason,
        "cancelledBy": found.cancelled_by,
        "paid": written(found.paid, found.currency),
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339_of(moment) if moment is not None else None
