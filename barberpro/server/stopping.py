"""The signals that end a command: SIGINT and SIGTERM."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.get_logger(__name__)


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


@asynccontextmanager
async def stop_event() -> AsyncIterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets, for work that comes to its end by itself then."""
    event = asyncio.Event()
    stop = asyncio.create_task(stop_signal())
    stop.add_done_callback(lambda _: event.set())
    try:
        yield event
    finally:
        stop.cancel()
        await asyncio.gather(stop, return_exceptions=True)


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
