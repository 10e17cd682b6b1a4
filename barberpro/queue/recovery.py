"""Cold shards: noticing that Redis lost memory, and rebuilding a shard from Postgres.

Redis may only ever be ahead of Postgres, by events that nobody was told of. It is found to be behind
  - when it was restarted or replaced: the library then says 'unverified' (or is not there), and does nothing until
    every shard was compared with Postgres, so no transition ever runs on memory that nobody looked at;
  - when a commit meets another event at its place (the fence), or an event below it is nowhere (a hole);
  - when an answer rests on less than this node knows to be durable.
A rebuild raises the shard's epoch in Postgres first: from then on no event of an older epoch can commit, so what
is read there is final, and becomes the new generation in Redis.
"""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import orjson
import structlog
from asyncpg import Pool
from redis.exceptions import AskError, ResponseError

from barberpro.queue.gateway import RedisAway, RedisClient
from barberpro.queue.scripts import Event, Library
from barberpro.storage.keys import Keys
from barberpro.storage.primaries import Primaries
from barberpro.storage.snapshot import ShopSnapshot, load_commands, load_shops
from barberpro.storage.together import heard
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_RAISE: Final = "UPDATE shards SET epoch = greatest(epoch, $2) + 1 WHERE shard = $1 RETURNING epoch"
# In the order in which commits lock them, so that the two never wait for each other in a circle.
_LOCK_MARKS: Final = "SELECT shop_id FROM watermarks WHERE shard = $1 ORDER BY shop_id FOR UPDATE"
_RAISE_MARKS: Final = "UPDATE watermarks SET epoch = $2 WHERE shard = $1"
_WITH_HISTORY: Final = "SELECT DISTINCT shard FROM watermarks WHERE shop_seq > 0 AND shard = ANY ($1::integer[])"
_LATE: Final = "SELECT shop_id, late_seconds FROM shops WHERE shop_id = ANY ($1::text[])"
_CALENDARS: Final = """
    SELECT b.shop_id, c.barber_id, c.revision FROM calendars c JOIN barbers b USING (barber_id)
    WHERE b.shop_id = ANY ($1::text[])
"""
_MARKS: Final = "SELECT shard, shop_id, shop_seq, link, epoch FROM watermarks WHERE shop_seq > 0"

Listener = Callable[[list[str]], None]


class Recovery:
    """Keeps the shards in Redis true. `rebuilt` listeners get the ids of the shops of a rebuilt shard."""

    def __init__(
        self,
        pool: "Pool[Any]",
        primaries: Primaries,
        library: Library,
        keys: Keys,
    ) -> None:
        self._pool = pool
        self._primaries = primaries
        self._library = library
        self._keys = keys
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._verifying: dict[RedisClient, asyncio.Task[None]] = {}
        self._sweeps: set[asyncio.Task[None]] = set()
        self.rebuilt: list[Listener] = []
        self.rebuilds = 0
        """How many shards this node has rebuilt; a figure for operators."""

    async def admit(self, shard: int) -> None:
        """Compares what the Redis of this shard has of any shard with Postgres, then lets the library run there.

        Once at a time for each Redis.
        """
        with self._primaries.asking(shard) as client:
            task = self._verifying.get(client)
            if task is None:
                task = self._verifying[client] = asyncio.create_task(self._verify(client))
                task.add_done_callback(lambda done: self._verified(client, done))
            await asyncio.shield(task)

    def _verified(self, client: RedisClient, task: "asyncio.Task[None]") -> None:
        """Whoever comes next looks again: none is told of an error that was there before they came."""
        del self._verifying[client]
        heard(task)

    async def _verify(self, client: RedisClient) -> None:
        while True:
            nonce = secrets.token_hex(16)
            if await self._function(client, "challenge", 0, nonce):
                return
            compared = await self._compare_all(client)
            if await self._function(client, "admit", 0, nonce):
                log.info("redis_verified", shards_compared=compared)
                return

    async def _function(self, client: RedisClient, name: str, keys: int, *arguments: str | bytes) -> int:
        """Calls a function of the library, which is loaded first if it is not there."""
        try:
            reply: Any = await client.fcall(self._library.function(name), keys, *arguments)
        except ResponseError as error:
            if not is_unknown_function(error):
                raise
            with contextlib.suppress(ResponseError):  # another node has just loaded it
                await client.function_load(self._library.code)
            reply = await client.fcall(self._library.function(name), keys, *arguments)
        return int(reply)

    async def _compare_all(self, client: RedisClient) -> int:
        """Rebuilds the shards that are there and behind Postgres; returns how many are there and have a history."""
        marks: defaultdict[int, list[Any]] = defaultdict(list)
        for row in await self._pool.fetch(_MARKS):
            marks[row["shard"]].append(row)
        compared = 0
        for shard, shops in marks.items():
            try:
                value = await client.get(self._keys.epoch(shard))
            except AskError:
                continue  # another Redis has it: what comes from there was compared there
            compared += 1
            if value is None:
                continue  # cold already: the first command that comes rebuilds it
            epoch = int(value)
            marked = await self._marks_in_redis(client, shard, epoch, [shop["shop_id"] for shop in shops])
            behind = [mark["shop_id"] for mark in shops if not _is_at_least(mark, epoch, marked[mark["shop_id"]])]
            if behind:
                await self.rebuild(shard, epoch, f"behind Postgres for {len(behind)} shops, {behind[0]} first")
        return compared

    async def _epoch(self, shard: int) -> int | None:
        with self._primaries.asking(shard) as client:
            value = await client.get(self._keys.epoch(shard))
        return int(value) if value is not None else None

    async def _marks_in_redis(
        self, client: RedisClient, shard: int, epoch: int, shop_ids: list[str]
    ) -> dict[str, tuple[int, str]]:
        """Each shop's shopSeq in Redis, and the link of that event."""
        root = self._keys.generation(shard, epoch)
        pipeline = client.pipeline(transaction=False)
        for shop_id in shop_ids:
            pipeline.hget(f"{root}shop:{shop_id}", "seq")
        answers = await pipeline.execute()
        return {shop_id: parse_mark(answer) for shop_id, answer in zip(shop_ids, answers, strict=True)}

    async def memory_lost(self, shop_id: str, epoch: int, why: str) -> None:
        """The journal met proof that the shard of this shop, in this epoch, is not true."""
        await self.rebuild(self._keys.shard_of(shop_id), epoch, f"{why} at {shop_id}")

    async def warm(self, shards: set[int]) -> set[int]:
        """Rebuilds those of the cold shards that have a history, and returns them."""
        forgotten = {row["shard"] for row in await self._pool.fetch(_WITH_HISTORY, list(shards))}
        for shard in forgotten:
            await self.rebuild(shard, 0, "cold")
        return forgotten

    async def distrust(self, shard: int, why: str) -> None:
        """Rebuilds the shard whatever its epoch: what it holds was written by a script that failed.

        Both stores are told, whichever can be reached: without its epoch the shard is cold, and Postgres takes
        nothing more of an older one.
        """
        async with self._locks[shard]:
            present = None
            with contextlib.suppress(*RedisAway), self._primaries.asking(shard) as client:
                present = await client.getdel(self._keys.epoch(shard))
            await self._rebuild(shard, int(present or 0), why)

    async def rebuild(self, shard: int, epoch: int, why: str) -> None:
        """Makes the shard's generation newer than `epoch` (0: whatever there is, if it is cold).

        Does nothing when it is newer by now. Raises what Postgres or Redis raise while they are away.
        """
        async with self._locks[shard]:
            present = await self._epoch(shard)
            if present is not None and present > epoch:
                return
            await self._rebuild(shard, max(epoch, present or 0), why)

    async def _rebuild(self, shard: int, above: int, why: str) -> None:
        epoch, shops = await self._raise_and_load(shard, above)
        self.rebuilds += 1
        log.warning("shard_rebuilt", shard=shard, epoch=epoch, shops=len(shops), why=why)
        for listener in self.rebuilt:
            listener(list(shops))
        sweep = asyncio.create_task(self._sweep(shard, epoch))
        self._sweeps.add(sweep)
        sweep.add_done_callback(self._sweeps.discard)

    async def _raise_and_load(self, shard: int, above: int) -> tuple[int, dict[str, ShopSnapshot]]:
        async with self._pool.acquire() as connection, connection.transaction():
            epoch: int = await connection.fetchval(_RAISE, shard, above)
            shop_ids = [row["shop_id"] for row in await connection.fetch(_LOCK_MARKS, shard)]
            await connection.execute(_RAISE_MARKS, shard, epoch)
            # The row locks above keep every commit of this shard out until this transaction ends.
            shops = await load_shops(connection, shop_ids)
            commands = await load_commands(connection, shop_ids)
            late = dict(await connection.fetch(_LATE, shop_ids))
            calendars: defaultdict[str, dict[str, int]] = defaultdict(dict)
            for row in await connection.fetch(_CALENDARS, shop_ids):
                calendars[row["shop_id"]][row["barber_id"]] = row["revision"]
        document = {
            "epoch": epoch,
            "shops": [
                {
                    "shopId": shop.shop_id,
                    "shopSeq": shop.shop_seq,
                    "link": shop.link,
                    "lateMs": late[shop.shop_id] * 1000,
                    "queues": shop.queues,
                    "bookings": list(shop.bookings.values()),
                    "commands": commands.get(shop.shop_id, []),
                    "calendars": calendars[shop.shop_id],
                }
                for shop in shops.values()
            ],
        }
        with self._primaries.asking(shard) as client:
            await self._function(client, "rebuild", 1, self._keys.epoch(shard), orjson.dumps(document))
        return epoch, shops

    async def _sweep(self, shard: int, epoch: int) -> None:
        """Lets the keys of older generations go, a few at a time."""
        keep = self._keys.generation(shard, epoch).encode()
        root = self._keys.root(shard).encode()
        client = self._primaries.of(shard)
        try:
            async for key in client.scan_iter(match=_glob(root) + b"e*:*", count=500):
                generation = key[: len(root) + key[len(root) :].index(b":") + 1]
                if generation != keep and int(generation[len(root) + 1 : -1]) < epoch:
                    await client.unlink(key)
        except Exception as error:
            log.info("sweep_stopped", shard=shard, problem=repr(error))

    async def waiting_events(self, shop_id: str) -> list[Event]:
        """The events that wait in Redis for their commit, of all shops of this shop's shard."""
        shard = self._keys.shard_of(shop_id)
        epoch = await self._epoch(shard)
        if epoch is None:
            return []
        stream = f"{self._keys.generation(shard, epoch)}events"
        with self._primaries.asking(shard) as client:
            entries: Any = await client.xrange(stream)
        return [stream_event(entry) for entry in entries]

    async def close(self) -> None:
        await end(self._sweeps)


def _glob(literal: bytes) -> bytes:
    """`literal` as a pattern that matches only itself; braces mean nothing in Redis patterns."""
    for special in (b"\\", b"*", b"?", b"[", b"]"):
        literal = literal.replace(special, b"\\" + special)
    return literal


def stream_event(entry: tuple[bytes, dict[bytes, bytes]]) -> Event:
    """An entry of a shard's stream, as emit() in events.lua wrote it."""
    stream_id, fields = entry
    return Event(stream_id, fields[b"e"], fields[b"b"])


def parse_mark(value: bytes | None) -> tuple[int, str]:
    """A shop's `seq` field in Redis: its shopSeq, and the link of that event. (0, '') before the first."""
    seq, _, link = (value or b"0 ").decode().partition(" ")
    return int(seq), link


def is_slot_moving(error: BaseException) -> bool:
    """Whether a script failed because a part of its shard's keys is on another node already, or must come to be there.

    In Valkey's words, and in Redis's.
    """
    return "during rehashing of the slot" in str(error) or "non local key" in str(error)


def is_unknown_function(error: BaseException) -> bool:
    """Whether Redis does not have the library."""
    return "function not found" in str(error).lower()


def _is_at_least(mark: Any, epoch: int, marked: tuple[int, str]) -> bool:  # noqa: ANN401 - asyncpg's Record
    """Whether Redis, in `epoch`, has all that the watermark says. What it has beyond that, the links will prove."""
    seq, link = marked
    if epoch < mark["epoch"] or seq < mark["shop_seq"]:
        return False
    return bool(seq > mark["shop_seq"] or link == mark["link"])
