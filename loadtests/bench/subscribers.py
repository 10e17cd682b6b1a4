"""Many light clients in a process of their own, so that what they cost is not the server's.

    python -m loadtests.bench.subscribers

Each line on stdin is a JSON object {do, ...}, and is answered with one on stdout: `connect` {way, count, tokens},
`count`, `delays` {sent}, `close`. It ends when its stdin does.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from statistics import quantiles
from typing import Any, Final

import orjson
import uvloop

from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.sockets import LightClient, Way

Json = dict[str, Any]

_AT_ONCE: Final = 50
_SECONDS: Final = 60.0
_LONGEST_LINE: Final = 64 * 1024 * 1024


class Subscribers:
    """The clients of one server at a time."""

    def __init__(self) -> None:
        self._clients: list[LightClient] = []
        self._lost = 0

    async def connect(self, way: Json, count: int, tokens: list[str]) -> Json:
        """tokens: one for each client in turn; none for servers that ask for none."""
        gate = asyncio.Semaphore(_AT_ONCE)
        self._lost = 0
        asked = Way(**way)

        async def one(number: int) -> None:
            token = tokens[number % len(tokens)] if tokens else None
            async with gate, asyncio.timeout(_SECONDS):
                client = LightClient(asked, token, self._gone)
                await client.connect()
                self._clients.append(client)
                await client.ready

        try:
            await one(0)  # one alone is told that nobody is let in
            async with asyncio.TaskGroup() as group:
                for number in range(1, count):
                    group.create_task(one(number))
        except BaseException:
            await self.close()
            raise
        return {"compressed": sum(client.compressed for client in self._clients[-count:])}

    def _gone(self) -> None:
        self._lost += 1

    async def count(self) -> Json:
        """clients, lost; updates in all, least and most of a client; the newest payload's bytes and text."""
        updates = [client.updates for client in self._clients]
        last = self._clients[-1].last if self._clients else b""
        return {
            "clients": len(updates),
            "lost": self._lost,
            "updates": sum(updates),
            "least": min(updates, default=0),
            "most": max(updates, default=0),
            "bytes": len(last),
            "last": last.decode(errors="replace"),
        }

    async def delays(self, sent: list[float]) -> Json:
        """How long the last updates were under way to those who read: quantiles in milliseconds.

        sent: when each of the last so many was asked for. Only clients that have every one are counted.
        """
        newest = len(sent)
        readers = [client.arrivals[-newest:] for client in self._clients if not client.stalled]
        took = [
            (came - asked) * 1000
            for arrivals in readers
            if len(arrivals) == newest
            for asked, came in zip(sent, arrivals, strict=True)
        ]
        cuts = quantiles(took, n=100)
        return {"p50": cuts[49], "p99": cuts[98], "count": len(took), "readers": len(readers)}

    async def close(self) -> Json:
        for client in self._clients:
            client.abort()
        self._clients = []
        await asyncio.sleep(0)
        return {}


async def _run() -> None:
    many_descriptors()
    subscribers = Subscribers()
    does: dict[str, Callable[..., Awaitable[Json]]] = {
        "connect": subscribers.connect,
        "count": subscribers.count,
        "delays": subscribers.delays,
        "close": subscribers.close,
    }
    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        request: Json = orjson.loads(line)
        try:
            answer = await does[request.pop("do")](**request)
        except (OSError, TimeoutError, ExceptionGroup) as error:
            answer = {"error": str(error) or repr(error)}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_run())
