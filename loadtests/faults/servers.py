"""The servers of a run: processes of `barberpro serve` that come and go, each with networks of its own around it."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import orjson

from barberpro.server.embedded.postgres import DATABASE, USER
from loadtests.bench.served import free_port
from loadtests.faults.network import Network
from loadtests.faults.processes import freeze
from loadtests.faults.stores import Stores, Valkey

_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
_RESTART_SECONDS: Final = 0.5
_ERROR: Final = re.compile(r'"level": "(error|critical)"|^Traceback')
SHARDS: Final = 16
PREFIX: Final = "faults"


class Server:
    """One of the servers. front: between the clients and it; postgres, redis: between it and the stores."""

    def __init__(self, name: str, stores: Stores, directory: Path, oddities: Mapping[str, str]) -> None:
        """oddities: what is wrong with its engine (odd_server.py), if anything."""
        self.name = name
        self.port = free_port()
        self.front = Network(self.port)
        self.postgres = Network(stores.postgres.socket)
        self.redis = Network(stores.valkey.port)
        self._oddities = oddities
        self._directory = directory
        self._log = directory / f"{name}.log"
        self._process: Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        stores.promoted.append(self._follow)

    async def _follow(self, valkey: Valkey) -> None:
        self.redis.aim(valkey.port)

    @property
    def pid(self) -> int | None:
        """None while there is no process."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self, clock: float = 0.0) -> None:
        """Comes back once it has begun, which is before it is ready. clock: seconds by which its clock is ahead.

        It is started again when it ends by itself, as every service manager does: it does when Postgres cannot be
        reached while it starts.
        """
        async with self._turn:
            await self._start(clock)

    async def _start(self, clock: float) -> None:
        oddities = dict(self._oddities) | ({"clock": str(clock)} if clock else {})
        told = [f"--{name}={value}" for name, value in oddities.items()]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *(("loadtests.faults.odd_server", *told) if told else ("barberpro",)),
                "serve",
                env=self._environment(),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._supervisor = asyncio.create_task(self._supervise(self._process, clock))

    async def _supervise(self, process: Process, clock: float) -> None:
        await process.wait()
        await asyncio.sleep(_RESTART_SECONDS)
        async with self._turn:
            if self._process is process:
                await self._start(clock)

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "DATABASE_URL": f"postgresql://{USER}:@127.0.0.1:{self.postgres.port}/{DATABASE}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "BARBERPRO_PORT": str(self.port),
            "BARBERPRO_REDIS_PREFIX": PREFIX,
            "BARBERPRO_SHARDS": str(SHARDS),
            "BARBERPRO_KEYS_DIR": str(self._directory / "keys"),
            "BARBERPRO_REQUESTS_PER_MINUTE": "0",
            "BARBERPRO_BLOCK_MINUTES": "0",
            "BARBERPRO_NO_SHOWS": "0",
            "BARBERPRO_COMMANDS_PER_10_SECONDS": "1000000",
            "BARBERPRO_LOG_LEVEL": "warning",
            "BARBERPRO_LOG_FORMAT": "json",
        }

    async def kill(self) -> None:
        """As a power cut would."""
        await self._end(signal.SIGKILL)

    async def end(self) -> int | None:
        """In order, by SIGTERM; its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int | None:
        async with self._turn:
            process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
        try:
            async with asyncio.timeout(_END_SECONDS):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()

    def errors(self) -> list[str]:
        """What it has logged as errors, and whatever else has a traceback. Blocking."""
        return [_in_short(line) for line in self._log.read_text().splitlines() if _ERROR.search(line)]

    async def freeze(self) -> list[int]:
        """Makes it stand still, if it is there; what to thaw."""
        return [] if self.pid is None else await asyncio.to_thread(freeze, self.pid)

    async def ready(self) -> None:
        """Waits until it says that it can work. Raises TimeoutError."""
        async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as http:
            while await self.unready(http):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_LOOK_SECONDS)

    async def unready(self, http: aiohttp.ClientSession) -> str | None:
        """Why it cannot work, in its own words; None when it can."""
        try:
            async with http.get(f"http://127.0.0.1:{self.port}/health/ready") as answer:
                return None if answer.status == 200 else await answer.text()
        except (aiohttp.ClientError, OSError) as error:
            return repr(error)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for network in (self.front, self.postgres, self.redis):
                await stack.enter_async_context(network)
            stack.push_async_callback(self.end)
            await self.start()
            await self.ready()
            yield


def _in_short(line: str) -> str:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    cause = told.get("exception", "").strip().rpartition("\n")[2]
    return f"{told['timestamp']} {told['event']} {told.get('problem', cause)}".rstrip()
