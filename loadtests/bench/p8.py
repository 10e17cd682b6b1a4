"""P8: how the cost of a transition grows, with the length of the lines and with the number of queues.

Cost: wall time per acknowledged transition with 64 callers, without what drawing the steps took, in the same mix as P1.
Every size is a deployment of its own, with its own database; all are measured in turns. It holds when a hundred times
the length costs at most twice as much (a log2 of 1,000 is three times a log2 of 10), and a thousand times the queues at
most one and a half times as much while the same ten are at work and the others have their lines and rest: what is there
must cost nothing. P8-spread tells what it costs when all of them are at work: the same 64 callers are then spread thin,
and what a shop's commands share when they come together is paid by each alone.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from barberpro.server.node import Node
from loadtests.bench.floor import Floor
from loadtests.bench.loop import closed_loop
from loadtests.bench.ours import Chair, Ours, fill, open_chairs, running_node
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure

_CALLERS: Final = 64
_BARBERS: Final = 5
_WORKING: Final = 10
"""Queues at work among however many there are."""
_SHORT: Final = 6
_CAPACITY: Final = 10_000
LENGTHS: Final = (10, 100, 1000)
QUEUES: Final = (10, 1000, 10_000)
ASKED_LENGTH: Final = 2.0
ASKED_QUEUES: Final = 1.5


@dataclass(slots=True)
class _Case:
    """One size. costs: us per transition, a round each; scripts: us of Redis per script call, and
    cpu: processor us per transition by process, likewise."""

    size: int
    node: Node
    floor: Floor
    ours: Ours
    costs: list[float] = field(default_factory=list)
    scripts: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)

    async def measure(self, plan: Plan) -> None:
        await plan.stores.checkpoint()
        await self.node.redis.of(0).config_resetstat()
        tally = await closed_loop(self.floor, self.ours.run, _CALLERS, plan.warm_up, plan.seconds / 2, plan.stores.cpu)
        stats: dict[str, Any] = await self.node.redis.of(0).info("commandstats")
        self.costs.append((tally.seconds - tally.generator) / max(tally.count, 1) * 1e6)
        self.scripts.append(float(stats["cmdstat_fcall"]["usec_per_call"]))
        self.cpu.append(tally.cpu_us())
        plan.say(f"  {self.size:,}: {self.costs[-1]:.0f} us a transition, {self.scripts[-1]:.0f} us of it in Redis")


async def p8(plan: Plan) -> list[Figure]:
    lengths = (10, 30) if plan.quick else LENGTHS
    queues = (10, 50) if plan.quick else QUEUES
    by_length = await _series(plan, [(length, 10, length) for length in lengths], "waiting in each of 10 queues")
    sizes = [(number, number, _SHORT) for number in queues]
    by_queues = await _series(plan, sizes, f"queues, {_WORKING} at work", _WORKING)
    spread = await _series(plan, sizes, "queues, all at work")
    growth = f"growth from {queues[0]} to {queues[-1]:,} queues"
    return [
        _figure("P8-length", f"growth from {lengths[0]} to {lengths[-1]:,} waiting", by_length, ASKED_LENGTH),
        _figure("P8-queues", f"{growth}, {_WORKING} of them at work", by_queues, ASKED_QUEUES),
        _figure("P8-spread", f"{growth}, all at work: 64 callers in ever more shops", spread, ASKED_QUEUES),
    ]


async def _series(plan: Plan, sizes: list[tuple[int, int, int]], what: str, working: int | None = None) -> list[_Case]:
    """sizes: what the case is called, its number of queues, and how long they are. working: queues; None: all."""
    async with AsyncExitStack() as stack:
        cases = []
        for size, queues, length in sizes:
            plan.say(f"P8: filling {size:,} {what}")
            cases.append(await _case(plan, stack, size, queues, length, working or queues))
        for number in range(plan.rounds):
            plan.say(f"P8 round {number + 1} of {plan.rounds}, {what}")
            for case in cases:
                await case.measure(plan)
    return cases


async def _case(plan: Plan, stack: AsyncExitStack, size: int, queues: int, length: int, working: int) -> _Case:
    """working: how many of the queues are at work; the others have their lines, too."""
    node = await stack.enter_async_context(running_node(await plan.stores.node_options()))
    chairs = await open_chairs(node, queues // _BARBERS, _BARBERS, {"queue_capacity": _CAPACITY})
    at_work, at_rest = chairs[:working], chairs[working:]
    if at_rest:
        await _filled(node, at_rest, length)
    return _Case(size, node, *await _filled(node, at_work, length))


async def _filled(node: Node, chairs: list[Chair], length: int) -> tuple[Floor, Ours]:
    """chairs: those of a shop stand together."""
    customers = len(chairs) * length * 2 + 1000
    floor, ours = Floor(len(chairs) // _BARBERS, _BARBERS, length, customers), Ours(node, chairs, customers)
    await fill(floor, ours.run, length)
    return floor, ours


def _figure(name: str, title: str, cases: list[_Case], asked: float) -> Figure:
    first, last = cases[0], cases[-1]
    growth = median(big / small for small, big in zip(first.costs, last.costs, strict=True))
    return Figure(
        id=name,
        title=title,
        value=growth,
        unit="times the cost",
        asked=f"<= {asked:g}",
        holds=growth <= asked,
        details={
            "us_per_transition": _costs(cases),
            "cpu_us_per_transition": {str(case.size): _medians(case.cpu) for case in cases},
            "redis_us_per_script": {str(case.size): round(median(case.scripts), 1) for case in cases},
        },
    )


def _costs(cases: list[_Case]) -> dict[str, float]:
    return {str(case.size): round(median(case.costs), 1) for case in cases}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(each[name] for each in rounds), 1) for name in rounds[0]}
