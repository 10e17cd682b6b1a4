"""Y1: what a year does to one busy shop: size and time beside those of a young one, with trimming and without.

Five barbers, about sixty visits each a day, a thousand transitions a day: shop_year.py says how they come about. Three
deployments are measured in turns, so that a noisy machine is noisy for all: one of two days, the first that has a
yesterday whose commands are still remembered; one of a year, of which all events are kept; and one of a year of which
those of ninety days are. Asked: a transition and a rebuild take at most one and a half times as long after a year,
whatever is kept; Redis holds no more, but for what a hash table's doubling takes; and with trimming the events' room
has stopped to grow when the first of them went.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from barberpro.protocol.actors import Actor
from barberpro.protocol.commands import parse_command
from barberpro.queue.check import compare
from barberpro.server.node import Node
from barberpro.storage.bookings import events_around, find_booking, queue_events
from loadtests.bench.loop import percentile_ms
from loadtests.bench.ours import VIA, Chair, command_id, customers_of, open_chairs, running_node
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json
from loadtests.bench.shop_year import BARBERS, ShopYear

ASKED: Final = 1.5
ASKED_REDIS: Final = 1.25
_YOUNG: Final = 2
_DRAIN_SECONDS: Final = 10.0
_TURNS: Final = 10
"""Of a round: short ones, so that whatever disturbs the machine disturbs all three."""
_MOST_KEYS: Final = 5 + 3 * BARBERS
"""The shop, two days' commands, timers, events; each barber's line, skipped and appointments, while there are any."""
_TABLES: Final = ("queue_events", "bookings", "checkpoints")
_SIZES: Final = "SELECT pg_table_size($1::regclass), pg_indexes_size($1::regclass)"
_LAST_SEQ: Final = "SELECT seq FROM queues WHERE barber_id = $1"
_LATEST: Final = """
    SELECT booking_id FROM bookings WHERE shop_id = $1 AND kind = 'walk_in' ORDER BY created_at DESC LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class _Scale:
    """days, transitions a day, days kept; repetitions in a turn, and of what takes long."""

    days: int = 365
    steps: int = 1000
    kept: int = 90
    times: int = 25
    slow: int = 3


_QUICK: Final = _Scale(days=9, steps=40, kept=3, times=5, slow=1)


@dataclass(slots=True)
class _Case:
    """One deployment. seconds: of each kind of call. filled: bytes of its events when the first went.

    sizes: (table, its indexes) in bytes, in the end. redis: bytes of each key, likewise.
    """

    year: ShopYear
    filled: int = 0
    events: int = 0
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    redis: dict[str, int] = field(default_factory=dict)
    remembered: int = 0
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    differences: list[str] = field(default_factory=list)

    @property
    def node(self) -> Node:
        return self.year.node

    @property
    def room(self) -> int:
        return sum(self.sizes["queue_events"])

    async def live(self, plan: Plan, scale: _Scale) -> None:
        """Plays all days, and sees what they leave."""
        for number in range(1, self.year.days + 1):
            await self.year.play(scale.steps)
            if number == scale.kept + 2:
                self.filled = sum(await self._size("queue_events"))
            if number % 73 == 0:
                plan.say(f"  day {number}")
        self.sizes = {table: await self._size(table) for table in _TABLES}
        self.events = await self.node.pool.fetchval("SELECT count(*) FROM queue_events")
        await self._look_at_redis()
        self.differences = await compare(self.node.pool, self.node.redis, self.node.keys)

    async def _size(self, table: str) -> tuple[int, int]:
        [row] = await self.node.pool.fetch(_SIZES, table)
        return row[0], row[1]

    async def _look_at_redis(self) -> None:
        """All keys of the deployment, which has one shop: the shards of others are empty."""
        shard = self.node.keys.shard_of(self.year.shop_id)
        redis: Any = self.node.redis.of(shard)
        root = self.node.keys.root(shard)
        generation = self.node.keys.generation(shard, int(await redis.get(self.node.keys.epoch(shard)) or 0))
        async with asyncio.timeout(_DRAIN_SECONDS):
            # An event leaves it right behind its commit: what is still there would be counted by chance.
            while await redis.xlen(f"{generation}events"):
                pass
        async for key in redis.scan_iter(match=f"{root}*", count=1000):
            name = key.decode().removeprefix(root)
            self.redis[name] = await redis.memory_usage(key, samples=0) or 0
            if ":commands:" in name:
                self.remembered += await redis.hlen(key)

    async def measure(self, scale: _Scale, *, check: bool) -> None:
        """A turn of all kinds of calls. check: with that of the whole shop, which takes seconds."""
        node, shop_id = self.node, self.year.shop_id
        pool, shard, chair = node.pool, node.keys.shard_of(shop_id), self.year.chairs[0]
        bookings = [row["booking_id"] for row in await pool.fetch(_LATEST, shop_id, scale.times)]
        last = await pool.fetchval(_LAST_SEQ, chair.barber_id)

        async def history(number: int) -> None:
            found = await find_booking(pool, bookings[number % len(bookings)])
            assert found is not None
            await events_around(pool, shop_id, found)

        async def rebuild(_: int) -> None:
            epoch = int(await node.redis.of(shard).get(node.keys.epoch(shard)) or 0)
            await node.recovery.rebuild(shard, epoch, "a benchmark")

        async def page(_: int) -> None:
            await queue_events(pool, chair.barber_id, max(0, last - 100), 100)

        async def whole(_: int) -> None:
            await compare(pool, node.redis, node.keys)

        self.seconds["history"] += await _timed(history, scale.times)
        self.seconds["events_page"] += await _timed(page, scale.times)
        self.seconds["rebuild"] += await _timed(rebuild, scale.slow)
        self.seconds["transition"] += await _transitions(node, chair, scale.times)
        if check:
            self.seconds["check"] += await _timed(whole, 1)

    def growth(self, name: str, young: "_Case") -> float:
        """How many times as long as of the young one."""
        return median(self.seconds[name]) / median(young.seconds[name])

    def told(self) -> Json:
        return {
            "events": self.events,
            **{f"{name}_mb": [round(part / 1e6, 1) for part in sizes] for name, sizes in self.sizes.items()},
            "redis_keys": len(self.redis),
            "redis_kb": round(sum(self.redis.values()) / 1000, 1),
            "redis_remembers_commands": self.remembered,
            **{f"{name}_ms": _median_p99(seconds) for name, seconds in self.seconds.items()},
        }


async def y1(plan: Plan) -> list[Figure]:
    scale = _QUICK if plan.quick else _Scale()
    async with AsyncExitStack() as stack:
        cases = []
        for days, kept in ((_YOUNG, None), (scale.days, None), (scale.days, scale.kept)):
            plan.say(f"Y1: {days} days, kept: {kept or 'all'}")
            node = await stack.enter_async_context(running_node(await plan.stores.node_options()))
            chairs = await open_chairs(node, 1, BARBERS, {"queue_capacity": 10_000})
            cases.append(_Case(ShopYear(node, chairs, days, kept)))
            await cases[-1].live(plan, scale)
        await plan.stores.checkpoint()
        for number in range(plan.rounds * _TURNS):
            plan.say(f"Y1 turn {number + 1} of {plan.rounds * _TURNS}")
            for case in cases:
                await case.measure(scale, check=number % _TURNS == 0)
    young, whole, trimmed = cases
    return _figures(scale, young, whole, trimmed)


async def _timed(call: Callable[[int], Awaitable[object]], times: int) -> list[float]:
    """Seconds of each call, after one that does not count."""
    took = []
    for number in range(times + 1):
        began = time.perf_counter()
        await call(number)
        took.append(time.perf_counter() - began)
    return took[1:]


async def _transitions(node: Node, chair: Chair, times: int) -> list[float]:
    """Joins of a caller who waits for each: from submit to the durable answer. Then the line is let go."""
    queue = {"barberId": chair.barber_id}

    async def send(actor: Actor, **fields: object) -> None:
        await node.engine.submit(actor, parse_command({"commandId": command_id(), **queue, **fields}), VIA)

    await send(chair.barber, type="open")
    people = customers_of(times + 1)
    took = await _timed(lambda number: send(people[number], type="join", serviceIds=chair.service_ids[:1]), times)
    await send(chair.barber, type="close", waiting="cancel")
    return took


def _median_p99(seconds: list[float]) -> list[float]:
    return [round(median(seconds) * 1000, 2), round(percentile_ms(seconds, 99), 2)]


def _figures(scale: _Scale, young: _Case, whole: _Case, trimmed: _Case) -> list[Figure]:
    peer = f"{scale.kept} days kept"
    told = {f"{young.year.days} days": young.told(), f"{scale.days} days": whole.told()}
    told[f"{scale.days} days, {scale.kept} kept"] = trimmed.told()
    return [
        _time("transition", "a join, one caller", peer, (young, whole, trimmed), {"side_by_side": told}),
        _time("rebuild", "the rebuild of its shard", peer, (young, whole, trimmed), {}),
        _redis(young, whole, trimmed),
        _room(scale, peer, whole, trimmed),
    ]


def _time(name: str, words: str, peer: str, cases: tuple[_Case, _Case, _Case], details: Json) -> Figure:
    young, whole, trimmed = cases
    value, other = whole.growth(name, young), trimmed.growth(name, young)
    return Figure(
        id=f"Y1-{name}",
        title=f"time of {words}, after {whole.year.days} days against {young.year.days}, all events kept",
        value=value,
        unit="times the time",
        asked=f"<= {ASKED:g}, trimmed or not",
        holds=max(value, other) <= ASKED,
        peers={peer: other},
        ratios={peer: value / other},
        details=details,
    )


def _redis(young: _Case, *old: _Case) -> Figure:
    growth = max(sum(case.redis.values()) for case in old) / sum(young.redis.values())
    return Figure(
        id="Y1-redis",
        title=f"the shop's memory in Redis, after {old[0].year.days} days against {young.year.days}",
        value=growth,
        unit="times the bytes",
        asked=f"<= {ASKED_REDIS:g}, {_MOST_KEYS} keys at most",
        holds=growth <= ASKED_REDIS and max(len(case.redis) for case in old) <= _MOST_KEYS,
        details={"bytes": [case.redis for case in (young, *old)]},
    )


def _room(scale: _Scale, peer: str, whole: _Case, trimmed: _Case) -> Figure:
    growth, other = (case.room / case.filled for case in (trimmed, whole))
    differences = [*whole.differences, *trimmed.differences]
    return Figure(
        id="Y1-events",
        title=f"room of the events and their indexes, {peer}, after {scale.days} days against {scale.kept + 2}",
        value=growth,
        unit="times the bytes",
        asked=f"<= {ASKED:g}, check finds nothing",
        holds=growth <= ASKED and not differences,
        peers={"all kept": other},
        ratios={"all kept": growth / other},
        details={"differences": len(differences), "first_differences": differences[:5]},
    )
