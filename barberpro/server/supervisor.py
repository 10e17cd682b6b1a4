"""`serve --workers N`: processes that share one port, and one that keeps them running."""

import asyncio
import contextlib
import sys
import time
from typing import Final

import structlog

from barberpro.server.embedded import StoreUrls
from barberpro.server.settings import Settings

log = structlog.get_logger(__name__)

REFUSED: Final = 2
"""The exit code of a worker that would end the same way again; it has said why on its standard output."""
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
_STEADY_SECONDS: Final = 60.0


class WorkerRefusedError(Exception):
    """A worker cannot work with these settings; the message is its own."""


async def supervise(settings: Settings, urls: StoreUrls) -> None:
    """Runs the workers until it is cancelled, and starts anew those that die. Returns behind the last one's end.

    Raises WorkerRefusedError.
    """
    keepers = [
        asyncio.create_task(_keep_worker(settings_line(settings, urls, number)), name=f"worker-{number}")
        for number in range(settings.workers)
    ]
    try:
        refused, _ = await asyncio.wait(keepers, return_when=asyncio.FIRST_EXCEPTION)
        for keeper in refused:
            keeper.result()
    finally:
        # Once each: asked again, they would not wait for workers that still say goodbye to their clients.
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


def settings_line(settings: Settings, urls: StoreUrls, number: int) -> bytes:
    """What a worker is told: these settings in one line of JSON, with the stores and keys that the supervisor has.

    number: the worker's, from 0. Each is asked for its own figures on a port of its own.
    """
    told = {
        "metrics_port": settings.metrics_port + number if settings.metrics_port is not None else None,
        "embedded": None,
        "database_url": urls.database_url,
        "redis_url": urls.redis_url,
        "keys_dir": settings.keys_directory.absolute(),
        "workers": 1,
    }
    return settings.model_copy(update=told).model_dump_json().encode() + b"\n"


def pause_after(lived: float, last: float) -> float:
    """Seconds until a worker that lived so long is followed by the next; twice the last pause when it died young."""
    return min(max(SHORTEST_PAUSE, 2 * last), LONGEST_PAUSE) if lived < _STEADY_SECONDS else SHORTEST_PAUSE


async def _keep_worker(line: bytes) -> None:
    pause = 0.0
    while True:
        started = time.monotonic()
        code, words = await _run_worker(line)
        if code == REFUSED:
            raise WorkerRefusedError(words)
        pause = pause_after(time.monotonic() - started, pause)
        await asyncio.sleep(pause)


async def _run_worker(line: bytes) -> tuple[int, str]:
    """Its exit code, and what it had to say to its supervisor. When cancelled, it ends the worker first."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "barberpro.server.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops the workers in order.
        start_new_session=True,
    )
    assert worker.stdin is not None  # noqa: S101 - both are pipes
    assert worker.stdout is not None  # noqa: S101 - as above
    try:
        # It stays open: the worker takes its end for the supervisor's.
        worker.stdin.write(line)
        words = (await worker.stdout.read()).decode().strip()
        code = await worker.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            worker.terminate()
        await worker.wait()
        raise
    log.error("worker_died", pid=worker.pid, code=code)
    return code, words
