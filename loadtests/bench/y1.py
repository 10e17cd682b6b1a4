"""Y1: a year of one busy shop: how size and time grow from its first days to its last, with trimming and without.

Five barbers, about sixty visits each a day, a thousand transitions a day: shop_year.py says how they come about. The
first measure is taken at the end of the second day, the first that has a yesterday whose commands are still remembered.
The year is played twice: once all events are kept, once those of ninety days. Asked: a transition and a rebuild take at
most one and a half times as long in the end, whatever is kept; Redis has as many keys and as much memory; and with
trimming the events' room has stopped to grow when the first of them went.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

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
ASKED_REDIS: Final = 1.1
_FIRST: Final = 2
_MOST_KEYS: Final = 5 + 3 * BARBERS
"""The shop, two days' commands, timers, events; each barber's line, skipped and appointments, while there are any."""
_TABLES: Final = ("queue_events", "bookings", "checkpoints")
_SIZES: Final = "SELECT pg_table_size($1::regclass), pg_indexes_size($1::regclass)"
_LAST_SEQ: Final = "SELECT seq FROM queues WHERE barber_id = $1"
_LATEST: Final = "SELECT booking_id FROM bookings WHERE shop_id = $1 ORDER BY shop_seq DESC LIMIT $2"


@dataclass(frozen=True, slots=True)
class _Scale:
    """days, transitions a day, days kept; repetitions of what is timed, and of what takes long."""

    days: int = 365
    steps: int = 1000
    kept: int = 90
    times: int = 200
    slow: int = 10


_QUICK: Final = _Scale(days=9, steps=40, kept=3, times=10, slow=2)


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a day's end was like. seconds: of each kind of call. sizes: (table, its indexes) in bytes."""

    seconds: dict[str, list[float]]
    sizes: dict[str, tuple[int, int]]
    events: int
    redis_keys: int
    redis_bytes: int

    @property
    def events_bytes(self) -> int:
        return sum(self.sizes["queue_events"])

    def told(self) -> Json:
        return {
            "events": self.events,
            **{f"{name}_mb": [round(part / 1e6, 1) for part in sizes] for name, sizes in self.sizes.items()},
            "redis_keys": self.redis_keys,
            "redis_kb": round(self.redis_bytes / 1000, 1),
            **{f"{name}_ms": _median_p99(seconds) for name, seconds in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True)
class _Year:
    first: _Mark
    filled: _Mark
    """When the first day had gone, or would have."""
    last: _Mark
    differences: list[str]

    def growth(self, name: str) -> float:
        return median(self.last.seconds[name]) / median(self.first.seconds[name])


async def y1(plan: Plan) -> list[Figure]:
    scale = _QUICK if plan.quick else _Scale()
    whole = await _year(plan, scale, None)
    trimmed = await _year(plan, scale, scale.kept)
    return _figures(scale, whole, trimmed)


async def _year(plan: Plan, scale: _Scale, kept: int | None) -> _Year:
    async with running_node(await plan.stores.node_options()) as node:
        year = ShopYear(node, await open_chairs(node, 1, BARBERS, {"queue_capacity": 10_000}), scale.days, kept)
        marks = {}
        for number in range(1, scale.days + 1):
            await year.play(scale.steps)
            if number in {_FIRST, scale.kept + 2, scale.days}:
                await plan.stores.checkpoint()
                marks[number] = await _mark(node, year, scale)
                plan.say(f"Y1 kept {kept or 'all'}, day {number}: {marks[number].told()}")
        differences = await compare(node.pool, node.redis, node.keys)
        return _Year(marks[_FIRST], marks[scale.kept + 2], marks[scale.days], differences)


async def _mark(node: Node, year: ShopYear, scale: _Scale) -> _Mark:
    shop_id, shard = year.shop_id, node.keys.shard_of(year.shop_id)
    pool = node.pool
    sizes = {}
    for table in _TABLES:
        [row] = await pool.fetch(_SIZES, table)
        sizes[table] = (row[0], row[1])
    keys, held = await _redis(node, shard)
    bookings = [row["booking_id"] for row in await pool.fetch(_LATEST, shop_id, scale.times)]
    barber = year.chairs[0].barber_id
    last = await pool.fetchval(_LAST_SEQ, barber)

    async def history(number: int) -> None:
        found = await find_booking(pool, bookings[number % len(bookings)])
        assert found is not None
        await events_around(pool, shop_id, found)

    async def rebuild(_: int) -> None:
        epoch = int(await node.redis.of(shard).get(node.keys.epoch(shard)) or 0)
        await node.recovery.rebuild(shard, epoch, "a benchmark")

    seconds = {
        "history": await _timed(history, scale.times),
        "events_page": await _timed(lambda _: queue_events(pool, barber, max(0, last - 100), 100), scale.times),
        "check": await _timed(lambda _: compare(pool, node.redis, node.keys), 2),
        "rebuild": await _timed(rebuild, scale.slow),
        "transition": await _transitions(node, year.chairs[0], scale.times),
    }
    return _Mark(seconds, sizes, await pool.fetchval("SELECT count(*) FROM queue_events"), keys, held)


async def _redis(node: Node, shard: int) -> tuple[int, int]:
    """Keys of the shard's present generation, and the bytes that they take."""
    redis: Any = node.redis.of(shard)
    root = node.keys.generation(shard, int(await redis.get(node.keys.epoch(shard)) or 0))
    keys = [key async for key in redis.scan_iter(match=f"{root}*", count=1000)]
    return len(keys), sum([await redis.memory_usage(key, samples=0) or 0 for key in keys])


async def _timed(call: Callable[[int], Awaitable[object]], times: int) -> list[float]:
    """Seconds of each call, after one that does not count."""
    took = []
    for number in range(times + 1):
        began = time.perf_counter()
        await call(number)
        took.append(time.perf_counter() - began)
    return took[1:]


async def _transitions(node: Node, chair: Chair, times: int) -> list[float]:
    """Joins of a caller who waits for each: from submit to the durable answer."""
    opening = parse_command({"commandId": command_id(), "type": "open", "barberId": chair.barber_id})
    await node.engine.submit(chair.barber, opening, VIA)
    people = customers_of(times + 1)

    async def join(number: int) -> None:
        fields = {"type": "join", "barberId": chair.barber_id, "serviceIds": chair.service_ids[:1]}
        await node.engine.submit(people[number], parse_command({"commandId": command_id(), **fields}), VIA)

    return await _timed(join, times)


def _median_p99(seconds: list[float]) -> list[float]:
    return [round(median(seconds) * 1000, 2), round(percentile_ms(seconds, 99), 2)]


def _figures(scale: _Scale, whole: _Year, trimmed: _Year) -> list[Figure]:
    about = f"from day {_FIRST} to day {scale.days}"
    peer = f"{scale.kept} days kept"
    told = {
        "all_kept": {str(_FIRST): whole.first.told(), str(scale.days): whole.last.told()},
        f"{scale.kept}_days_kept": {str(_FIRST): trimmed.first.told(), str(scale.days): trimmed.last.told()},
        "check_differences": len(whole.differences) + len(trimmed.differences),
    }
    figures = []
    for name, words in (("transition", "a join, one caller"), ("rebuild", "the rebuild of its shard")):
        value, other = whole.growth(name), trimmed.growth(name)
        figures.append(
            Figure(
                id=f"Y1-{name}",
                title=f"growth of the time of {words}, {about}, all events kept",
                value=value,
                unit="times the time",
                asked=f"<= {ASKED:g}, trimmed or not",
                holds=max(value, other) <= ASKED,
                peers={peer: other},
                ratios={peer: value / other},
                details=told if name == "transition" else {},
            )
        )
    memory = [year.last.redis_bytes / year.first.redis_bytes for year in (whole, trimmed)]
    figures.append(
        Figure(
            id="Y1-redis",
            title=f"growth of the shop's memory in Redis, {about}",
            value=max(memory),
            unit="times the bytes",
            asked=f"<= {ASKED_REDIS:g}, {_MOST_KEYS} keys at most",
            holds=max(memory) <= ASKED_REDIS and all(year.last.redis_keys <= _MOST_KEYS for year in (whole, trimmed)),
        )
    )
    room = trimmed.last.events_bytes / trimmed.filled.events_bytes
    figures.append(
        Figure(
            id="Y1-events",
            title=f"growth of the events' room with {peer}, from day {scale.kept + 2} to day {scale.days}",
            value=room,
            unit="times the bytes",
            asked=f"<= {ASKED:g}, check finds nothing",
            holds=room <= ASKED and not (whole.differences or trimmed.differences),
            peers={"all kept": whole.last.events_bytes / whole.filled.events_bytes},
            ratios={"all kept": room / (whole.last.events_bytes / whole.filled.events_bytes)},
            details={"first_differences": [*whole.differences, *trimmed.differences][:5]},
        )
    )
    return figures
