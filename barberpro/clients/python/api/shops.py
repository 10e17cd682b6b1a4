"""What they are and offer, who works there, what stands at the door.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page, quoted
from barberpro.protocol.access import JoinCodeTold, PairedDevice, Scanned
from barberpro.protocol.reports import ShopAnalytics
from barberpro.protocol.shops import OfferTold, ServiceTold, ShopSettings, ShopTold
from barberpro.protocol.staff import InvitationTold, Invited, StaffTold
from barberpro.protocol.system import Nothing


class Shops(Calls):
    async def create_shop(
        self,
        *,
        name: str,
        time_zone: str,
        currency: str,
        address: str | Omitted | None = OMITTED,
        latitude: float | Omitted | None = OMITTED,
        longitude: float | Omitted | None = OMITTED,
        opening_hours: dict[str, list[list[str]]] | Omitted | None = OMITTED,
        settings: ShopSettings | Omitted = OMITTED,
        barber_name: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> ShopTold:
        """By a barber, who runs it from then on; or by an administrator."""
        body = {
            "address": address,
            "latitude": latitude,
            "longitude": longitude,
            "openingHours": opening_hours,
            "settings": settings,
            "name": name,
            "timeZone": time_zone,
            "currency": currency,
            "barberName": barber_name,
        }
        told: ShopTold = await self._rest.data("POST", "/api/v1/shops", body=body, key=idempotency_key)
        return told

    async def get_shop(
        self,
        shop_id: str,
    ) -> ShopTold:
        """Get shop"""
        told: ShopTold = await self._rest.data("GET", f"/api/v1/shops/{quoted(shop_id)}")
        return told

    async def change_shop(
        self,
        shop_id: str,
        *,
        address: str | Omitted | None = OMITTED,
        latitude: float | Omitted | None = OMITTED,
        longitude: float | Omitted | None = OMITTED,
        opening_hours: dict[str, list[list[str]]] | Omitted | None = OMITTED,
        settings: ShopSettings | Omitted = OMITTED,
        name: str | Omitted = OMITTED,
        time_zone: str | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> ShopTold:
        """Every node knows of it within seconds."""
        body = {
            "address": address,
            "latitude": latitude,
            "longitude": longitude,
            "openingHours": opening_hours,
            "settings": settings,
            "name": name,
            "timeZone": time_zone,
        }
        told: ShopTold = await self._rest.data(
            "PATCH", f"/api/v1/shops/{quoted(shop_id)}", body=body, key=idempotency_key
        )
        return told

    async def get_shop_analytics(
        self,
        shop_id: str,
        *,
        period: Literal["day", "week", "month"] | None = None,
        date: str | None = None,
    ) -> ShopAnalytics:
        """The same of the shop, and whether the waits were as promised."""
        query = {"period": period, "date": date}
        told: ShopAnalytics = await self._rest.data("GET", f"/api/v1/shops/{quoted(shop_id)}/analytics", query=query)
        return told

    async def list_services(
        self,
        shop_id: str,
    ) -> Page[ServiceTold]:
        """All of them, those that are switched off among them, with every barber's offer."""
        told: Page[ServiceTold] = await self._rest.page(f"/api/v1/shops/{quoted(shop_id)}/services")
        return told

    async def create_service(
        self,
        shop_id: str,
        *,
        name: str,
        price: str,
        duration_minutes: int,
        idempotency_key: str | None = None,
    ) -> ServiceTold:
        """All barbers of the shop offer it."""
        body = {"name": name, "price": price, "durationMinutes": duration_minutes}
        told: ServiceTold = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/services", body=body, key=idempotency_key
        )
        return told

    async def change_service(
        self,
        shop_id: str,
        service_id: str,
        *,
        name: str | Omitted = OMITTED,
        price: str | Omitted = OMITTED,
        duration_minutes: int | Omitted = OMITTED,
        active: bool | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> ServiceTold:
        """Change service"""
        body = {"name": name, "price": price, "durationMinutes": duration_minutes, "active": active}
        told: ServiceTold = await self._rest.data(
            "PATCH", f"/api/v1/shops/{quoted(shop_id)}/services/{quoted(service_id)}", body=body, key=idempotency_key
        )
        return told

    async def change_offer(
        self,
        shop_id: str,
        barber_id: str,
        service_id: str,
        *,
        offered: bool,
        price: str | Omitted | None = OMITTED,
        duration_minutes: int | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> OfferTold:
        """By who runs the shop, or the barber."""
        body = {"offered": offered, "price": price, "durationMinutes": duration_minutes}
        told: OfferTold = await self._rest.data(
            "PUT",
            f"/api/v1/shops/{quoted(shop_id)}/barbers/{quoted(barber_id)}/services/{quoted(service_id)}",
            body=body,
            key=idempotency_key,
        )
        return told

    async def list_staff(
        self,
        shop_id: str,
    ) -> Page[StaffTold]:
        """Barbers, those without an account among them, and owners."""
        told: Page[StaffTold] = await self._rest.page(f"/api/v1/shops/{quoted(shop_id)}/staff")
        return told

    async def remove_staff(
        self,
        shop_id: str,
        staff_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Nothing:
        """The id of a user, or of a barber."""
        told: Nothing = await self._rest.data(
            "DELETE", f"/api/v1/shops/{quoted(shop_id)}/staff/{quoted(staff_id)}", key=idempotency_key
        )
        return told

    async def list_invitations(
        self,
        shop_id: str,
    ) -> Page[InvitationTold]:
        """Those that are open, the newest first."""
        told: Page[InvitationTold] = await self._rest.page(f"/api/v1/shops/{quoted(shop_id)}/invitations")
        return told

    async def invite(
        self,
        shop_id: str,
        *,
        email: str | Omitted | None = OMITTED,
        phone: str | Omitted | None = OMITTED,
        role: Literal["barber", "owner"] | Omitted = OMITTED,
        name: str | Omitted | None = OMITTED,
        language: str | Omitted = OMITTED,
        idempotency_key: str | None = None,
    ) -> Invited:
        """A letter with a link, or a code by SMS."""
        body = {"email": email, "phone": phone, "role": role, "name": name, "language": language}
        told: Invited = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/invitations", body=body, key=idempotency_key
        )
        return told

    async def withdraw_invitation(
        self,
        shop_id: str,
        invitation_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Nothing:
        """Withdraw invitation"""
        told: Nothing = await self._rest.data(
            "DELETE", f"/api/v1/shops/{quoted(shop_id)}/invitations/{quoted(invitation_id)}", key=idempotency_key
        )
        return told

    async def scan(
        self,
        shop_id: str,
        *,
        code: str,
        ticket: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Scanned:
        """What a phone needs to join; and its place, when it has one and kept its ticket."""
        body = {"code": code, "ticket": ticket}
        told: Scanned = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/scan", body=body, key=idempotency_key
        )
        return told

    async def get_qr(
        self,
        shop_id: str,
        *,
        format_: Literal["svg", "png"] | None = None,
    ) -> bytes:
        """The address of the shop's join page as a picture, SVG or PNG."""
        query = {"format": format_}
        told: bytes = await self._rest.raw("GET", f"/api/v1/shops/{quoted(shop_id)}/qr", query=query)
        return told

    async def get_join_code(
        self,
        shop_id: str,
    ) -> JoinCodeTold:
        """Get join code"""
        told: JoinCodeTold = await self._rest.data("GET", f"/api/v1/shops/{quoted(shop_id)}/join-code")
        return told

    async def change_join_code(
        self,
        shop_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> JoinCodeTold:
        """A new one, which takes the place of the last."""
        told: JoinCodeTold = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/join-code", key=idempotency_key
        )
        return told

    async def withdraw_join_code(
        self,
        shop_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Nothing:
        """Nobody joins as a guest any more."""
        told: Nothing = await self._rest.data(
            "DELETE", f"/api/v1/shops/{quoted(shop_id)}/join-code", key=idempotency_key
        )
        return told

    async def pair_display(
        self,
        shop_id: str,
        *,
        code: str,
        name: str,
        idempotency_key: str | None = None,
    ) -> PairedDevice:
        """Staff enter the code that the device shows."""
        body = {"code": code, "name": name}
        told: PairedDevice = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/displays/pair", body=body, key=idempotency_key
        )
        return told

    async def pair_kiosk(
        self,
        shop_id: str,
        *,
        code: str,
        name: str,
        idempotency_key: str | None = None,
    ) -> PairedDevice:
        """Staff enter the code that the device shows."""
        body = {"code": code, "name": name}
        told: PairedDevice = await self._rest.data(
            "POST", f"/api/v1/shops/{quoted(shop_id)}/kiosks/pair", body=body, key=idempotency_key
        )
        return told

    async def list_devices(
        self,
        shop_id: str,
    ) -> Page[PairedDevice]:
        """List devices"""
        told: Page[PairedDevice] = await self._rest.page(f"/api/v1/shops/{quoted(shop_id)}/devices")
        return told

    async def revoke_device(
        self,
        shop_id: str,
        device_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> Nothing:
        """Revoke device"""
        told: Nothing = await self._rest.data(
            "DELETE", f"/api/v1/shops/{quoted(shop_id)}/devices/{quoted(device_id)}", key=idempotency_key
        )
        return told
