"""The journal: makes events durable in Postgres, in batches, and says who may be answered.

Per shop, events commit in the order of shopSeq without holes. There is no timer and no fixed delay: while one
batch is being committed, the next one gathers. An answer waits until the shop's watermark reaches the event it
rests on, whoever made and whoever committed that event.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import asyncpg
import structlog
from asyncpg import Pool

from barberpro.queue.gateway import RedisAway
from barberpro.queue.scripts import Event
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

_COMMIT: Final = "SELECT * FROM commit_events($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])"
_DIFFERENT: Final = """
    SELECT count(*) FROM unnest($2::bigint[], $3::text[]) AS mine (shop_seq, event)
    LEFT JOIN queue_events e ON e.shop_id = $1 AND e.shop_seq = mine.shop_seq
    WHERE e.data IS DISTINCT FROM mine.event::jsonb
"""


class Fenced(Exception):
    """The event never happened: its shard was rebuilt without it. The command is to be tried again."""


class Shards(Protocol):
    """What the journal needs of recovery: the events that wait in Redis, and the rebuild of a shard."""

    async def waiting_events(self, shop_id: str) -> list[Event]: ...

    async def memory_lost(self, shop_id: str, epoch: int, why: str) -> None: ...


class ShopLog:
    """One shop, as this node knows it."""

    __slots__ = ("committed", "order", "pending", "stuck", "waiters")

    def __init__(self) -> None:
        self.committed = -1
        """The highest watermark that this node has seen; -1 before it has asked."""
        self.pending: dict[int, Event] = {}
        self.waiters: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self.order = itertools.count()
        self.stuck = 0
        """How many rounds in a row an earlier event could not be found."""

    def run(self, most: int) -> list[Event]:
        """The pending events that can commit next: ascending by one, about `most`, no command's events parted."""
        if not self.pending:
            return []
        seq = min(self.pending)
        epoch = self.pending[seq].epoch
        run: list[Event] = []
        whole = 0
        while (event := self.pending.get(seq)) is not None and event.epoch == epoch:
            if len(run) >= most and whole == len(run):
                break
            run.append(event)
            if event.through <= seq:
                whole = len(run)
            seq += 1
        return run[:whole]

    def advance(self, watermark: int) -> None:
        """Everything up to `watermark` is durable: answers who waited for it."""
        if watermark > self.committed:
            self.committed = watermark
            self.stuck = 0
        while self.waiters and self.waiters[0][0] <= self.committed:
            future = heapq.heappop(self.waiters)[3]
            if not future.done():
                future.set_result(None)

    def settled(self, events: Iterable[Event]) -> None:
        for event in events:
            self.pending.pop(event.shop_seq, None)

    def fence(self, epoch: int) -> None:
        """Drops what was made in `epoch` or before, and tells who waited for it."""
        self.pending = {seq: event for seq, event in self.pending.items() if event.epoch > epoch}
        for entry in self.waiters:
            if entry[2] <= epoch and not entry[3].done():
                entry[3].set_exception(Fenced())
        self.waiters = [entry for entry in self.waiters if entry[2] > epoch]
        heapq.heapify(self.waiters)


class Journal:
    """One committer a node. `on_committed` gets every event that this node committed, in a shop's order."""

    def __init__(self, pool: "Pool[Any]", shards: Shards, most: int = 512) -> None:
        """most: events a transaction, which bounds how long the first of them waits for the last."""
        self._pool = pool
        self._shards = shards
        self._most = most
        self._shops: dict[str, ShopLog] = {}
        self._dirty: dict[str, None] = {}
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self.down = False
        """Whether the last try failed: Postgres is away, and commands are refused at the door."""
        self.listeners: list[Callable[[Sequence[Event]], None]] = []

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="journal")

    async def close(self) -> None:
        """Commits what is pending if Postgres is there, then stops. What is left waits in Redis's stream."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), 2.0)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def shop(self, shop_id: str) -> ShopLog:
        shop = self._shops.get(shop_id)
        if shop is None:
            shop = self._shops[shop_id] = ShopLog()
        return shop

    def committed(self, shop_id: str) -> int:
        """The highest shopSeq that this node knows to be durable; -1 when it knows nothing."""
        shop = self._shops.get(shop_id)
        return shop.committed if shop is not None else -1

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            # What is at or below the watermark goes in as well: the commit compares it with what is there.
            self.shop(event.shop_id).pending.setdefault(event.shop_seq, event)
            self._dirty[event.shop_id] = None
            self._wake()

    def _wake(self) -> None:
        self._idle.clear()
        self._work.set()

    def confirmed(self, shop_id: str, epoch: int, shop_seq: int) -> "asyncio.Future[None]":
        """Done when Postgres has the shop's events up to shop_seq. Raises Fenced."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shop = self.shop(shop_id)
        if shop_seq <= shop.committed and shop_seq not in shop.pending:
            future.set_result(None)
        else:
            heapq.heappush(shop.waiters, (shop_seq, next(shop.order), epoch, future))
            self._dirty[shop_id] = None
            self._wake()
        return future

    async def _run(self) -> None:
        delay = 0.0
        while True:
            await self._work.wait()
            self._work.clear()
            while self._dirty:
                try:
                    await self._commit_round()
                except Away as error:
                    delay = min(1.0, delay * 2 or 0.05)
                    if not self.down:
                        log.warning("postgres_away", problem=repr(error))
                    self.down = True
                    await asyncio.sleep(delay)
                except Exception:
                    log.exception("journal_round_failed")
                    await asyncio.sleep(1.0)
                else:
                    if self.down:
                        log.info("postgres_back")
                    delay, self.down = 0.0, False
            self._idle.set()

    def _gather(self) -> dict[str, list[Event]]:
        """A batch: each dirty shop with its run of events; with none when it is only asked for."""
        batch: dict[str, list[Event]] = {}
        room = self._most
        for shop_id in self._dirty:
            run = self._shops[shop_id].run(room)
            batch[shop_id] = run
            room -= max(1, len(run))
            if room <= 0:
                break
        return batch

    async def _commit_round(self) -> None:
        batch = self._gather()
        try:
            outcomes = await self._commit(batch)
        except Away:
            raise
        except asyncpg.PostgresError as error:
            outcomes = await self._commit_one_by_one(batch, error)
        for shop_id, outcome, watermark in outcomes:
            await self._settle(shop_id, batch[shop_id], outcome, watermark)
        self._rest(batch)

    async def _commit(self, batch: dict[str, list[Event]]) -> list[tuple[str, str, int | None]]:
        shops = list(batch)
        runs = list(batch.values())
        events = [event for run in runs for event in run]
        rows = await self._pool.fetch(
            _COMMIT,
            shops,
            [run[0].epoch if run else None for run in runs],
            [run[0].shop_seq if run else None for run in runs],
            [event.raw.decode() for event in events],
            [event.born.decode() if event.born else None for event in events],
        )
        return [(row[0], row[1], row[2]) for row in rows]

    async def _commit_one_by_one(
        self, batch: dict[str, list[Event]], error: asyncpg.PostgresError
    ) -> list[tuple[str, str, int | None]]:
        """One shop's events were refused by a constraint: no other shop may suffer from it."""
        log.error("commit_refused", problem=str(error), code=error.sqlstate, shops=len(batch))
        outcomes: list[tuple[str, str, int | None]] = []
        for shop_id, run in batch.items():
            try:
                outcomes += await self._commit({shop_id: run})
            except Away:
                raise
            except asyncpg.PostgresError as cause:
                log.error("events_impossible", shop_id=shop_id, problem=str(cause), code=cause.sqlstate)
                outcomes.append((shop_id, "impossible", None))
        return outcomes

    async def _settle(self, shop_id: str, run: list[Event], outcome: str, watermark: int | None) -> None:
        shop = self._shops[shop_id]
        if outcome in {"committed", "asked"}:
            assert watermark is not None  # noqa: S101 - the function gives one with these outcomes
            shop.settled(run)
            self._tell(run)
            shop.advance(watermark)
            if (shop.waiters and not shop.pending) or (shop.pending and not run):
                await self._fetch(shop_id, shop)
        elif outcome == "overlap":
            assert watermark is not None  # noqa: S101 - as above
            await self._compare(shop_id, run, watermark)
        elif outcome == "gap":
            await self._fetch(shop_id, shop)
        else:
            await self._give_up(shop_id, run[0].epoch if run else 0, outcome)

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            for listener in self.listeners:
                listener(events)

    async def _compare(self, shop_id: str, run: list[Event], watermark: int) -> None:
        """Events at or below the watermark: the same as in Postgres, or proof that Redis lost memory."""
        old = [event for event in run if event.shop_seq <= watermark]
        different = await self._pool.fetchval(
            _DIFFERENT, shop_id, [e.shop_seq for e in old], [e.raw.decode() for e in old]
        )
        if different:
            await self._give_up(shop_id, run[0].epoch, "forked")
            return
        shop = self._shops[shop_id]
        shop.settled(old)
        self._tell(old)
        shop.advance(watermark)

    async def _fetch(self, shop_id: str, shop: ShopLog) -> None:
        """An earlier event is missing: another node made it. It waits in Redis, or is committed by now."""
        try:
            found = await self._shards.waiting_events(shop_id)
        except RedisAway:
            await asyncio.sleep(0.05)  # it stays missing until Redis is back; other shops go on
            return
        self.add(found)
        shop.stuck += 1
        if shop.stuck > 1:
            await asyncio.sleep(0.002 * shop.stuck)
        if shop.stuck > 20:
            epoch = max([event.epoch for event in shop.pending.values()] + [w[2] for w in shop.waiters])
            await self._give_up(shop_id, epoch, "hole")

    async def _give_up(self, shop_id: str, epoch: int, why: str) -> None:
        shop = self._shops[shop_id]
        shop.stuck = 0
        shop.committed = -1
        try:
            if why != "unknown":
                await self._shards.memory_lost(shop_id, epoch, why)
        except RedisAway as error:
            log.warning("rebuild_postponed", shop_id=shop_id, problem=repr(error))
        finally:
            shop.fence(epoch)

    def _rest(self, batch: dict[str, list[Event]]) -> None:
        """Shops of the batch with nothing left to commit and nobody waiting need no further round."""
        for shop_id in batch:
            self._dirty.pop(shop_id, None)
            shop = self._shops[shop_id]
            if shop.pending or shop.waiters:
                self._dirty[shop_id] = None  # behind the others, so that no shop is starved
