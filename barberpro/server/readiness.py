"""Whether a node can work: what each of its parts says of itself, and whether the stores answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from redis.exceptions import RedisError

from barberpro.queue.pulse import Pulse
from barberpro.server.node import Node
from barberpro.storage.postgres import Away

_ANSWER_SECONDS: Final = 1.0
_SHARED_SECONDS: Final = 1.0
"""For so long everybody is told what the stores said last: anybody may ask, as often as they like."""
_SILENT_SECONDS: Final = 6.0
"""A part that has something to do and was silent for longer does not work. With what a part's own look at things
takes, this tells within ten seconds; no part is silent for as long while it works."""


class Readiness:
    """Asked by load balancers and at each scrape, so it is quick: a second at most."""

    def __init__(self, node: Node, doors: Mapping[str, Pulse]) -> None:
        """doors: the parts of the live doors, by name."""
        self._node = node
        self._pulses = {**node.pulses, **doors}
        self._asking = asyncio.Lock()
        self._stores: dict[str, bool] = {}
        self._good_until = 0.0

    async def parts(self) -> dict[str, bool]:
        """Of each part, whether it works."""
        async with self._asking:
            if time.monotonic() >= self._good_until:
                self._stores = await self._ask_stores()
                self._good_until = time.monotonic() + _SHARED_SECONDS
        alive = {name: pulse.age < _SILENT_SECONDS for name, pulse in self._pulses.items()}
        journal = alive["journal"] and not self._node.journal.down
        return {**self._stores, **alive, "journal": journal}

    async def _ask_stores(self) -> dict[str, bool]:
        postgres, *primaries = await asyncio.gather(
            _answers(partial(self._node.pool.fetchval, "SELECT 1")),
            *(_answers(client.ping) for client in self._node.redis.shards()),
        )
        # Of a cluster, a part is enough: without this node, the shops that are there would be gone as well.
        return {"postgres": postgres, "redis": any(primaries)}


async def _answers(question: Callable[[], Awaitable[Any]]) -> bool:
    """question: asked only here, as whoever wants to know may go away before it is its turn."""
    try:
        await asyncio.wait_for(question(), _ANSWER_SECONDS)
    except (*Away, RedisError):
        return False
    return True
