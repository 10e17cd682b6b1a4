"""`barberpro serve`: from settings to a listening server, and down again."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web

from barberpro.server.app import RunningServer, build_server
from barberpro.server.collector import calm_collector
from barberpro.server.embedded import StoreUrls
from barberpro.server.settings import Settings
from barberpro.server.stores import node_options, open_stores
from barberpro.storage.migrate import migrate

log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 8.0
_RESTART_SECONDS = 1.0


class PortTakenError(Exception):
    """Another program listens there; the message names host and port."""


@asynccontextmanager
async def listening(settings: Settings, urls: StoreUrls, *, shared_port: bool = False) -> AsyncIterator[RunningServer]:
    """A server that listens on settings.host and port until the block ends. Raises PortTakenError."""
    server = await build_server(settings, node_options(settings, urls))
    # The doors write the access log.
    runner = web.AppRunner(server.app, access_log=None, handle_signals=False, shutdown_timeout=_DRAIN_SECONDS)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, reuse_port=shared_port or None)
        try:
            await site.start()
        except OSError as error:
            raise PortTakenError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
                "end the program that does, or give another --port"
            ) from error
        yield server
    finally:
        await server.door.close()
        await runner.cleanup()
        await server.node.close()


async def stop_signal() -> None:
    """Returns at the first SIGINT or SIGTERM; a second one ends the process the hard way."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` until a signal comes; it is cancelled then, wherever it is, and has cleaned up when this returns.

    Raises what `work` raises.
    """
    working, stop = asyncio.create_task(work), asyncio.create_task(stop_signal())
    try:
        await asyncio.wait((working, stop), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            log.info("stopping")
            working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    finally:
        stop.cancel()
        await asyncio.gather(stop, return_exceptions=True)


async def serve(settings: Settings) -> None:
    """Serves until it is cancelled, after the schema was brought up to date."""
    async with open_stores(settings) as urls:
        for revision in await migrate(urls.database_url):
            log.info("migrated", revision=revision)
        if settings.workers > 1:
            await _supervise(settings, urls)
            return
        shared = os.environ.get("BARBERPRO_SHARED_PORT") == "1"
        async with listening(settings, urls, shared_port=shared):
            calm_collector()
            log.info("listening", url=f"http://{settings.host}:{settings.port}", pid=os.getpid())
            await (_until_orphaned() if shared else asyncio.Event().wait())


async def _until_orphaned() -> None:
    """Returns when the supervisor of this worker is gone: its end of our standard input is closed then."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def _supervise(settings: Settings, urls: StoreUrls) -> None:
    """Runs the workers as processes of their own on one port, and starts anew those that die."""
    environment = {
        **os.environ,
        # The names that go first: the environment may hold the others.
        "BARBERPRO_DATABASE_URL": urls.database_url,
        "BARBERPRO_REDIS_URL": urls.redis_url,
        "BARBERPRO_KEYS_DIR": str(settings.keys_directory.absolute()),
        "BARBERPRO_WORKERS": "1",
        "BARBERPRO_SHARED_PORT": "1",
        "BARBERPRO_HOST": settings.host,
        "BARBERPRO_PORT": str(settings.port),
    }
    environment.pop("BARBERPRO_EMBEDDED", None)
    keepers = [asyncio.create_task(_keep_worker(environment), name=f"worker-{n}") for n in range(settings.workers)]
    try:
        await asyncio.gather(*keepers)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep_worker(environment: dict[str, str]) -> None:
    while True:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the workers in order.
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "barberpro",
            "serve",
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            code = await worker.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
            await worker.wait()
            raise
        log.error("worker_died", pid=worker.pid, code=code)
        await asyncio.sleep(_RESTART_SECONDS)
