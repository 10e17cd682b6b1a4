"""A day in a shop: two customers with their phones, a barber at the console, and the screen on the wall."""

import re
from decimal import Decimal

from playwright.async_api import Page, expect

from tests.support.browsers import until
from tests.support.consoles import PHONE, ConsolePage, account
from tests.support.phones import Phone
from tests.support.screens import BRIEFLY
from tests.support.stage import Stage

NOBODY = "\N{EN DASH}"
ANNOUNCED = """
window.calls = [];
document.addEventListener("DOMContentLoaded", () => {
  const call = document.getElementById("call");
  if (!call) return;
  new MutationObserver(() => { if (call.textContent) window.calls.push(call.textContent); })
    .observe(call, { childList: true, characterData: true, subtree: true });
});
"""


class Wall:
    """The shop's screen, and the first barber's card on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.locator("section").first

    @classmethod
    async def of(cls, stage: Stage) -> "Wall":
        wall = cls(await stage.page(viewport={"width": 1920, "height": 1080}))
        for script in (BRIEFLY, ANNOUNCED):
            await wall.page.add_init_script(script)
        await wall.page.goto(f"{stage.url}/display/{stage.shop.shop_id}")
        await expect(wall.page.locator("#fresh")).to_have_attribute("data-state", "live")
        return wall

    async def shows(self, serving: str, following: str, *waiting: str) -> None:
        """Numbers, or NOBODY."""
        await expect(self.card.locator(".serving dd")).to_have_text(serving)
        await expect(self.card.locator(".next dd")).to_have_text(following)
        await expect(self.card.locator(".waiting li")).to_have_text([re.compile(f"^{each}") for each in waiting])

    async def called(self, count: int) -> list[str]:
        """The numbers that were announced, in their order, when there are so many and nothing more is to come."""
        await until(self.page, f"calls.length >= {count} && !document.getElementById('call').textContent")
        calls: list[str] = await self.page.evaluate("calls")
        return [re.findall(r"\d+", call)[0] for call in calls]


async def test_a_day_of_a_customer_a_barber_and_a_screen(stage: Stage) -> None:
    await stage.does(0, "close", waiting="keep")
    wall = await Wall.of(stage)
    barber = await ConsolePage.of(stage, await account(stage), viewport=PHONE)
    await barber.main.click()
    await expect(wall.card.locator(".status")).to_have_text("Open")

    ana = await Phone.at_the_door(stage)
    await ana.join("Ana")
    bo = await Phone.at_the_door(stage)
    await bo.join("Bo")
    await barber.add_walk_in("Cleo")
    await ana.reads(number="1", place="You are next")
    await bo.reads(number="2", place="1 person before you")
    await barber.has_next(1)
    await barber.has_waiting(2, 3)
    await wall.shows(NOBODY, "1", "2", "3")

    await barber.main.click()
    await ana.reads(place="It is your turn")
    await bo.reads(place="You are next")
    await wall.shows("1", "2", "3")
    await bo.part("step-back").click()
    await bo.page.locator("#places button").first.click()
    await wall.shows("1", "3", "2")
    await barber.has_next(3)
    await bo.reads(place="1 person before you")

    # The server is away while the barber goes on, and Bo has no network.
    await bo.page.context.set_offline(offline=True)
    await stage.stop()
    await expect(wall.page.locator("#fresh")).to_have_attribute("data-state", "lost")
    await barber.page.get_by_label("Cash").check()
    await barber.main.click()
    await expect(barber.main).to_have_attribute("aria-busy", "true")
    await barber.has_in_the_chair(1)
    await stage.start()
    await barber.has_in_the_chair(3)
    await wall.shows("3", "2")
    await ana.reads(place="Done. Thank you!")
    await barber.is_idle()
    await barber.main.click()
    await wall.shows("2", NOBODY)
    await bo.page.context.set_offline(offline=False)
    await bo.reads(place="It is your turn")

    await barber.page.get_by_label("UPI").check()
    await barber.page.get_by_label("Tip").fill("30")
    await barber.main.click()
    await bo.reads(place="Done. Thank you!")
    await barber.at("#status").click()
    await barber.choose("Close for today")
    await barber.choose("Close for today")
    await expect(wall.card.locator(".status")).to_have_text("Closed")
    await expect(barber.at("[data-figure=figCompleted]")).to_have_text("3")
    await expect(barber.at("[data-figure=figEarned]")).to_have_text("₹530.00")
    assert await wall.called(3) == ["1", "3", "2"]
    paid = await stage.backstage.pool.fetch("SELECT amount FROM payment_ledger ORDER BY amount")
    assert [line["amount"] for line in paid] == [Decimal(30), Decimal(250), Decimal(250)]
