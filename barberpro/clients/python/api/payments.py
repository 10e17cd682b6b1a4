"""The ledger.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.money import Discrepancy, LedgerLine, Recorded


class Payments(Calls):
    async def list_payments(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        shop_id: str | None = None,
        barber_id: str | None = None,
        booking_id: str | None = None,
        kind: Literal["charge", "tip", "refund", "correction"] | None = None,
        method: Literal["cash", "card", "upi"] | None = None,
        from_: str | None = None,
        to: str | None = None,
    ) -> Page[LedgerLine]:
        """The lines of a shop's ledger, the newest first. Admins, without `shopId`, see all shops'."""
        query = {
            "limit": limit,
            "cursor": cursor,
            "shopId": shop_id,
            "barberId": barber_id,
            "bookingId": booking_id,
            "kind": kind,
            "method": method,
            "from": from_,
            "to": to,
        }
        told: Page[LedgerLine] = await self._rest.page("/api/v1/payments", query)
        return told

    async def list_discrepancies(
        self,
        *,
        shop_id: str | None = None,
        problem: Literal["unpaid", "difference", "no_visit"] | None = None,
        from_: str | None = None,
        to: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Discrepancy]:
        """The bookings of the days `from` to `to`, by default today, that do not add up."""
        query = {"shopId": shop_id, "problem": problem, "from": from_, "to": to, "limit": limit, "cursor": cursor}
        told: Page[Discrepancy] = await self._rest.page("/api/v1/payments/reconciliation", query)
        return told

    async def record_payment(
        self,
        booking_id: str,
        *,
        method: Literal["cash", "card", "upi"],
        amount: str,
        tip: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """A charge, and perhaps a tip."""
        body = {"method": method, "amount": amount, "tip": tip}
        told: Recorded = await self._rest.data(
            "POST", f"/api/v1/payments/{quoted(booking_id)}/record", body=body, key=idempotency_key
        )
        return told

    async def refund_payment(
        self,
        payment_id: str,
        *,
        amount: str | Omitted | None = OMITTED,
        method: Literal["cash", "card", "upi"] | Omitted | None = OMITTED,
        reason: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """Gives back a part of a charge or tip, or all that is left of it."""
        body = {"amount": amount, "method": method, "reason": reason}
        told: Recorded = await self._rest.data(
            "POST", f"/api/v1/payments/{quoted(payment_id)}/refund", body=body, key=idempotency_key
        )
        return told

    async def correct_payment(
        self,
        payment_id: str,
        *,
        amount: str,
        reason: str,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """What a charge or tip should have been written down as."""
        body = {"amount": amount, "reason": reason}
        told: Recorded = await self._rest.data(
            "POST", f"/api/v1/payments/{quoted(payment_id)}/correct", body=body, key=idempotency_key
        )
        return told
