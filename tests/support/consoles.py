"""The barber's console in a browser, as a test sees and works it. Holds no tests itself."""

from playwright.async_api import Locator, Page, expect

from barberpro.domain.accounts.appointing import Appointment
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.actors import Role
from barberpro.server.demo import demo_account
from tests.support.shops import TestShop
from tests.support.stage import Stage

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}

expect.set_options(timeout=20_000)  # for machines on which much else goes on


class ConsolePage:
    """One barber's; several may be open for one barber."""

    def __init__(self, stage: Stage, page: Page) -> None:
        self.stage = stage
        self.page = page

    @classmethod
    async def of(cls, stage: Stage, credentials: str, **options: object) -> "ConsolePage":
        """Signs in, with what `account` gave. options: of the browser's context."""
        console = cls(stage, await stage.page(**{"viewport": DESKTOP, **options}))
        await console.page.goto(f"{stage.url}/console#{credentials}")
        await console.page.locator("form.signin [type=submit]").click()
        await console.is_there()
        return console

    async def is_there(self) -> None:
        """The line is shown, and so is what the shop offers."""
        await expect(self.page.locator("#desk")).to_be_visible()
        await expect(self.page.locator("#fresh")).to_have_attribute("data-state", "live")
        await expect(self.page.locator("#shop")).to_have_text("The Shop")

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector)

    @property
    def main(self) -> Locator:
        """The one big button."""
        return self.at("#advance")

    @property
    def tokens(self) -> Locator:
        """Of those who wait, in their order; nobody who is next is among them."""
        return self.at("#line .token")

    async def has_in_the_chair(self, token: int | None) -> None:
        await expect(self.at("#chair .token")).to_have_text([] if token is None else [str(token)])

    async def has_next(self, token: int | None) -> None:
        await expect(self.at("#next .token")).to_have_text([] if token is None else [str(token)])

    async def has_waiting(self, *tokens: int) -> None:
        await expect(self.tokens).to_have_text([str(token) for token in tokens])

    async def is_idle(self) -> None:
        """Nothing that was asked waits for its answer."""
        await expect(self.at("[aria-busy=true]")).to_have_count(0)

    async def open_entry(self, token: int) -> None:
        await self.at("#line .entry").filter(has=self.page.locator(".token", has_text=str(token))).click()

    async def choose(self, text: str) -> None:
        """In the sheet that is open."""
        await self.at("dialog[open]").get_by_role("button", name=text).click()

    async def add_walk_in(self, name: str) -> None:
        await self.at("#walk-in").click()
        await self.page.get_by_label("Name").fill(name)
        await self.page.keyboard.press("Enter")
        await expect(self.at("dialog")).to_have_count(0)


async def account(stage: Stage, barber: int = 0, shop: TestShop | None = None) -> str:
    """Makes one for a barber of this shop, or of the stage's; what signs in, behind the # of the page's address."""
    contacts = stage.server.running.app[ACCOUNTS].contacts
    shop = shop or stage.shop
    appointment = Appointment(Role.BARBER, shop.barbers[barber], frozenset({shop.shop_id}))
    return await demo_account(stage.backstage.pool, contacts, f"barber{barber}", appointment)
