"""Lines: looked at, and worked; and what came of it.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.bookings import QueueEvent, Submitted
from barberpro.protocol.commands import Customer, Expect, Payment
from barberpro.protocol.money import Earnings
from barberpro.protocol.reports import Stats
from barberpro.protocol.states import QueueUpdated


class Queue(Calls):
    async def get_my_queue(
        self,
    ) -> QueueUpdated:
        """The barber's own, full."""
        told: QueueUpdated = await self._rest.data("GET", "/api/v1/queue/my-queue")
        return told

    async def get_earnings(
        self,
        *,
        period: Literal["day", "week", "month"] | None = None,
        date: str | None = None,
    ) -> Earnings:
        """The barber's own, from the ledger."""
        query = {"period": period, "date": date}
        told: Earnings = await self._rest.data("GET", "/api/v1/queue/earnings", query=query)
        return told

    async def get_stats(
        self,
        *,
        period: Literal["day", "week", "month"] | None = None,
        date: str | None = None,
    ) -> Stats:
        """What the barber did, and whether the waits were as promised."""
        query = {"period": period, "date": date}
        told: Stats = await self._rest.data("GET", "/api/v1/queue/stats", query=query)
        return told

    async def run_command(
        self,
        *,
        command_id: str,
        type_: Literal[
            "join",
            "check_in",
            "start",
            "complete",
            "advance",
            "skip",
            "no_show",
            "recall",
            "step_back",
            "move",
            "transfer",
            "cancel",
            "open",
            "pause",
            "close",
        ],
        expect: Expect | Omitted | None = OMITTED,
        barber_id: str | Omitted | None = OMITTED,
        service_ids: list[str] | Omitted = OMITTED,
        customer: Customer | Omitted | None = OMITTED,
        notes: str | Omitted | None = OMITTED,
        booking_id: str | Omitted | None = OMITTED,
        payment: Payment | Omitted | None = OMITTED,
        reason: str | Omitted | None = OMITTED,
        to: Literal["front", "back"] | Omitted = OMITTED,
        places: int | Omitted = OMITTED,
        position: int | Omitted = OMITTED,
        to_barber_id: str | Omitted = OMITTED,
        waiting: Literal["keep", "cancel"] | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Any command, as on a socket. Its id stands in it, or is the Idempotency-Key."""
        body = {
            "commandId": command_id,
            "expect": expect,
            "type": type_,
            "barberId": barber_id,
            "serviceIds": service_ids,
            "customer": customer,
            "notes": notes,
            "bookingId": booking_id,
            "payment": payment,
            "reason": reason,
            "to": to,
            "places": places,
            "position": position,
            "toBarberId": to_barber_id,
            "waiting": waiting,
        }
        told: Submitted = await self._rest.data("POST", "/api/v1/queue/commands", body=body, key=idempotency_key)
        return told

    async def get_queue(
        self,
        barber_id: str,
    ) -> QueueUpdated:
        """Full for the shop's staff, public for everybody else."""
        told: QueueUpdated = await self._rest.data("GET", f"/api/v1/queue/{quoted(barber_id)}")
        return told

    async def list_events(
        self,
        barber_id: str,
        *,
        after: int | None = None,
        cursor: int | None = None,
        limit: int | None = None,
    ) -> Page[QueueEvent]:
        """For the shop's staff, by seq. `cursor` is what `after` is. Without either, from the first event that is
        kept. NO_LONGER_KEPT when what follows `after` is not.
        """
        query = {"after": after, "cursor": cursor, "limit": limit}
        told: Page[QueueEvent] = await self._rest.page(f"/api/v1/queue/{quoted(barber_id)}/events", query)
        return told

    async def set_booking_status(
        self,
        booking_id: str,
        *,
        status: Literal["serving", "completed", "cancelled", "skipped", "waiting"],
        expect: Expect | Omitted | None = OMITTED,
        payment: Payment | Omitted | None = OMITTED,
        reason: str | Omitted | None = OMITTED,
        to: Literal["front", "back"] | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Start, complete, cancel, no_show or recall."""
        body = {"expect": expect, "status": status, "payment": payment, "reason": reason, "to": to}
        told: Submitted = await self._rest.data(
            "PATCH", f"/api/v1/queue/{quoted(booking_id)}/status", body=body, key=idempotency_key
        )
        return told

    async def skip_booking(
        self,
        booking_id: str,
        *,
        expect: Expect | Omitted | None = OMITTED,
        reason: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """Skip booking"""
        body = {"expect": expect, "reason": reason}
        told: Submitted = await self._rest.data(
            "PATCH", f"/api/v1/queue/{quoted(booking_id)}/skip", body=body, key=idempotency_key
        )
        return told
