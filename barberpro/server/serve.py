"""`barberpro serve`: from settings to a listening server, and down again."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from redis.exceptions import RedisError

from barberpro.handlers.rest.malformed import EnvelopeRunner
from barberpro.server.app import RunningServer, build_server
from barberpro.server.collector import calm_collector
from barberpro.server.embedded import StoreUrls
from barberpro.server.ports import cannot_listen, reserved
from barberpro.server.reach import no_redis
from barberpro.server.settings import Settings
from barberpro.server.stopping import until_stopped
from barberpro.server.stores import node_options, open_stores
from barberpro.server.supervisor import supervise
from barberpro.storage.migrate import migrate
from barberpro.storage.redis import connect
from barberpro.tasks import check_cancelled

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 8.0
_KEPT_SECONDS = 75.0
"""For so long a connection may say nothing between two requests: longer than the proxies of docs/security/abuse.md keep
theirs, for a proxy that sends on one which is just being closed has to answer 502."""


@asynccontextmanager
async def listening(settings: Settings, urls: StoreUrls, *, shared_port: bool = False) -> AsyncIterator[RunningServer]:
    """A server that listens on settings.host and port until the block ends. Raises CannotListenError."""
    server = await build_server(settings, node_options(settings, urls))
    # The doors write the access log.
    runner = EnvelopeRunner(
        server.app,
        settings.handshake_seconds,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_KEPT_SECONDS,
        shutdown_timeout=_DRAIN_SECONDS,
    )
    try:
        await runner.setup()
        await _listen(runner, settings.host, settings.port, "--port", shared=shared_port)
        if settings.metrics_port is not None:
            await _listen(runner, settings.host, settings.metrics_port, "BARBERPRO_METRICS_PORT")
        yield server
    finally:
        server.post_office.stop()
        await server.doors.close()
        await runner.cleanup()
        await server.close()


async def _listen(runner: web.AppRunner, host: str, port: int, setting: str, *, shared: bool = False) -> None:
    try:
        await web.TCPSite(runner, host, port, reuse_port=shared or None).start()
    except OSError as error:
        raise cannot_listen(host, port, setting, error) from error


@asynccontextmanager
async def serving(settings: Settings, urls: StoreUrls, *, shared_port: bool = False) -> AsyncIterator[None]:
    """Like `listening`, for a process that does nothing else."""
    async with listening(settings, urls, shared_port=shared_port):
        check_cancelled()
        calm_collector()
        log.info("listening", url=f"http://{settings.host}:{settings.port}", pid=os.getpid())
        yield


async def run_serve(settings: Settings) -> None:
    await until_stopped(serve(settings))


async def serve(settings: Settings) -> None:
    """Serves until it is cancelled, after the schema was brought up to date. Raises what `telling` has words for."""
    async with open_stores(settings) as urls:
        for revision in await migrate(urls.database_url):
            log.info("migrated", revision=revision)
        await _look_for_redis(urls)
        check_cancelled()
        if settings.workers > 1:
            # Workers share the port among them, and would share it with another server's, too: neither would know.
            async with reserved(settings.host, settings.port, "--port"):
                await supervise(settings, urls)
            return
        async with serving(settings, urls):
            await asyncio.Event().wait()


async def _look_for_redis(urls: StoreUrls) -> None:
    """Tells of a Redis that is not there: we start without it, but its name may be a slip."""
    redis = connect(urls.redis_url)
    try:
        await redis.ping()
    except RedisError as error:
        log.warning("redis_away", why=no_redis(urls.redis_url, error))
    finally:
        await redis.aclose()
