"""A customer with a phone, before a shop's door. Holds no tests itself."""

from re import Pattern
from typing import Any

from playwright.async_api import Locator, Page, expect

from barberpro.domain import guests
from tests.support.shops import ADMIN, VIA, Json
from tests.support.stage import Stage

SIZE = {"width": 390, "height": 844}
WITHIN_MS = 20_000


class Phone:
    """`at`: how the phone reaches the server; through a network that a test breaks, it may be another address."""

    def __init__(self, stage: Stage, page: Page, at: str) -> None:
        self.stage = stage
        self.page = page
        self.at = at

    @classmethod
    async def at_the_door(cls, stage: Stage, at: str | None = None, **options: object) -> "Phone":
        """Of somebody who has scanned the code, and sees the form. options: of the browser's context."""
        phone = cls(stage, await stage.page(viewport=SIZE, **options), at or stage.url)
        await phone.scan()
        await expect(phone.part("form")).to_be_visible()
        return phone

    async def scan(self) -> None:
        await self.page.goto(await join_address(self.stage, self.at))

    async def fill(self, name: str = "Ana", barber: int = 0) -> None:
        """Everything but the last touch."""
        await self.page.locator(f"input[value={self.stage.shop.barbers[barber]}]").check()
        await self.page.fill("#name", name)

    async def join(self, name: str = "Ana", barber: int = 0) -> None:
        """Into this barber's line, to the ticket."""
        await self.fill(name, barber)
        await self.page.click("#join")
        await self.has_a_ticket()

    async def has_a_ticket(self) -> None:
        await self.page.wait_for_url("**/ticket/*")
        await expect(self.part("ticket")).to_be_visible()
        await expect(self.part("fresh")).to_have_attribute("data-state", "live")

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    async def reads(self, **parts: str | Pattern[str]) -> None:
        """Waits until the parts say so. parts: by id, hyphens as underscores."""
        for name, text in parts.items():
            await expect(self.part(name.replace("_", "-"))).to_have_text(text, timeout=WITHIN_MS)

    @property
    def booking(self) -> str:
        return self.page.url.rpartition("/")[2]

    async def kept(self) -> Json:
        """What the page keeps in this browser: local and session storage, cookies, and what its caches hold."""
        stored: dict[str, Any] = await self.page.evaluate(
            """async () => ({
              local: Object.keys(localStorage), session: Object.keys(sessionStorage), cookies: document.cookie,
              cached: (await Promise.all((await caches.keys()).map(async (name) =>
                (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat(),
            })"""
        )
        return stored


async def join_address(stage: Stage, at: str) -> str:
    """What the QR code on the door holds."""
    pool, shop_id = stage.backstage.pool, stage.shop.shop_id
    await guests.change_code(pool, ADMIN, shop_id, VIA, "the door's")  # with the same key it stays
    return (await guests.present_code(pool, shop_id, at))["url"]


async def in_line(stage: Stage, barber: int = 0) -> list[int]:
    """The tokens that were taken of this barber's, in order."""
    query = "SELECT token_number FROM bookings WHERE barber_id = $1 ORDER BY token_number"
    return [row["token_number"] for row in await stage.backstage.pool.fetch(query, stage.shop.barbers[barber])]
