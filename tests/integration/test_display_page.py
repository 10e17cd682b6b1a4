"""The shop's screen in a real browser, before a real server: it moves, calls, and says honestly when it is cut off."""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from barberpro.protocol.actors import Role
from tests.support.browsers import Console, browser_page, chromium
from tests.support.programs import Program
from tests.support.raw_socketio import raw_client
from tests.support.shops import Json, new_id
from tests.support.sites import STOP_SECONDS, Site, kill

CALLS = """
window.calls = [];
new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
  if (node.textContent) window.calls.push(node.textContent);
}))).observe(document.getElementById("call"), { childList: true, subtree: true });
"""


class Screen:
    """A seeded shop, the page that shows it, and its admin's commands."""

    def __init__(self, site: Site, shop: Json, page: Page, token: str) -> None:
        self.site = site
        self.shop = shop
        self.page = page
        self.console = Console(page)
        self._token = token

    async def open(self) -> None:
        await self.page.goto(f"{self.site.url}/display/{self.shop['shopId']}")
        await expect(self.fresh).to_have_attribute("data-state", "live")
        await self.page.evaluate(CALLS)

    @property
    def fresh(self) -> Locator:
        return self.page.locator("#fresh")

    def card(self, barber: int) -> Locator:
        return self.page.locator("section").nth(barber)

    async def calls(self) -> list[str]:
        """What was announced since the page was opened."""
        calls: list[str] = await self.page.evaluate("window.calls")
        return calls

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


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """In the place of the one that fails such tests: Playwright reads files at every call; the server is elsewhere."""


@pytest.fixture(scope="module")
def browser() -> str:
    return chromium()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    yield site
    await site.clear_away()


async def test_the_screen_shows_the_shop_moves_and_calls_each_token_once(site: Site, browser: str) -> None:
    async with site.serving(), screen_at(site, browser) as screen:
        await screen.open()
        await expect(screen.page.locator("h1")).to_have_text("Corner Barbers")
        await expect(screen.page.locator("h2")).to_have_text(["Asha", "Ben", "Carlos"])
        await expect(screen.card(0).locator(".status")).to_have_text("Closed")
        await screen.send(0, OPEN, *[screen.join() for _ in range(4)])
        await expect(screen.card(0).locator(".status")).to_have_text("Open")
        await expect(screen.card(0).locator(".next dd")).to_have_text("1")
        await expect(screen.card(0).locator("li")).to_have_text([re.compile(f"^{token}") for token in (2, 3, 4)])
        await screen.send(0, ADVANCE)
        await expect(screen.card(0).locator(".serving dd")).to_have_text("1")
        await screen.send(1, OPEN, screen.join(), ADVANCE)
        await expect(screen.card(1).locator(".serving dd")).to_have_text("1")
        await screen.send(0, {"type": "pause"})
        await expect(screen.card(0).locator(".status")).to_have_text("Paused")
        calls = await screen.calls()
        assert calls == ["Token 1, please come to Asha", "Token 1, please come to Ben"]
        assert "Secret" not in await screen.page.content()
        assert screen.console.errors == []


async def test_the_screen_says_that_it_is_cut_off_and_shows_the_truth_afterwards(site: Site, browser: str) -> None:
    async with AsyncExitStack() as stack:
        server: Program = await stack.enter_async_context(site.serving())
        screen = await stack.enter_async_context(screen_at(site, browser))
        await screen.open()
        await screen.send(0, OPEN, screen.join(), screen.join())
        await expect(screen.card(0).locator(".next dd")).to_have_text("1")
        kill(server.pid)
        await expect(screen.fresh).to_have_attribute("data-state", "lost")
        await expect(screen.fresh).to_contain_text("Connection lost, last update")
        await expect(screen.card(0).locator(".next dd")).to_have_text("1")
        async with site.serving() as again:
            await screen.send(0, ADVANCE)
            for barber in (1, 2):
                await screen.send(barber, OPEN, screen.join())
            await expect(screen.fresh).to_have_attribute("data-state", "live")
            await expect(screen.card(0).locator(".serving dd")).to_have_text("1")
            await expect(screen.card(1).locator(".next dd")).to_have_text("1")
            await expect(screen.card(2).locator(".next dd")).to_have_text("1")
            assert await screen.calls() == [f"Token 1, please come to {name}" for name in ("Asha", "Ben", "Carlos")]
            assert screen.console.errors == []
            assert (await again.end(signal.SIGTERM, STOP_SECONDS)).code == 0
