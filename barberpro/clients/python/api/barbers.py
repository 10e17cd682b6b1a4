"""Searched for, looked at, and when they work.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.calendar import Availability, ExceptionalDay, Slot
from barberpro.protocol.find import FoundBarber
from barberpro.protocol.ratings import Review
from barberpro.protocol.shops import BarberTold


class Barbers(Calls):
    async def search_barbers(
        self,
        *,
        lat: float | None = None,
        lng: float | None = None,
        radius_km: float | None = None,
        q: str | None = None,
        service: str | None = None,
        open_now: bool | None = None,
        free_at: str | None = None,
        free_minutes: int | None = None,
        min_rating: float | None = None,
        sort: Literal["distance", "wait", "rating"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[FoundBarber]:
        """`meta.asOf`: everything that happened before is in there; less than five seconds ago."""
        query = {
            "lat": lat,
            "lng": lng,
            "radiusKm": radius_km,
            "q": q,
            "service": service,
            "openNow": open_now,
            "freeAt": free_at,
            "freeMinutes": free_minutes,
            "minRating": min_rating,
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        }
        told: Page[FoundBarber] = await self._rest.page("/api/v1/barbers/search", query)
        return told

    async def get_barber(
        self,
        barber_id: str,
    ) -> FoundBarber:
        """Get barber"""
        told: FoundBarber = await self._rest.data("GET", f"/api/v1/barbers/{quoted(barber_id)}")
        return told

    async def list_reviews(
        self,
        barber_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Review]:
        """The newest first; for admins those that are hidden, too."""
        query = {"limit": limit, "cursor": cursor}
        told: Page[Review] = await self._rest.page(f"/api/v1/barbers/{quoted(barber_id)}/reviews", query)
        return told

    async def list_slots(
        self,
        barber_id: str,
        *,
        date: str,
        service_ids: str | None = None,
    ) -> Page[Slot]:
        """The times of a day that can be booked; for the services, or the shortest one."""
        query = {"date": date, "serviceIds": service_ids}
        told: Page[Slot] = await self._rest.page(f"/api/v1/barbers/{quoted(barber_id)}/slots", query)
        return told

    async def change_barber(
        self,
        *,
        name: str | Omitted = OMITTED,
        photo_url: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> BarberTold:
        """What a barber tells of themselves."""
        body = {"name": name, "photoUrl": photo_url}
        told: BarberTold = await self._rest.data("PATCH", "/api/v1/barbers/me", body=body, key=idempotency_key)
        return told

    async def get_availability(
        self,
    ) -> Availability:
        """Get availability"""
        told: Availability = await self._rest.data("GET", "/api/v1/barbers/me/availability")
        return told

    async def change_availability(
        self,
        *,
        shifts: dict[str, list[list[str]]] | Omitted | None = OMITTED,
        breaks: dict[str, list[list[str]]] | Omitted = OMITTED,
        exceptions: list[ExceptionalDay] | Omitted = OMITTED,
        days_off: list[str] | Omitted = OMITTED,
        revision: int | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Availability:
        """The answer has every appointment to come that conflicts with it. None can follow by the old one: the engine
        is told first, and what it took until then is durable before we look.
        """
        body = {"shifts": shifts, "breaks": breaks, "exceptions": exceptions, "daysOff": days_off, "revision": revision}
        told: Availability = await self._rest.data(
            "PATCH", "/api/v1/barbers/me/availability", body=body, key=idempotency_key
        )
        return told
