"""A shop, its server and a browser, for tests of pages. Holds no tests itself."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page

from barberpro.protocol.actors import Actor, Role
from barberpro.queue.engine import Result
from barberpro.server.node import Node, NodeOptions
from tests.support.browsers import Console, new_page
from tests.support.live_server import LiveServer, live_server
from tests.support.shops import TestShop, running, send


class Stage:
    """`shop` is worked over another node than the server's, so that it moves while that one is away."""

    def __init__(
        self, options: NodeOptions, directory: Path, browser: Browser, backstage: Node, shop: TestShop
    ) -> None:
        self.browser = browser
        self.backstage = backstage
        self.shop = shop
        self._options = options
        self._directory = directory
        self._port: int | None = None
        self._running = AsyncExitStack()
        self._consoles: list[Console] = []
        self.server: LiveServer

    async def start(self) -> None:
        """On the same port and with the same keys as before."""
        self.server = await self._running.enter_async_context(
            live_server(self._options, self._directory, port=self._port)
        )
        self._port = self.server.server.port

    async def stop(self) -> None:
        """As a kill would: nobody is told."""
        await self._running.aclose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def page(self, **options: object) -> Page:
        """A page in a browser context of its own. options: of the context, such as viewport, locale, color_scheme."""
        page = await new_page(self.browser, **options)
        self._consoles.append(Console(page))
        return page

    @property
    def complaints(self) -> list[str]:
        """What the pages complained of."""
        return [text for console in self._consoles for text in console.errors]

    def token(self, actor: Actor) -> str:
        return self.server.tokens.mint(actor)

    def staff_token(self, barber: int = 0) -> str:
        """Of a barber of the shop."""
        actor = self.shop.staff[barber]
        return self.server.mint(Role.BARBER, actor.id, actor.barber_id, self.shop.shop_id)

    async def does(self, barber: int, kind: str, **fields: object) -> Result:
        """A command of a barber's own, over the other node."""
        named = {} if "bookingId" in fields else {"barberId": self.shop.barbers[barber]}
        return await send(self.backstage, self.shop.staff[barber], type=kind, **named, **fields)


@asynccontextmanager
async def stage_for(options: NodeOptions, directory: Path, browser: Browser, barbers: int = 2) -> AsyncIterator[Stage]:
    """A started stage, whose shop is open. Fails the test when a page complained in its console.

    browser: has no pages yet; at the end it has none again.
    """
    async with running(options) as backstage:
        shop = await TestShop.create(backstage, barbers=barbers)
        await shop.open(backstage)
        stage = Stage(options, directory, browser, backstage, shop)
        await stage.start()
        try:
            yield stage
            complaints = stage.complaints
            assert not complaints, complaints
        finally:
            await stage.stop()
            for context in browser.contexts:
                await context.close()
