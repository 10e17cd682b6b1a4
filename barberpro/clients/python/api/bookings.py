"""Places in a line, and appointments.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.access import TakenOver
from barberpro.protocol.booking_lists import ListedBooking
from barberpro.protocol.bookings import BookingTold, PlaceChange, Submitted, Ticket
from barberpro.protocol.commands import Customer, Expect
from barberpro.protocol.ratings import Rated


class Bookings(Calls):
    async def create_booking(
        self,
        *,
        barber_id: str,
        service_ids: list[str],
        expect: Expect | Omitted | None = OMITTED,
        customer: Customer | Omitted | None = OMITTED,
        notes: str | Omitted | None = OMITTED,
        booking_date: str | Omitted = OMITTED,
        preferred_time: str | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """A walk-in joins the line now; with a date and a time it is an appointment."""
        body = {
            "expect": expect,
            "barberId": barber_id,
            "serviceIds": service_ids,
            "customer": customer,
            "notes": notes,
            "bookingDate": booking_date,
            "preferredTime": preferred_time,
        }
        told: Submitted = await self._rest.data("POST", "/api/v1/bookings", body=body, key=idempotency_key)
        return told

    async def list_bookings(
        self,
        *,
        shop_id: str | None = None,
        barber_id: str | None = None,
        status: Literal["scheduled", "waiting", "next", "serving", "completed", "cancelled", "skipped"] | None = None,
        kind: Literal["walk_in", "appointment"] | None = None,
        from_: str | None = None,
        to: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[ListedBooking]:
        """The newest first."""
        query = {
            "shopId": shop_id,
            "barberId": barber_id,
            "status": status,
            "kind": kind,
            "from": from_,
            "to": to,
            "limit": limit,
            "cursor": cursor,
        }
        told: Page[ListedBooking] = await self._rest.page("/api/v1/bookings", query)
        return told

    async def get_booking(
        self,
        booking_id: str,
    ) -> BookingTold:
        """Get booking"""
        told: BookingTold = await self._rest.data("GET", f"/api/v1/bookings/{quoted(booking_id)}")
        return told

    async def change_booking(
        self,
        booking_id: str,
        *,
        expect: Expect | Omitted | None = OMITTED,
        reason: str | Omitted | None = OMITTED,
        status: Literal["cancelled", "waiting"] | Omitted = OMITTED,
        booking_date: str | Omitted = OMITTED,
        preferred_time: str | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Another status, or another time for an appointment."""
        body = {
            "expect": expect,
            "reason": reason,
            "status": status,
            "bookingDate": booking_date,
            "preferredTime": preferred_time,
        }
        told: Submitted = await self._rest.data(
            "PATCH", f"/api/v1/bookings/{quoted(booking_id)}", body=body, key=idempotency_key
        )
        return told

    async def get_booking_token(
        self,
        booking_id: str,
    ) -> Ticket:
        """What stands on the ticket, and how the line goes."""
        told: Ticket = await self._rest.data("GET", f"/api/v1/bookings/{quoted(booking_id)}/token")
        return told

    async def get_booking_history(
        self,
        booking_id: str,
    ) -> Page[PlaceChange]:
        """Every change of place or status with its cause, oldest first. `meta.complete`: whether it begins with the
        booking's first one. NO_LONGER_KEPT when none is kept.
        """
        told: Page[PlaceChange] = await self._rest.page(f"/api/v1/bookings/{quoted(booking_id)}/history")
        return told

    async def get_booking_qr(
        self,
        booking_id: str,
        *,
        format_: Literal["svg", "png"] | None = None,
    ) -> bytes:
        """The address of the booking's page, with a code for its ticket, as a picture."""
        query = {"format": format_}
        told: bytes = await self._rest.raw("GET", f"/api/v1/bookings/{quoted(booking_id)}/qr", query=query)
        return told

    async def take_over_ticket(
        self,
        booking_id: str,
        *,
        code: str,
        idempotency_key: str | None = None,
    ) -> TakenOver:
        """The ticket that a code is good for."""
        body = {"code": code}
        told: TakenOver = await self._rest.data(
            "POST", f"/api/v1/bookings/{quoted(booking_id)}/ticket", body=body, key=idempotency_key
        )
        return told

    async def rate_booking(
        self,
        booking_id: str,
        *,
        rating: int,
        review: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Rated:
        """Once, when it is completed. 200 for the same request again."""
        body = {"rating": rating, "review": review}
        told: Rated = await self._rest.data(
            "POST", f"/api/v1/bookings/{quoted(booking_id)}/rate", body=body, key=idempotency_key
        )
        return told
