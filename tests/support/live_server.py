"""A node with its Socket.IO door on a port of its own, for tests that come in as clients do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from barberpro.domain.identity import Tokens
from barberpro.handlers.realtime.socketio import SocketIODoor
from barberpro.handlers.services import Limits, Services
from barberpro.protocol.actors import Actor, Role
from barberpro.queue.estimate import PlannedMinutes
from barberpro.queue.states import StateBuilder
from barberpro.server.node import Node, NodeOptions
from tests.support.shops import running


class LiveServer:
    """`url` is where clients connect; `cut` resets all that have."""

    def __init__(self, node: Node, tokens: Tokens, prefix: str) -> None:
        self.node = node
        self.tokens = tokens
        self._requests: list[web.Request] = []
        services = Services(
            engine=node.engine,
            views=node.views,
            catalogue=node.catalogue,
            states=StateBuilder(PlannedMinutes()),
            tokens=tokens,
            pool=node.pool,
            redis=node.redis,
            redis_prefix=prefix,
            limits=Limits(),
        )
        self.door = SocketIODoor(services, "*")
        application = web.Application()
        application.on_response_prepare.append(self._remember)
        self.door.attach(application)
        self.server = TestServer(application)

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
async def live_server(options: NodeOptions, tokens: Tokens) -> AsyncIterator[LiveServer]:
    """A started server, stopped at the end."""
    async with running(options) as node:
        live = LiveServer(node, tokens, options.prefix)
        live.door.hub.start()
        await live.server.start_server()
        try:
            yield live
        finally:
            live.cut()
            await live.door.close()
            await live.server.close()
