"""The server as the application builds it, on a port of its own, for tests that come in as clients do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Actor, Role
from barberpro.server.app import RunningServer, build_server
from barberpro.server.node import NodeOptions
from barberpro.server.settings import Settings
from tests.support.serving import OurTestServer


class LiveServer:
    """`url` is where clients connect; `cut` resets all that have."""

    def __init__(self, running: RunningServer, port: int | None) -> None:
        self.running = running
        self.node = running.node
        self.tokens = running.app[SERVICES].tokens
        self._seen: set[asyncio.Transport] = set()
        running.app.middlewares.append(self._remember)
        self.server = OurTestServer(running.app, port=port)

    @property
    def url(self) -> str:
        return str(self.server.make_url(""))

    def mint(self, role: str, user_id: str, barber_id: str | None, shop_id: str | None) -> str:
        shops = frozenset({shop_id}) if shop_id else frozenset()
        return self.tokens.mint(Actor(user_id, Role(role), barber_id=barber_id, shop_ids=shops))

    @property
    def transports(self) -> list[asyncio.Transport]:
        """Of all who are connected: those that aiohttp has, and those that were taken over from it."""
        runner = self.server.runner
        assert runner is not None
        assert runner.server is not None
        held = {each.transport for each in runner.server.connections if each.transport is not None}
        return [transport for transport in held | self._seen if not transport.is_closing()]

    @web.middleware
    async def _remember(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.transport is not None:
            self._seen.add(request.transport)
        return await handler(request)

    def cut(self) -> None:
        """Reset every TCP connection, without a closing word."""
        for transport in self.transports:
            transport.abort()


@asynccontextmanager
async def live_server(
    options: NodeOptions,
    keys_directory: Path,
    port: int | None = None,
    slow_seconds: float = 5.0,
    *,
    farewell: bool = False,
) -> AsyncIterator[LiveServer]:
    """A started server with the keys of this directory, which are made if missing; stopped at the end.

    farewell: whether its clients are told then, or cut off.
    """
    settings = Settings(
        _env_file=None,
        keys_dir=keys_directory,
        requests_per_minute=0,
        connections_per_user=10_000,
        commands_per_10_seconds=100_000,
        slow_seconds=slow_seconds,
        trusted_proxies="127.0.0.0/8",  # a test may come from as many addresses as it likes
    )
    running = await build_server(settings, options)
    live = LiveServer(running, port)
    try:
        await live.server.start_server()
        yield live
    finally:
        if not farewell:
            live.cut()
        await running.doors.close()
        await live.server.close()
        await running.close()
