"""A shop's screen in a browser, as a test sees it. Holds no tests itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Page, expect

from barberpro.protocol.actors import Role
from tests.support.browsers import Console, browser_page, until
from tests.support.raw_socketio import raw_client
from tests.support.shops import Json, new_id
from tests.support.sites import Site

REMEMBER = """
window.calls = [];
window.served = [];
new MutationObserver(() => {
  const text = document.getElementById("call").textContent;
  if (text) window.calls.push(text);
}).observe(document.getElementById("call"), { childList: true, characterData: true, subtree: true });
new MutationObserver(() => {
  const token = document.querySelector("section .serving dd").textContent;
  if (Number(token) && token !== window.served.at(-1)) window.served.push(token);
}).observe(document.getElementById("line"), { childList: true, characterData: true, subtree: true });
"""
BRIEFLY = """
const kept = JSON.parse(localStorage.getItem("barberpro.display"));
localStorage.setItem("barberpro.display", JSON.stringify({ callSeconds: 0.05, ...kept }));
"""
"""Calls are shown for so long, so that a test does not wait for them."""


class Screen:
    """A seeded shop, the page that shows it, and its admin's commands."""

    def __init__(self, site: Site, shop: Json, page: Page, token: str) -> None:
        self.site = site
        self.shop = shop
        self.page = page
        self.console = Console(page)
        self._token = token

    async def open(self, url: str | None = None) -> None:
        """url: of the server; the site's own when None."""
        await self.page.add_init_script(BRIEFLY)
        await self.page.goto(f"{url or self.site.url}/display/{self.shop['shopId']}")
        await expect(self.fresh).to_have_attribute("data-state", "live")
        await self.page.evaluate(REMEMBER)

    @property
    def fresh(self) -> Locator:
        return self.page.locator("#fresh")

    def card(self, barber: int) -> Locator:
        return self.page.locator("section").nth(barber)

    async def calls(self, count: int) -> list[str]:
        """What was announced since the page was opened, once it is as much as that and nothing more is to come."""
        await until(self.page, f"calls.length >= {count} && !document.getElementById('call').textContent")
        calls: list[str] = await self.page.evaluate("calls")
        return calls

    async def served(self) -> list[str]:
        """Who the first barber was seen to serve since the page was opened, one after the other."""
        served: list[str] = await self.page.evaluate("window.served")
        return served

    async def send(self, barber: int, *documents: Json) -> None:
        """Commands of this barber's, one after the other."""
        async with raw_client(self.site.url, {"token": self._token}) as client:
            for document in documents:
                named = {"barberId": self.shop["barbers"][barber]["barberId"], **document}
                ack = await client.command(commandId=new_id(), **named)
                assert ack["ok"], ack

    def join(self) -> Json:
        service = self.shop["barbers"][0]["services"][0]["serviceId"]
        return {"type": "join", "serviceIds": [service], "customer": {"name": "Ann Secret"}}


OPEN: dict[str, Any] = {"type": "open"}
ADVANCE: dict[str, Any] = {"type": "advance"}


@asynccontextmanager
async def screen_at(site: Site, browser: str) -> AsyncIterator[Screen]:
    async with browser_page(browser) as page:
        shop = await site.seed()
        yield Screen(site, shop, page, await site.mint(Role.ADMIN))
