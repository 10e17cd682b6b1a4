"""The shop's screen in a real browser, before a real server: it moves, calls, and says honestly when it is cut off."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import expect

from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from loadtests.faults.network import Network
from tests.support.crowd import Crowd
from tests.support.faults import forget_everything, remove_file
from tests.support.programs import Program
from tests.support.screens import ADVANCE, OPEN, Screen, screen_at
from tests.support.shops import ADMIN, Json, TestShop, running
from tests.support.sites import STOP_SECONDS, Site, kill

SHOWN_MS = 20_000


class Line:
    """A barber's, commanded over another server than the screen's."""

    def __init__(self, node: Node, screen: Screen, barber: int = 0) -> None:
        self._screen = screen
        self._barber = barber
        barbers = [barber["barberId"] for barber in screen.shop["barbers"]]
        self._crowd = Crowd([node], TestShop(screen.shop["shopId"], barbers, ""))
        self.called = 0

    async def send(self, *documents: Json) -> None:
        """Each again and again, until it is taken."""
        for document in documents:
            result = await self._crowd.send(ADMIN, barberId=self._crowd.shop.barbers[self._barber], **document)
            assert result is not None, self._crowd.refused

    async def calls_the_next(self) -> None:
        await self.send(ADVANCE)
        self.called += 1

    async def is_shown(self) -> None:
        served = self._screen.card(self._barber).locator(".serving dd")
        await expect(served).to_have_text(str(self.called), timeout=SHOWN_MS)
        await expect(self._screen.fresh).to_have_attribute("data-state", "live", timeout=SHOWN_MS)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    yield site
    await site.clear_away()


async def test_the_screen_shows_the_shop_moves_and_calls_each_token_once(site: Site, chromium: str) -> None:
    async with site.serving(), screen_at(site, chromium) as screen:
        await screen.open()
        await expect(screen.page.locator("h1")).to_have_text("Corner Barbers")
        await expect(screen.page.locator("#line h2")).to_have_text(["Asha", "Ben", "Carlos"])
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
        assert await screen.calls(2) == ["Token 1\nAsha", "Token 1\nBen"]
        assert "Secret" not in await screen.page.content()
        assert screen.console.errors == []


async def test_a_screen_left_open_shows_the_truth_by_itself_after_every_outage(site: Site, chromium: str) -> None:
    """Somebody is called in each of them, over another server; nobody touches the page, and it never goes back."""
    stores = EmbeddedServices(site.directory)
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(stores)
        server: Program = await stack.enter_async_context(site.serving())
        other = await stack.enter_async_context(running(NodeOptions(urls.database_url, urls.redis_url)))
        network = await stack.enter_async_context(Network(site.port))
        screen = await stack.enter_async_context(screen_at(site, chromium))
        line = Line(other, screen)
        await screen.open(network.url)
        await line.send(OPEN, *[screen.join() for _ in range(7)])
        await line.calls_the_next()
        await line.is_shown()

        kill(server.pid)
        await expect(screen.fresh).to_have_attribute("data-state", "lost")
        await expect(screen.fresh).to_contain_text("Connection lost, last update")
        await line.calls_the_next()
        # The next server has another key: the page's token is good no more.
        await asyncio.to_thread((site.directory / "keys" / "signing-key.pem").unlink)
        again: Program = await stack.enter_async_context(site.serving())
        await line.is_shown()

        await forget_everything(other.redis)
        await line.calls_the_next()
        await line.is_shown()

        await stores.valkey.kill()
        await asyncio.to_thread(remove_file, stores)
        await stores.valkey.start()
        await line.calls_the_next()
        await line.is_shown()

        await network.cut()
        await line.calls_the_next()
        for barber in (1, 2):
            await Line(other, screen, barber).send(OPEN, screen.join())
        await expect(screen.fresh).to_have_attribute("data-state", "lost")
        await network.mend()
        await line.is_shown()

        network.fall_silent()
        await line.calls_the_next()
        await network.mend()  # for new connections; the page's stays dumb, and nobody tells it
        await line.is_shown()

        tokens = [str(token) for token in range(1, line.called + 1)]
        assert await screen.served() == tokens
        called = [*((token, "Asha") for token in tokens), ("1", "Ben"), ("1", "Carlos")]
        calls = await screen.calls(len(called))
        assert sorted(calls) == sorted(f"Token {token}\n{name}" for token, name in called)
        assert screen.console.errors == []
        assert (await again.end(signal.SIGTERM, STOP_SECONDS)).code == 0
