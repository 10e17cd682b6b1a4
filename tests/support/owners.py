"""People who run shops of their own, over REST. Holds no tests itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.accounts import AccountDoor
from tests.support.rest import Answer
from tests.support.shops import Json

SHOP: Json = {"name": "Corner Barbers", "timeZone": "Etc/UTC", "currency": "INR"}


@dataclass(frozen=True)
class Owner:
    """Who has made a shop, and has its first line. token: one that tells so."""

    door: AccountDoor
    user_id: str
    token: str
    refresh_token: str
    shop_id: str
    barber_id: str

    @property
    def shop(self) -> str:
        """The shop's path."""
        return f"/shops/{self.shop_id}"

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return await self.door.call(method, path, body, self.token, **headers)

    async def service(self, name: str = "Cut", price: str = "250.00", minutes: int = 20) -> str:
        body = {"name": name, "price": price, "durationMinutes": minutes}
        service_id: str = (await self.call("POST", f"{self.shop}/services", body)).data["serviceId"]
        return service_id

    async def open(self, barber_id: str | None = None) -> None:
        command = {"type": "open", "commandId": f"open-{self.shop_id}", "barberId": barber_id or self.barber_id}
        assert (await self.call("POST", "/queue/commands", command)).status == 200

    async def join(self, token: str, service_id: str, **headers: str) -> Answer:
        body = {"barberId": self.barber_id, "serviceIds": [service_id]}
        return await self.door.call("POST", "/bookings", body, token, **headers)


async def new_owner(door: AccountDoor, **more: object) -> Owner:
    """more: fields of POST /shops, beside those of SHOP."""
    granted = await door.by_email(door.new_email(), userType="barber", name="Asha")
    made = (await door.call("POST", "/shops", {**SHOP, **more}, granted["accessToken"])).data
    renewed = (await door.auth("refresh", refreshToken=granted["refreshToken"])).data
    return Owner(
        door=door,
        user_id=granted["user"]["userId"],
        token=renewed["accessToken"],
        refresh_token=renewed["refreshToken"],
        shop_id=made["shopId"],
        barber_id=made["barbers"][0]["barberId"],
    )


def at_noon() -> tuple[str, datetime]:
    """A zone in which it is between twelve and one, and its clock: what plays there does not run over midnight."""
    now = datetime.now(UTC)
    return f"Etc/GMT{now.hour - 12:+d}", now + timedelta(hours=12 - now.hour)
