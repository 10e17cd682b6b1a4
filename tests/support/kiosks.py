"""A kiosk at a shop's door, in a browser. Holds no tests itself."""

from playwright.async_api import Locator, Page, expect

from barberpro.domain import devices
from tests.support.phones import WITHIN_MS
from tests.support.shops import VIA
from tests.support.stage import Stage

SIZE = {"width": 1024, "height": 768}


class Kiosk:
    """`device`: its id, once it is paired. Its clock is the test's to turn."""

    def __init__(self, stage: Stage, page: Page) -> None:
        self.stage = stage
        self.page = page
        self.device = ""

    @classmethod
    async def of(cls, stage: Stage, **options: object) -> "Kiosk":
        """Not paired yet: it shows a code."""
        kiosk = cls(stage, await stage.page(viewport=SIZE, **options))
        await kiosk.page.clock.install()
        await kiosk.page.goto(f"{stage.url}/kiosk")
        await expect(kiosk.part("code")).not_to_be_empty()
        return kiosk

    async def pair(self) -> None:
        """By a barber of the shop, who reads the code."""
        code, shop = await self.part("code").text_content() or "", self.stage.shop
        pool = self.stage.backstage.pool
        paired = await devices.pair(pool, shop.staff[0], shop.shop_id, "kiosk", code, "At the door", VIA)
        self.device = paired["deviceId"]
        await self.page.clock.run_for(4_000)  # it asks every three seconds
        await self.welcomes()

    async def welcomes(self) -> None:
        """Waits until it is ready for the next customer."""
        await expect(self.part("start")).to_be_visible(timeout=WITHIN_MS)
        await expect(self.part("fresh")).to_have_attribute("data-state", "live", timeout=WITHIN_MS)
        await expect(self.tile(0)).to_be_enabled(timeout=WITHIN_MS)

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def tile(self, at: int) -> Locator:
        """Of the step that is shown."""
        return self.page.locator(".step:not([hidden]) .tile").nth(at)

    async def take(self, barber: int) -> None:
        """A number of this barber's; the shop has one service, which is chosen already."""
        await self.tile(1 + barber).click()
        await expect(self.tile(0)).to_have_attribute("aria-pressed", "true")
        await self.part("take").click()
        await expect(self.part("done")).to_be_visible()
