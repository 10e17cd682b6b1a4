"""The server as the application builds it, on a port of its own, for tests that come in as clients do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Actor, Role
from barberpro.server.app import RunningServer, build_server
from barberpro.server.node import NodeOptions
from barberpro.server.settings import Settings
from tests.support.serving import OurTestServer


class LiveServer:
    """`url` is where clients connect; `cut` resets all that have."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self.node = running.node
        self.tokens = running.app[SERVICES].tokens
        self._requests: list[web.Request] = []
        running.app.on_response_prepare.append(self._remember)
        self.server = OurTestServer(running.app)

    @property
    def url(self) -> str:
        return str(self.server.make_url(""))

    def mint(self, role: str, user_id: str, barber_id: str | None, shop_id: str | None) -> str:
        shops = frozenset({shop_id}) if shop_id else frozenset()
        return self.tokens.mint(Actor(user_id, Role(role), barber_id=barber_id, shop_ids=shops))

    def cut(self) -> None:
        """Reset every TCP connection, without a closing word."""
        requests, self._requests = self._requests, []
        for request in requests:
            if request.transport is not None:
                request.transport.abort()

    async def _remember(self, request: web.Request, _response: web.StreamResponse) -> None:
        self._requests.append(request)


@asynccontextmanager
async def live_server(options: NodeOptions, keys_directory: Path) -> AsyncIterator[LiveServer]:
    """A started server with the keys of this directory, which are made if missing; stopped at the end."""
    settings = Settings(
        _env_file=None,
        keys_dir=keys_directory,
        requests_per_minute=0,
        connections_per_user=10_000,
        commands_per_10_seconds=100_000,
    )
    running = await build_server(settings, options)
    live = LiveServer(running)
    try:
        await live.server.start_server()
        yield live
    finally:
        live.cut()
        await running.doors.close()
        await live.server.close()
        await running.close()
