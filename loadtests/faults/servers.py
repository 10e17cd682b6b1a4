"""The servers of a run: processes of `barberpro serve` that come and go, each with networks of its own around it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from barberpro.server.embedded.postgres import DATABASE, USER
from loadtests.bench.served import free_port
from loadtests.faults.network import Network
from loadtests.faults.stores import Stores, Valkey

_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
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
        self.pid: int | None = None
        self._oddities = oddities
        self._directory = directory
        self._process: Process | None = None
        stores.promoted.append(self._follow)

    async def _follow(self, valkey: Valkey) -> None:
        self.redis.aim(valkey.port)

    async def start(self, clock: float = 0.0) -> None:
        """Comes back once it has begun, which is before it is ready. clock: seconds by which its clock is ahead."""
        oddities = dict(self._oddities) | ({"clock": str(clock)} if clock else {})
        told = [f"--{name}={value}" for name, value in oddities.items()]
        with (self._directory / f"{self.name}.log").open("ab") as log:
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
        self.pid = self._process.pid

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "DATABASE_URL": f"postgresql://{USER}:@127.0.0.1:{self.postgres.port}/{DATABASE}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "BARBERPRO_PORT": str(self.port),
            "BARBERPRO_REDIS_PREFIX": PREFIX,
            "BARBERPRO_SHARDS": str(SHARDS),
            "BARBERPRO_KEYS_DIR": str(self._directory / "keys"),
            "BARBERPRO_REQUESTS_PER_MINUTE": "0",
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
        process, self.pid = self._process, None
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

    async def ready(self) -> None:
        """Waits until it says that it can work. Raises TimeoutError."""
        async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as http:
            while not await self.is_ready(http):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_LOOK_SECONDS)

    async def is_ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self.port}/health/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for network in (self.front, self.postgres, self.redis):
                await stack.enter_async_context(network)
            stack.push_async_callback(self.end)
            await self.start()
            await self.ready()
            yield
