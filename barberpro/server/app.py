"""The application: a node behind its doors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import web

from barberpro.domain.accounts.service import Accounts
from barberpro.domain.accounts.sessions import Lifetimes
from barberpro.domain.blocks import Blocks
from barberpro.domain.find import Find
from barberpro.domain.identity import Tokens
from barberpro.domain.key_watch import KeyWatch, SealingKeys, SigningKeys
from barberpro.domain.keys import key_ring
from barberpro.domain.no_shows import NoShows
from barberpro.domain.revocations import Revocations
from barberpro.handlers import metrics as door_metrics
from barberpro.handlers.asyncapi import setup_asyncapi
from barberpro.handlers.callers import Proxies
from barberpro.handlers.openapi import setup_openapi
from barberpro.handlers.pages import setup_pages
from barberpro.handlers.parts import read_parts
from barberpro.handlers.ratelimit import RateLimiter
from barberpro.handlers.ratelimit.gate import Gate
from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.rest import setup_rest
from barberpro.handlers.rest.exposition import FIGURES
from barberpro.handlers.rest.health import READY
from barberpro.handlers.rest.tracing import traced as traced_requests
from barberpro.handlers.services import ACCOUNTS, SERVICES, Limits, Services
from barberpro.queue import metrics as engine_metrics
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.states import StateBuilder
from barberpro.server.letters.post_office import PostOffice, transports
from barberpro.server.node import Node, NodeOptions
from barberpro.server.providers import id_token_providers
from barberpro.server.readiness import Readiness
from barberpro.server.search_index import SearchIndex
from barberpro.server.settings import Settings
from barberpro.server.traces import switch_on_traces
from barberpro.storage.cache import Cache
from barberpro.storage.sealing import Sealer, sealer


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A node, its doors, and the aiohttp application that serves them.

    In the end no job is begun any more, the doors are closed, then what serves the application, then this.
    """

    node: Node
    doors: LiveDoors
    app: web.Application
    revocations: Revocations
    key_watch: KeyWatch
    post_office: PostOffice
    opened: AsyncExitStack

    async def close(self) -> None:
        """After the doors, and after what serves the application."""
        await self.opened.aclose()


async def build_server(settings: Settings, options: NodeOptions) -> RunningServer:
    """Starts a node and builds its doors. Raises what Node.start raises, KeyFileError and SealingKeyError."""
    production = settings.environment == "production"
    keys = await asyncio.to_thread(key_ring, settings.keys_directory, create=settings.makes_keys, production=production)
    providers = await asyncio.to_thread(id_token_providers, settings)
    seals = await asyncio.to_thread(sealer, settings.keys_directory, create=settings.makes_keys)
    ways = await asyncio.to_thread(transports, settings)
    traced = options.traced or await asyncio.to_thread(switch_on_traces)
    async with AsyncExitStack() as opened:
        node = await Node.start(replace(options, traced=traced), seals.seal, seals.lookup)
        opened.push_async_callback(node.close)
        closes = await opened.enter_async_context(_closed_at_once())
        revocations = Revocations(node.pool, options.database_url)
        closes.append(revocations.close)
        await revocations.start()
        blocks = _blocks(settings, node)
        closes.append(blocks.close)
        await blocks.start()
        post_office = await PostOffice.open(options.database_url, options.patience, seals, ways)
        closes.append(post_office.close)
        search_index = await SearchIndex.open(options.database_url, options.patience)
        closes.append(search_index.close)
        tokens = Tokens(keys, revocations.covers)
        services = _services(settings, options, node, tokens, seals, blocks, search_index)
        lifetimes = Lifetimes(settings.access_seconds, settings.refresh_days)
        accounts = Accounts.build(node.pool, seals, tokens, revocations, lifetimes, settings.pages_url, providers)
        opened.callback(accounts.close)
        app, doors = await _app(settings, services, accounts, traced=traced)
        app[READY] = Readiness(node, doors.pulses).parts
        app[FIGURES] = (
            engine_metrics.TALLIES, node.figures, door_metrics.TALLIES, doors.figures, post_office, search_index,
        )  # fmt: skip
        doors.start()
        revocations.listeners.append(doors.expel_revoked)
        directory = settings.keys_directory
        signing = SigningKeys(directory, tokens, doors.expel_revoked, production=production)
        key_watch = KeyWatch([signing, SealingKeys(directory, seals)])
        opened.push_async_callback(key_watch.close)
        key_watch.start()
        search_index.start()
        return RunningServer(node, doors, app, revocations, key_watch, post_office, opened.pop_all())


@asynccontextmanager
async def _closed_at_once() -> AsyncIterator[list[Callable[[], Awaitable[None]]]]:
    """Whatever is put into the list is closed in the end, all at the same time: each may wait for a silent store."""
    closes: list[Callable[[], Awaitable[None]]] = []
    try:
        yield closes
    finally:
        outcomes = await asyncio.gather(*(close() for close in closes), return_exceptions=True)
        for problem in outcomes:
            if problem is not None:
                raise problem


def _blocks(settings: Settings, node: Node) -> Blocks:
    return Blocks(node.pool, settings.block_minutes * 60, (*settings.never_blocked, *settings.trusted_proxies))


def _services(
    settings: Settings,
    options: NodeOptions,
    node: Node,
    tokens: Tokens,
    seals: Sealer,
    blocks: Blocks,
    search_index: SearchIndex,
) -> Services:
    return Services(
        engine=node.engine,
        views=node.views,
        catalogue=node.catalogue,
        states=StateBuilder(PaceEstimator()),
        tokens=tokens,
        pool=node.pool,
        keys=node.keys,
        limits=Limits(
            requests_per_minute=settings.requests_per_minute,
            rooms_per_connection=settings.rooms_per_connection,
            connections_per_user=settings.connections_per_user,
            commands=settings.commands_per_10_seconds,
            message_bytes=settings.message_bytes,
            waiting_bytes=settings.waiting_bytes,
            slow_seconds=settings.slow_seconds,
            handshake_seconds=settings.handshake_seconds,
            body_seconds=settings.body_seconds,
        ),
        public_url=settings.public_url,
        gate=Gate(RateLimiter(node.redis, options.prefix, settings.requests_per_minute, seals.lookup), blocks),
        no_shows=NoShows(node.pool, settings.no_shows, settings.no_show_days),
        find=Find(search_index.pool, Cache(node.redis, options.prefix, "find"), search_index.refresh),
        proxies=Proxies(settings.trusted_proxies),
        origins=list(settings.cors_origins) if "*" not in settings.cors_origins else "*",
    )


async def _app(
    settings: Settings, services: Services, accounts: Accounts, *, traced: bool
) -> tuple[web.Application, LiveDoors]:
    """The application with all its doors, of which none is open yet."""
    app = web.Application(client_max_size=settings.message_bytes)
    app[SERVICES] = services
    app[ACCOUNTS] = accounts
    if traced:
        app.middlewares.append(traced_requests)
    setup_rest(app)
    setup_asyncapi(app)
    setup_openapi(app)
    setup_pages(app, await asyncio.to_thread(read_parts))
    doors = LiveDoors(services)
    doors.attach(app)
    return app, doors
