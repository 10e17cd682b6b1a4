"""The Redis servers that the shards live on: one, or the primaries of a Redis Cluster, whichever the URL leads to.

A Redis alone has all shards, and stays the only one. In a cluster, slots move and replicas are promoted: whoever
meets an error that another map of the slots may explain says `doubt`, and the map is read anew from all known nodes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from barberpro.storage.cluster import Address, ClusterMap, ask, slot_of, url_at
from barberpro.storage.redis import connect
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_PAUSE_SECONDS: Final = 0.1


class Primaries:
    """Which Redis has a shard. `moved` listeners are called when one has become another's."""

    def __init__(self, redis_url: str, shards: int, timeout: float = 2.5) -> None:
        """Until `look` has found a cluster, the Redis at the URL has everything. timeout: seconds for one answer."""
        self._url = redis_url
        self._timeout = timeout
        self._first = connect(redis_url, timeout)
        self._by_shard = [self._first] * shards
        self._map: ClusterMap | None = None
        self._nodes: dict[Address, Redis] = {}
        self._alone = False
        self._looking: asyncio.Task[None] | None = None
        self.moved: list[Callable[[], None]] = []

    def of(self, shard: int) -> Redis:
        """The one that has the shard."""
        return self._by_shard[shard]

    def at(self, key: str) -> Redis:
        """The one that has a key which belongs to no shard."""
        owner = self._map.owner(slot_of(key)) if self._map is not None else None
        return self._nodes[owner] if owner is not None else self._first

    def shards(self) -> dict[Redis, list[int]]:
        """All that have any shards, and which."""
        found: defaultdict[Redis, list[int]] = defaultdict(list)
        for shard, client in enumerate(self._by_shard):
            found[client].append(shard)
        return dict(found)

    @contextmanager
    def asking(self, shard: int) -> Iterator[Redis]:
        """`of`, for a block whose errors put the map in doubt."""
        try:
            yield self._by_shard[shard]
        except (RedisError, OSError):
            self.doubt()
            raise

    def doubt(self) -> None:
        """The map is read anew, soon. Costs nothing when there is none."""
        if not self._alone and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_again(), name="primaries")

    async def _look_again(self) -> None:
        try:
            await self.look()
        except (RedisError, OSError) as error:
            log.debug("cluster_silent", problem=repr(error))
        except Exception:
            log.exception("cluster_unreadable")
        await asyncio.sleep(_PAUSE_SECONDS)  # whatever is in doubt until then is asked once

    async def look(self) -> None:
        """Asks every node that is known, and believes the newest map of those that take the cluster to be sound.

        Raises RedisError, OSError when none answers.
        """
        clients = [self._first, *self._nodes.values()]
        answers = await asyncio.gather(*(ask(client) for client in clients), return_exceptions=True)
        maps = [answer for answer in answers if isinstance(answer, ClusterMap)]
        if maps:
            await self._adopt(max(maps, key=lambda found: (found.sound, found.epoch)))
        elif isinstance(answers[0], BaseException):
            raise answers[0]
        else:
            self._alone = not self._nodes

    async def _adopt(self, found: ClusterMap) -> None:
        for address in found.nodes - self._nodes.keys():
            self._nodes[address] = connect(url_at(self._url, address), self._timeout)
        gone = [self._nodes.pop(address) for address in self._nodes.keys() - found.nodes]
        self._map = found
        by_shard = [self._owner(found, shard) for shard in range(len(self._by_shard))]
        if by_shard != self._by_shard:
            self._by_shard = by_shard
            log.info("shards_moved", epoch=found.epoch, primaries=len(set(by_shard)))
            for listener in self.moved:
                listener()
        for client in gone:
            await client.aclose()

    def _owner(self, found: ClusterMap, shard: int) -> Redis:
        """Of a slot that is nobody's just now, some node: it says so to whoever asks."""
        owner = found.owner(slot_of(f"{{s{shard}}}"))
        return self._nodes[owner] if owner is not None else self._first

    async def aclose(self) -> None:
        await end([self._looking])
        for client in (self._first, *self._nodes.values()):
            await client.aclose()


class Part(Protocol):
    async def close(self) -> None: ...


_Part = TypeVar("_Part", bound=Part)


class PerPrimary(Generic[_Part]):
    """A part for each Redis that has shards: opened when it gets its first, closed when it has lost its last."""

    def __init__(self, primaries: Primaries, open_: Callable[[Redis], _Part]) -> None:
        self._primaries = primaries
        self._open = open_
        self._parts: dict[Redis, _Part] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._sort()
        primaries.moved.append(self._sort)

    def of(self, shard: int) -> _Part:
        return self._parts[self._primaries.of(shard)]

    def shards(self) -> list[tuple[_Part, list[int]]]:
        """All parts, and which shards are theirs."""
        return [(self._parts[client], own) for client, own in self._primaries.shards().items()]

    def _sort(self) -> None:
        shards = self._primaries.shards()
        for client in self._parts.keys() - shards.keys():
            task = asyncio.create_task(self._parts.pop(client).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        for client in shards.keys() - self._parts.keys():
            self._parts[client] = self._open(client)

    async def close(self) -> None:
        await asyncio.gather(*self._closing, *(part.close() for part in self._parts.values()))
