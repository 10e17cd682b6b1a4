"""The journal: makes a node's events durable in Postgres, in batches, and says who may be answered.

Per shop, events commit in the order of shopSeq without holes, and each only upon the very event it was made upon (its
link). There is no timer and no fixed delay: while one batch is being committed, the next one gathers. Every answer
waits until Postgres has what it rests on, whoever made and whoever committed that.

While a batch is under way, another one of other shops begins only when it is worth it: enough events have gathered, or
some have waited for long, as when the first one is held up. Then one waits for the disk and the other is worked on.

A shop that has been at rest for long is forgotten. To forget one is to be as a node that has just started: its first
answer asks Postgres, as each does.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import asyncpg
import structlog
from asyncpg import Pool

from barberpro.queue.gateway import RedisAway
from barberpro.queue.metrics import COMMIT_EVENTS, COMMIT_SECONDS
from barberpro.queue.pulse import Pulse
from barberpro.queue.scripts import Event, Reply
from barberpro.queue.shoplog import ShopLog, Waiter
from barberpro.storage.postgres import Away, renew
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_COMMIT: Final = """
    SELECT * FROM commit_events($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5, $6)
"""
_LINKS: Final = """
    SELECT shop_seq, data ->> 'link' FROM queue_events WHERE shop_id = $1 AND shop_seq = ANY ($2::bigint[])
"""
_WORTH_IT: Final = 32
"""Events for which a second batch begins beside the first: each batch costs as much as a dozen of them."""
_CLOSE_SECONDS: Final = 2.0
_DEADLINES_SECONDS: Final = 0.25
_PATIENCE_ROUNDS: Final = 20
"""Rounds in which a missing event may turn up before the shard is taken to have lost it."""


class Shards(Protocol):
    """What the journal needs of recovery: the events that wait in Redis, and the rebuild of a shard."""

    async def waiting_events(self, shop_id: str) -> list[Event]: ...

    async def memory_lost(self, shop_id: str, epoch: int, why: str) -> None: ...


@dataclass(slots=True)
class Turn:
    """One shop's part of a round: the events to commit and the waiters who were there when it began."""

    shop_id: str
    shop: ShopLog
    run: list[Event]
    claims: list[Waiter] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What Postgres said of a shop: its watermark, that event's link, and the shard's epoch, after the call."""

    word: str
    watermark: int = -1
    link: str = ""
    epoch: int = 0


class Journal:
    """One a node. `listeners` get every event that this node committed, in a shop's order."""

    def __init__(self, pool: "Pool[Any]", shards: Shards, most: int = 256, idle_seconds: float = 600.0) -> None:
        """most: events a transaction, which bounds how long the first of them waits for the last.

        idle_seconds: after how long at rest a shop is forgotten; at the latest after twice as long.
        """
        self._pool = pool
        self._shards = shards
        self._most = most
        self._idle_seconds = idle_seconds
        self._shops: dict[str, ShopLog] = {}
        self._dirty: dict[str, None] = {}
        self._turns: dict[str, Turn] = {}
        self._work = asyncio.Event()
        self._much = asyncio.Event()
        """Work for a second batch, beside the one under way."""
        self._fresh = 0
        """Events that came since work was taken last."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []
        self.pulse = Pulse()
        """A round that Postgres took is a sign of life; none is due while nothing waits."""
        self.down = False
        """Whether the last try failed: Postgres is away, and commands are refused at the door."""
        self.listeners: list[Callable[[Sequence[Event]], None]] = []

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._loop(self._work), name="journal-0"),
            asyncio.create_task(self._loop(self._much), name="journal-1"),
            asyncio.create_task(self._expire(), name="journal-deadlines"),
            asyncio.create_task(self._forget(), name="journal-memory"),
        ]
        self.pulse.carried_by(*self._tasks)

    async def close(self) -> None:
        """Commits what is pending if Postgres is there, then stops. What is left waits in Redis's stream.

        Whoever still waits is told that the outcome is not known (TimeoutError).
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._idle.wait()
        await end(self._tasks)
        for shop in self._shops.values():
            for waiter in shop.waiters:
                waiter.expire(math.inf)

    def committed(self, shop_id: str) -> int:
        """The highest shopSeq that this node knows to be durable; -1 when it knows nothing."""
        shop = self._shops.get(shop_id)
        return shop.committed if shop is not None else -1

    def add(self, events: Iterable[Event]) -> None:
        """Events to commit. What is committed already is compared with what is there."""
        for event in events:
            self._shop(event.shop_id).add(event)
            self._wake(event.shop_id)
            self._fresh += 1
        if self._fresh >= _WORTH_IT:
            self._much.set()

    def confirmed(self, shop_id: str, reply: Reply, deadline: float) -> "asyncio.Future[int]":
        """Gives the shop's watermark once the reply rests on durable ground.

        deadline: on the loop's clock. Raises Fenced, TimeoutError.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiter = Waiter(reply.rests_on, reply.link, reply.epoch, reply.status != "ok", deadline, future)
        self._shop(shop_id).waiters.append(waiter)
        self._wake(shop_id)
        return future

    def _shop(self, shop_id: str) -> ShopLog:
        shop = self._shops.get(shop_id)
        if shop is None:
            shop = self._shops[shop_id] = ShopLog()
        return shop

    def _wake(self, shop_id: str) -> None:
        self._dirty[shop_id] = None
        self._idle.clear()
        self._work.set()
        self.pulse.due()

    # Rounds --------------------------------------------------------------------------------------------------

    async def _loop(self, work: asyncio.Event) -> None:
        delay = 0.0
        while True:
            await work.wait()
            work.clear()
            turns = self._gather()
            if not turns and not self.down:  # while it is away, an empty round asks whether it is back
                if not self._turns:
                    self._idle.set()
                    self.pulse.rest()
                continue
            try:
                await self._round(turns)
            except Away as error:
                delay = min(1.0, delay * 2 or 0.05)
                if not self.down:
                    log.warning("postgres_away", problem=repr(error))
                self.down = True
                await renew(self._pool)
                await asyncio.sleep(delay)
            except Exception:
                log.exception("journal_round_failed")
                await asyncio.sleep(1.0)
            else:
                if self.down:
                    log.info("postgres_back")
                delay, self.down = 0.0, False
                self.pulse.beat()
            self._work.set()  # perhaps there is more

    async def _expire(self) -> None:
        """Looks at all deadlines now and then: far cheaper than a timer for each command, and late by little."""
        while True:
            await asyncio.sleep(_DEADLINES_SECONDS)
            if self._dirty.keys() - self._turns.keys():
                self._much.set()
            now = asyncio.get_running_loop().time()
            for shop_id in self._dirty:
                for waiter in self._shops[shop_id].waiters:
                    waiter.expire(now)
            for turn in self._turns.values():
                for waiter in turn.claims:
                    waiter.expire(now)

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(self._idle_seconds)
            self.forget(asyncio.get_running_loop().time() - self._idle_seconds)

    def forget(self, before: float) -> None:
        """Forgets the shops whose last round ended before that time, on the loop's clock.

        What is pending or waited for is dirty, from its first moment to its last, and stays.
        """
        for shop_id in [shop_id for shop_id, shop in self._shops.items() if shop.rested < before]:
            if shop_id not in self._dirty:
                del self._shops[shop_id]

    async def _round(self, turns: list[Turn]) -> None:
        try:
            outcomes = await self._commit(turns)
            for turn in turns:
                await self._settle(turn, outcomes[turn.shop_id])
        finally:
            self._rest(turns)

    def _gather(self) -> list[Turn]:
        """The next turns, of shops that are in none; the longest waiting first."""
        turns: list[Turn] = []
        room = self._most
        self._fresh = 0
        for shop_id in self._dirty:
            if shop_id in self._turns:
                continue
            shop = self._shops[shop_id]
            turn = self._turns[shop_id] = Turn(shop_id, shop, shop.run(room))
            # Who comes while the round is under way is not answered by it: it may not know of what they saw.
            turn.claims, shop.waiters = shop.waiters, []
            turns.append(turn)
            room -= max(1, len(turn.run))
            if room <= 0:
                self._much.set()
                break
        return turns

    def _rest(self, turns: list[Turn]) -> None:
        """Whoever was not answered goes on waiting; shops with work left go behind the others."""
        now = asyncio.get_running_loop().time()
        for turn in turns:
            turn.shop.rested = now
            turn.shop.waiters += [waiter for waiter in turn.claims if not waiter.future.done()]
            del self._turns[turn.shop_id]
            self._dirty.pop(turn.shop_id, None)
            if turn.shop.busy:
                self._dirty[turn.shop_id] = None

    async def _commit(self, turns: list[Turn]) -> dict[str, _Outcome]:
        try:
            return await self._call(turns)
        except Away:
            raise
        except asyncpg.PostgresError as error:
            log.error("commit_refused", problem=repr(error), code=error.sqlstate, shops=len(turns))
        # One shop's events were refused by a constraint: no other shop may suffer from it, nor the events before it.
        outcomes: dict[str, _Outcome] = {}
        for turn in turns:
            outcomes[turn.shop_id] = await self._commit_alone(turn)
        return outcomes

    async def _commit_alone(self, turn: Turn) -> _Outcome:
        """One shop's run; when it is refused, only its first command's events; when those are, they are impossible."""
        for run in (turn.run, [event for event in turn.run if event.shop_seq <= turn.run[0].through]):
            turn.run = run
            try:
                return (await self._call([turn]))[turn.shop_id]
            except Away:
                raise
            except asyncpg.PostgresError as error:
                log.error("events_refused", shop_id=turn.shop_id, events=len(run), problem=repr(error))
        return _Outcome("impossible")

    async def _call(self, turns: list[Turn]) -> dict[str, _Outcome]:
        events = [event for turn in turns for event in turn.run]
        COMMIT_EVENTS.observe(len(events))
        with COMMIT_SECONDS.timed():
            rows = await self._pool.fetch(
                _COMMIT,
                [turn.shop_id for turn in turns],
                [turn.run[0].epoch if turn.run else None for turn in turns],
                [turn.run[0].shop_seq if turn.run else None for turn in turns],
                [turn.run[0].upon if turn.run else None for turn in turns],
                b"\n".join([event.raw for event in events]).decode(),
                b"\n".join([event.born or b"" for event in events]).decode(),
            )
        return {row[0]: _Outcome(*row[1:]) for row in rows}

    # What comes of a round -------------------------------------------------------------------------------------

    async def _settle(self, turn: Turn, outcome: _Outcome) -> None:
        shop, run = turn.shop, turn.run
        if shop.forked_in is not None:
            await self._give_up(turn, shop.forked_in, "two events for one place")
        elif outcome.word in {"committed", "asked"}:
            shop.settled(run)
            self._tell(run)
            await self._answer(turn, outcome)
        elif outcome.word == "overlap":
            await self._compare(turn, outcome)
        elif outcome.word == "gap":
            await self._look_for_missing(turn)
        else:
            await self._give_up(turn, max([run[0].epoch] if run else [c.epoch for c in turn.claims]), outcome.word)

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            for listener in self.listeners:
                listener(events)

    async def _answer(self, turn: Turn, outcome: _Outcome) -> None:
        """Answers the claims that are durable now; gives the shop up when one rests on what never was."""
        shop = turn.shop
        if outcome.watermark > shop.committed:
            shop.committed, shop.stuck = outcome.watermark, 0
        links = {0: "", **{event.shop_seq: event.link for event in turn.run}, outcome.watermark: outcome.link}
        reached = [claim for claim in turn.claims if claim.shop_seq <= outcome.watermark]
        unknown = [claim.shop_seq for claim in reached if claim.shop_seq not in links]
        if unknown:
            links.update(await self._pool.fetch(_LINKS, turn.shop_id, unknown))
        untrue = [claim for claim in reached if not _holds(claim, links, outcome.epoch)]
        for claim in reached:
            if claim not in untrue:
                claim.answer(outcome.watermark)
        if untrue:
            await self._give_up(turn, max(claim.epoch for claim in untrue), "an answer rests on what never was")
        elif (len(reached) < len(turn.claims) and not shop.pending) or (shop.pending and not turn.run):
            await self._look_for_missing(turn)

    async def _compare(self, turn: Turn, outcome: _Outcome) -> None:
        """Events at or below the watermark: the same as in Postgres, or proof that Redis lost memory."""
        old = [event for event in turn.run if event.shop_seq <= outcome.watermark]
        durable = dict(await self._pool.fetch(_LINKS, turn.shop_id, [event.shop_seq for event in old]))
        if any(durable.get(event.shop_seq) != event.link for event in old):
            await self._give_up(turn, turn.run[0].epoch, "forked")
            return
        turn.shop.settled(old)
        self._tell(old)
        turn.run = old
        await self._answer(turn, outcome)

    async def _look_for_missing(self, turn: Turn) -> None:
        """An earlier event is missing: another node made it. It waits in Redis, or is committed by now."""
        shop = turn.shop
        shop.stuck += 1
        if shop.stuck > _PATIENCE_ROUNDS:
            made = [event.epoch for event in shop.pending.values()] + [claim.epoch for claim in turn.claims]
            await self._give_up(turn, max(made), "a hole")
            return
        if shop.stuck > 1:
            await asyncio.sleep(0.002 * shop.stuck)
        try:
            waiting = await self._shards.waiting_events(turn.shop_id)
            self.add(event for event in waiting if event.shop_id == turn.shop_id)
        except RedisAway:
            await asyncio.sleep(0.05)  # it stays missing until Redis is back; meanwhile other shops go on

    async def _give_up(self, turn: Turn, epoch: int, why: str) -> None:
        """What this shop has of `epoch` cannot be true: the shard is rebuilt, and whoever waits tries again."""
        try:
            if why != "unknown":
                await self._shards.memory_lost(turn.shop_id, epoch, why)
        except RedisAway as error:
            log.warning("rebuild_postponed", shop_id=turn.shop_id, problem=repr(error))
        finally:
            culprits = {event.link for event in turn.run} if why == "impossible" else set()
            turn.shop.fence(epoch, turn.claims, culprits)
            turn.claims = []


def _holds(claim: Waiter, links: dict[int, str], epoch: int) -> bool:
    return links.get(claim.shop_seq) == claim.link and (not claim.strict or claim.epoch == epoch)
