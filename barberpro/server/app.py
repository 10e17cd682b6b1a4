"""The application: a node behind its doors."""

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import signing_key
from barberpro.handlers.pages import read_parts, setup_pages
from barberpro.handlers.realtime.socketio import SocketIODoor
from barberpro.handlers.rest import setup_rest
from barberpro.handlers.rest.health import READY
from barberpro.handlers.services import SERVICES, Limits, Services
from barberpro.queue.estimate import PlannedMinutes
from barberpro.queue.states import StateBuilder
from barberpro.server.node import Node, NodeOptions
from barberpro.server.settings import Settings
from barberpro.storage.postgres import Away
from barberpro.storage.sealing import sealer

log = structlog.get_logger(__name__)

_READY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A node, its doors, and the aiohttp application that serves them."""

    node: Node
    door: SocketIODoor
    app: web.Application

    async def close(self) -> None:
        """Closes the doors first, then finishes what is in flight, then lets go of the stores."""
        await self.door.close()
        await self.node.close()


async def build_server(settings: Settings, options: NodeOptions) -> RunningServer:
    """Starts a node and builds its doors. Raises what Node.start raises, KeyFileError and SealingKeyError."""
    tokens = Tokens(await asyncio.to_thread(signing_key, settings.keys_directory, create=settings.makes_keys))
    seals = await asyncio.to_thread(sealer, settings.keys_directory, create=settings.makes_keys)
    node = await Node.start(options, seals.seal)
    services = Services(
        engine=node.engine,
        views=node.views,
        catalogue=node.catalogue,
        states=StateBuilder(PlannedMinutes()),
        tokens=tokens,
        pool=node.pool,
        redis=node.redis,
        redis_prefix=settings.redis_prefix,
        limits=Limits(
            requests_per_minute=settings.requests_per_minute,
            rooms_per_connection=settings.rooms_per_connection,
            message_bytes=settings.message_bytes,
        ),
    )
    app = web.Application(client_max_size=settings.message_bytes)
    app[SERVICES] = services
    app[READY] = lambda: _ready(node)
    setup_rest(app)
    setup_pages(app, await asyncio.to_thread(read_parts))
    door = SocketIODoor(services, list(settings.cors_origins) if "*" not in settings.cors_origins else "*")
    door.attach(app)
    door.hub.start()
    return RunningServer(node, door, app)


async def _ready(node: Node) -> dict[str, bool]:
    """Whether each part that commands need answers now."""

    async def answers(question: Any) -> bool:  # noqa: ANN401 - whatever the store's client awaits
        try:
            await asyncio.wait_for(question, _READY_SECONDS)
        except (*Away, RedisError):
            return False
        return True

    postgres, redis = await asyncio.gather(answers(node.pool.fetchval("SELECT 1")), answers(node.redis.ping()))
    return {"postgres": postgres, "redis": redis, "journal": not node.journal.down}
