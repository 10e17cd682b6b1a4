"""P2: one caller, from join to ok, against its two unavoidable parts: one script call and one commit.

The parts are measured alone, in the same run, in short turns with the whole: the same script with the same kind of
argument through redis-py, and its event through `commit_events` on a connection of asyncpg's; the lines are as many and
as long as the engine's.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import asyncpg

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.commands import Join
from barberpro.queue.calls import CallBuilder
from barberpro.queue.journal import _COMMIT
from barberpro.queue.scripts import Event, Reply, load_library
from barberpro.server.node import Node, NodeOptions
from loadtests.bench.ours import VIA, Chair, command_id, open_chairs, running_node
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure

ASKED: Final = 1.5
_TURN: Final = 25
_TURNS: Final = 12
_PAUSE: Final = 0.02
"""Seconds between turns, in which the engine's publishing ends: it must not slow its peer down."""


@dataclass(slots=True)
class _Times:
    """Seconds, an entry a join."""

    whole: list[float] = field(default_factory=list)
    script: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)


class _Parts:
    """Makes joins by hand: the script call and the commit, timed apart."""

    def __init__(self, node: Node, options: NodeOptions, connection: "asyncpg.Connection[Any]") -> None:
        self._node = node
        self._calls = CallBuilder(node.keys, lambda phone: phone, lambda _kind, text: text)
        self._function = load_library(options.prefix).function("run")
        self._connection = connection

    async def join(self, actor: Actor, command: Join, chair: Chair, times: _Times) -> None:
        node = self._node
        shop = await node.catalogue.shop(chair.shop_id)
        assert shop is not None
        call = self._calls.of_command(actor, command, VIA, shop)
        key = node.keys.epoch(call.shard)
        client: Any = node.redis.of(call.shard)  # its types allow no bytes where Redis does
        began = time.perf_counter()
        raw = await client.fcall(self._function, 1, key, call.shop_id, call.policy, *call.arguments)
        times.script.append(time.perf_counter() - began)
        reply = Reply.of(raw, 1)[0]
        times.commit.append(await self._commit(reply.events))
        stream = f"{node.keys.generation(call.shard, reply.epoch)}events"
        await client.xdel(stream, *[event.stream_id for event in reply.events])

    async def _commit(self, events: Sequence[Event]) -> float:
        """Seconds that it took."""
        first = events[0]
        raw = b"\n".join([event.raw for event in events]).decode()
        born = b"\n".join([event.born or b"" for event in events]).decode()
        began = time.perf_counter()
        rows = await self._connection.fetch(
            _COMMIT, [first.shop_id], [first.epoch], [first.shop_seq], [first.upon], raw, born
        )
        took = time.perf_counter() - began
        assert rows[0][1] == "committed", rows
        return took


@dataclass(slots=True)
class _Bench:
    """The whole and its parts, each with a shop of its own."""

    node: Node
    parts: _Parts
    ours: list[Chair]
    theirs: list[Chair]
    customers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def turn(self, times: _Times) -> None:
        await asyncio.sleep(_PAUSE)
        for chair in itertools.islice(itertools.cycle(self.ours), _TURN):
            actor, command = _join(chair, next(self.customers))
            began = time.perf_counter()
            await self.node.engine.submit(actor, command, VIA)
            times.whole.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE)
        for chair in itertools.islice(itertools.cycle(self.theirs), _TURN):
            actor, command = _join(chair, next(self.customers))
            await self.parts.join(actor, command, chair, times)


async def p2(plan: Plan) -> list[Figure]:
    options = await plan.stores.node_options()
    rounds = []
    async with running_node(options) as node, _connection(options) as connection:
        bench = _Bench(node, _Parts(node, options, connection), await _shop(node), await _shop(node))
        await bench.turn(_Times())  # warms all up
        for _ in range(plan.rounds):
            await plan.stores.checkpoint()
            times = _Times()
            for _ in range(2 if plan.quick else _TURNS):
                await bench.turn(times)
            parts = f"script {_us(times.script):.0f} + commit {_us(times.commit):.0f} us"
            plan.say(f"P2: join to ok {_us(times.whole):.0f} us; {parts}")
            rounds.append(times)
    return [_figure(rounds)]


async def _shop(node: Node) -> list[Chair]:
    return await open_chairs(node, 1, 5, {"queue_capacity": 10_000})


@asynccontextmanager
async def _connection(options: NodeOptions) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(options.database_url, server_settings={"synchronous_commit": "on"})
    try:
        yield connection
    finally:
        await connection.close()


def _join(chair: Chair, number: int) -> tuple[Actor, Join]:
    join = Join.model_construct(
        command_id=command_id(), type="join", barber_id=chair.barber_id, service_ids=chair.service_ids[:1]
    )
    return Actor(f"us_{number:016d}", Role.CUSTOMER, f"Guest {number}"), join


def _us(seconds: list[float]) -> float:
    return median(seconds) * 1e6


def _figure(rounds: list[_Times]) -> Figure:
    whole = median(_us(times.whole) for times in rounds)
    script = median(_us(times.script) for times in rounds)
    commit = median(_us(times.commit) for times in rounds)
    ratio = median(_us(times.whole) / (_us(times.script) + _us(times.commit)) for times in rounds)
    return Figure(
        id="P2",
        title="one caller, join to ok",
        value=whole,
        unit="us",
        asked=f"<= {ASKED:g}x one script call plus one commit",
        holds=ratio <= ASKED,
        peers={"script call + commit": script + commit},
        ratios={"script call + commit": ratio},
        details={
            "script_us": round(script),
            "commit_us": round(commit),
            "joins": sum(len(times.whole) for times in rounds),
        },
    )
