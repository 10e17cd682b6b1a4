"""For administrators.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.audit import AuditEntry
from barberpro.protocol.blocks import BlockTold
from barberpro.protocol.flags import FlagTold
from barberpro.protocol.letters import LetterTold
from barberpro.protocol.money import LedgerLine
from barberpro.protocol.ratings import Review
from barberpro.protocol.reports import Analytics, BookingRow, Export, JobsTold
from barberpro.protocol.shops import AdminBarberTold, AdminShopTold
from barberpro.protocol.staff import UserTold
from barberpro.protocol.system import Nothing


class Admin(Calls):
    async def moderate_review(
        self,
        review_id: str,
        *,
        hidden: bool,
        reason: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Review:
        """Hides it with a reason, or shows it again."""
        body = {"hidden": hidden, "reason": reason}
        told: Review = await self._rest.data(
            "PATCH", f"/api/v1/admin/reviews/{quoted(review_id)}", body=body, key=idempotency_key
        )
        return told

    async def list_flags(
        self,
        *,
        user_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[FlagTold]:
        """By name. userId: tells of each whether that user sees it, and why."""
        query = {"userId": user_id, "limit": limit, "cursor": cursor}
        told: Page[FlagTold] = await self._rest.page("/api/v1/admin/flags", query)
        return told

    async def change_flag(
        self,
        flag_name: str,
        *,
        description: str | Omitted | None = OMITTED,
        percentage: int | Omitted = OMITTED,
        target_users: list[str] | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> FlagTold:
        """Makes it, or changes it as a whole."""
        body = {"description": description, "percentage": percentage, "targetUsers": target_users}
        told: FlagTold = await self._rest.data(
            "PUT", f"/api/v1/admin/flags/{quoted(flag_name)}", body=body, key=idempotency_key
        )
        return told

    async def remove_flag(
        self,
        flag_name: str,
        *,
        idempotency_key: str | None = None,
    ) -> Nothing:
        """Off for everybody."""
        told: Nothing = await self._rest.data("DELETE", f"/api/v1/admin/flags/{quoted(flag_name)}", key=idempotency_key)
        return told

    async def search_users(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        user_type: Literal["customer", "barber", "admin"] | None = None,
        shop_id: str | None = None,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
    ) -> Page[UserTold]:
        """The newest first. email, phone: whose it is; name: a part of it."""
        query = {
            "limit": limit,
            "cursor": cursor,
            "userType": user_type,
            "shopId": shop_id,
            "name": name,
            "email": email,
            "phone": phone,
        }
        told: Page[UserTold] = await self._rest.page("/api/v1/admin/users", query)
        return told

    async def list_barbers(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        shop_id: str | None = None,
        active: bool | None = None,
        name: str | None = None,
    ) -> Page[AdminBarberTold]:
        """Of all shops, the newest first."""
        query = {"limit": limit, "cursor": cursor, "shopId": shop_id, "active": active, "name": name}
        told: Page[AdminBarberTold] = await self._rest.page("/api/v1/admin/barbers", query)
        return told

    async def list_shops(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        name: str | None = None,
    ) -> Page[AdminShopTold]:
        """The newest first, with what goes on in each."""
        query = {"limit": limit, "cursor": cursor, "name": name}
        told: Page[AdminShopTold] = await self._rest.page("/api/v1/admin/shops", query)
        return told

    async def get_analytics(
        self,
        *,
        period: Literal["day", "week", "month"] | None = None,
        date: str | None = None,
        shop_id: str | None = None,
    ) -> Analytics:
        """Of a shop, or of all of them by the days of UTC."""
        query = {"period": period, "date": date, "shopId": shop_id}
        told: Analytics = await self._rest.data("GET", "/api/v1/admin/analytics", query=query)
        return told

    async def search_bookings(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        booking_id: str | None = None,
        shop_id: str | None = None,
        barber_id: str | None = None,
        customer_id: str | None = None,
        status: Literal["scheduled", "waiting", "next", "serving", "completed", "cancelled", "skipped"] | None = None,
        kind: Literal["walk_in", "appointment"] | None = None,
        from_: str | None = None,
        to: str | None = None,
    ) -> Page[BookingRow]:
        """Those that have not ended first, then the others, the last ended first. `from`, `to`: when they ended; with
        `to`, none that has not.
        """
        query = {
            "limit": limit,
            "cursor": cursor,
            "bookingId": booking_id,
            "shopId": shop_id,
            "barberId": barber_id,
            "customerId": customer_id,
            "status": status,
            "kind": kind,
            "from": from_,
            "to": to,
        }
        told: Page[BookingRow] = await self._rest.page("/api/v1/admin/bookings", query)
        return told

    async def search_payments(
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
        """The lines of all ledgers, the newest first."""
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
        told: Page[LedgerLine] = await self._rest.page("/api/v1/admin/payments", query)
        return told

    async def export_report(
        self,
        *,
        report: Literal["bookings", "payments", "earnings", "reconciliation"],
        format_: Literal["csv", "pdf"],
        from_: str,
        to: str,
        shop_id: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Export:
        """Puts a report down to be made."""
        body = {"report": report, "format": format_, "from": from_, "to": to, "shopId": shop_id}
        told: Export = await self._rest.data("POST", "/api/v1/admin/reports/export", body=body, key=idempotency_key)
        return told

    async def list_exports(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Export]:
        """The newest first."""
        query = {"limit": limit, "cursor": cursor}
        told: Page[Export] = await self._rest.page("/api/v1/admin/reports/exports", query)
        return told

    async def get_export(
        self,
        export_id: str,
    ) -> Export:
        """How far it is."""
        told: Export = await self._rest.data("GET", f"/api/v1/admin/reports/exports/{quoted(export_id)}")
        return told

    async def download_export(
        self,
        export_id: str,
    ) -> bytes:
        """The file itself, no envelope."""
        told: bytes = await self._rest.raw("GET", f"/api/v1/admin/reports/exports/{quoted(export_id)}/file")
        return told

    async def list_jobs(
        self,
    ) -> JobsTold:
        """What waits, what was done in the last 24 hours, and what failed."""
        told: JobsTold = await self._rest.data("GET", "/api/v1/admin/jobs")
        return told

    async def list_audit(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        actor_id: str | None = None,
        action: str | None = None,
        shop_id: str | None = None,
        object_type: str | None = None,
        object_id: str | None = None,
        request_id: str | None = None,
        from_: str | None = None,
        to: str | None = None,
    ) -> Page[AuditEntry]:
        """What was done, the newest first. Without `from`, of the 30 days before `to` (or now)."""
        query = {
            "limit": limit,
            "cursor": cursor,
            "actorId": actor_id,
            "action": action,
            "shopId": shop_id,
            "objectType": object_type,
            "objectId": object_id,
            "requestId": request_id,
            "from": from_,
            "to": to,
        }
        told: Page[AuditEntry] = await self._rest.page("/api/v1/admin/audit", query)
        return told

    async def list_blocks(
        self,
        *,
        active: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[BlockTold]:
        """The newest first."""
        query = {"active": active, "limit": limit, "cursor": cursor}
        told: Page[BlockTold] = await self._rest.page("/api/v1/admin/blocks", query)
        return told

    async def create_block(
        self,
        *,
        address: str,
        minutes: int,
        reason: str,
        idempotency_key: str | None = None,
    ) -> BlockTold:
        """Every node knows of it within seconds."""
        body = {"address": address, "minutes": minutes, "reason": reason}
        told: BlockTold = await self._rest.data("POST", "/api/v1/admin/blocks", body=body, key=idempotency_key)
        return told

    async def lift_block(
        self,
        block_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> BlockTold:
        """Ends it. One that is over already stays as it is."""
        told: BlockTold = await self._rest.data(
            "DELETE", f"/api/v1/admin/blocks/{quoted(block_id)}", key=idempotency_key
        )
        return told

    async def list_letters(
        self,
        *,
        status: Literal["waiting", "sent", "failed"] | None = None,
        channel: Literal["email", "sms"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[LetterTold]:
        """The newest first."""
        query = {"status": status, "channel": channel, "limit": limit, "cursor": cursor}
        told: Page[LetterTold] = await self._rest.page("/api/v1/admin/letters", query)
        return told
