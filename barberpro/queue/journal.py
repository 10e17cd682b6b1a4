"""The journal: the way of all events of a node into Postgres, through a few committers.

A shop keeps to its committer, so its events commit in order. While one waits for the disk, the other's batch is
being worked on; more than two would only make smaller batches.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from asyncpg import Pool

from barberpro.queue.committer import Committer, Shards
from barberpro.queue.scripts import Event, Reply

_COMMITTERS: Final = 2


class Journal:
    """One a node. `listeners` get every event that this node committed, in a shop's order."""

    def __init__(self, pool: "Pool[Any]", shards: Shards, most: int = 256) -> None:
        """most: events a transaction, which bounds how long the first of them waits for the last."""
        self.listeners: list[Callable[[Sequence[Event]], None]] = []
        self.committers = [Committer(pool, shards, self.listeners, most) for _ in range(_COMMITTERS)]

    def start(self) -> None:
        for committer in self.committers:
            committer.start()

    async def close(self) -> None:
        """Commits what is pending if Postgres is there, then stops. What is left waits in Redis's stream.

        Whoever still waits is told that the outcome is not known (TimeoutError).
        """
        await asyncio.gather(*(committer.close() for committer in self.committers))

    @property
    def down(self) -> bool:
        """Whether the last try failed: Postgres is away, and commands are refused at the door."""
        return any(committer.down for committer in self.committers)

    def committed(self, shop_id: str) -> int:
        """The highest shopSeq that this node knows to be durable; -1 when it knows nothing."""
        return self._of(shop_id).committed(shop_id)

    def add(self, events: Iterable[Event]) -> None:
        """Events to commit. What is committed already is compared with what is there."""
        for event in events:
            self._of(event.shop_id).add(event)

    def confirmed(self, shop_id: str, reply: Reply, deadline: float) -> "asyncio.Future[int]":
        """Gives the shop's watermark once the reply rests on durable ground.

        deadline: on the loop's clock. Raises Fenced, TimeoutError.
        """
        return self._of(shop_id).confirmed(shop_id, reply, deadline)

    def _of(self, shop_id: str) -> Committer:
        return self.committers[zlib.crc32(shop_id.encode()) % _COMMITTERS]
