"""The subscribers' process, as a benchmark sees it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from loadtests.bench.child import Child, child
from loadtests.bench.sockets import Way


@dataclass(frozen=True, slots=True)
class Counts:
    """What the clients have been sent since each was let in. least, most: of a client. bytes: of the newest payload."""

    clients: int
    lost: int
    updates: int
    least: int
    most: int
    bytes: int
    last: str


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds from asking for an update to its arrival. count: arrivals; readers: clients that read."""

    p50: float
    p99: float
    count: int
    readers: int


class Crowd:
    """Clients by the thousand. Raises ConnectionError when the server does not let them in."""

    def __init__(self, process: Child) -> None:
        self._process = process

    async def connect(self, way: Way, count: int, tokens: Sequence[str] = ()) -> int:
        """How many of them negotiated compression. tokens: one for each client in turn."""
        answer = await self._ask("connect", way=asdict(way), count=count, tokens=list(tokens))
        compressed: int = answer["compressed"]
        return compressed

    async def counts(self) -> Counts:
        return Counts(**await self._ask("count"))

    async def delays(self, sent: Sequence[float]) -> Delays:
        """Of the last updates, asked for at these moments of the monotonic clock, to clients that read."""
        return Delays(**await self._ask("delays", sent=list(sent)))

    async def settled(self, seconds: float = 0.3) -> Counts:
        """The counts, once nothing has come for so long."""
        before = await self.counts()
        while True:
            await asyncio.sleep(seconds)
            now = await self.counts()
            if now.updates == before.updates:
                return now
            before = now

    async def close(self) -> None:
        await self._ask("close")

    async def _ask(self, do: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._process.tell(orjson.dumps({"do": do, **fields}))
        answer: dict[str, Any] = orjson.loads(await self._process.hear())
        if "error" in answer:
            raise ConnectionError(answer["error"])
        return answer


@asynccontextmanager
async def crowd() -> AsyncIterator[Crowd]:
    async with child(sys.executable, "-m", "loadtests.bench.subscribers") as process:
        yield Crowd(process)
