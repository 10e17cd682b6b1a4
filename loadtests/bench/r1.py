"""R1: a rolling restart of two servers, with two thousand sockets and commands that go on.

Half of the sockets come over Socket.IO, half over raw WebSocket; each is another user's, in the room of one of fifty
queues, and comes back as the contract says (viewers.py). Fifty commands a second arrive on them at random moments; a
command without a final answer is sent again, with the same commandId, by whichever connection its user has then. Each
server in turn is ended with SIGTERM, started again at once, and waited for until it is ready.

Measured: seconds from the SIGTERM until every socket is let in again and shows at least what Postgres had for its room
when the last of them was. In the end, when commands have stopped, all show what Postgres has; every acknowledged
command is there with the result that was told; and `barberpro check` passes.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from asyncpg import Pool

from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.floor import Floor
from loadtests.bench.loop import Loading, arriving
from loadtests.bench.ours import fill
from loadtests.bench.people import DOORS, People, Scale, Town, settle
from loadtests.bench.plan import Plan
from loadtests.bench.promises import broken_promises
from loadtests.bench.report import Figure
from loadtests.bench.served import Deployment, Served, deployment, free_port
from loadtests.bench.viewers import NOTHING, Story, Version, Viewer

ASKED_SECONDS: Final = 15.0
_SCALE: Final = Scale(shops=10, barbers=5, devices=1, customers=1950)
_QUICK: Final = Scale(shops=2, barbers=2, devices=1, customers=196)
_COMMANDS_A_SECOND: Final = 50.0
_PATIENCE: Final = 60.0
_LOOK_SECONDS: Final = 0.02
_SHOWN: Final = 5
_VERSIONS: Final = "SELECT q.barber_id, w.epoch, q.seq FROM queues q JOIN watermarks w USING (shop_id)"


class _Node:
    """A server that comes and goes on one port."""

    def __init__(self, deployed: Deployment) -> None:
        self.port = free_port()
        self._deployed = deployed
        self._life = AsyncExitStack()
        self._served: Served | None = None

    async def start(self) -> None:
        """Comes back when it is ready."""
        self._served = await self._life.enter_async_context(self._deployed.server(self.port))

    async def end(self) -> int | None:
        """By SIGTERM; its exit code."""
        await self._life.aclose()
        return self._served.process.code if self._served is not None else None


@dataclass(frozen=True, slots=True)
class _Restart:
    """Seconds since the SIGTERM: ended, ready again, and all are back. moved: sockets that were on the server."""

    ended: float
    ready: float
    back: float
    moved: int
    code: int | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """unequal: viewers that do not show in the end what Postgres has. broken, differences: in sentences."""

    restarts: list[_Restart]
    commands: Loading
    unequal: int
    broken: list[str]
    differences: list[str]


async def r1(plan: Plan) -> list[Figure]:
    many_descriptors()
    scale = _QUICK if plan.quick else _SCALE
    story = Story()
    async with deployment(plan.stores) as deployed, _two_nodes(deployed) as nodes, deployed.pool() as pool:
        town = await settle(deployed, scale)
        viewers = _viewers(town, [node.port for node in nodes], story)
        async with _watching(viewers, pool):
            outcome = await _roll(plan, deployed, town, nodes, viewers, pool)
    return [_figure(scale, story, outcome)]


@asynccontextmanager
async def _two_nodes(deployed: Deployment) -> AsyncIterator[Sequence[_Node]]:
    nodes = _Node(deployed), _Node(deployed)
    try:
        await asyncio.gather(*(node.start() for node in nodes))
        yield nodes
    finally:
        for node in nodes:
            await node.end()


def _viewers(town: Town, ports: Sequence[int], story: Story) -> list[Viewer]:
    """The staff, then the customers; one after the other at each queue, every second one over raw WebSocket."""
    tokens = [*(token for devices in town.staff for token in devices), *town.customers]
    queues = len(town.chairs)
    return [
        Viewer(DOORS[(number + number // queues) % 2], ports, town.chairs[number % queues].barber_id, token, story)
        for number, token in enumerate(tokens)
    ]


@asynccontextmanager
async def _watching(viewers: Sequence[Viewer], pool: "Pool[Any]") -> AsyncIterator[None]:
    """Everybody is there until the block ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(viewer.run()) for viewer in viewers]
        try:
            await _all_back(viewers, pool)
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _roll(
    plan: Plan, deployed: Deployment, town: Town, nodes: Sequence[_Node], viewers: list[Viewer], pool: "Pool[Any]"
) -> _Outcome:
    queues, scale = len(town.chairs), town.scale
    people = People(town, viewers[queues:], [[staff] for staff in viewers[:queues]])
    floor = Floor(scale.shops, scale.barbers, scale.length, scale.customers)
    await people.open()
    await fill(floor, people.run, scale.length)
    restarts = []
    async with arriving(floor, people.run, _COMMANDS_A_SECOND) as commands:
        for number in range(plan.rounds):
            plan.say(f"R1 round {number + 1} of {plan.rounds}")
            for node in nodes:
                restarts.append(await _restart(node, viewers, pool))
                plan.say(f"  all back after {restarts[-1].back:.1f} s, ready after {restarts[-1].ready:.1f} s")
    unequal = await _unequal(viewers, pool)
    story = viewers[0].story
    broken = await broken_promises(pool, story.acknowledged, story.refused)
    return _Outcome(restarts, commands, unequal, broken, await deployed.check())


async def _restart(node: _Node, viewers: Sequence[Viewer], pool: "Pool[Any]") -> _Restart:
    began, before = time.monotonic(), viewers[0].story.cuts
    code = await node.end()
    ended = time.monotonic() - began
    ready, back = await asyncio.gather(_took(began, node.start()), _took(began, _all_back(viewers, pool)))
    return _Restart(ended, ready, back, viewers[0].story.cuts - before, code)


async def _took(began: float, work: Awaitable[object]) -> float:
    """Seconds from then to its end."""
    await work
    return time.monotonic() - began


async def _all_back(viewers: Sequence[Viewer], pool: "Pool[Any]") -> None:
    """Waits until all are let in, and then until each shows at least what Postgres has; not for ever."""
    await _until(lambda: all(viewer.here for viewer in viewers))
    versions = await _versions(pool)
    await _until(lambda: all(viewer.here and viewer.version >= _newest(versions, viewer) for viewer in viewers))


async def _unequal(viewers: Sequence[Viewer], pool: "Pool[Any]") -> int:
    """How many do not show what Postgres has, when nothing changes any more and there was time enough."""
    versions = await _versions(pool)
    await _until(lambda: all(viewer.version == _newest(versions, viewer) for viewer in viewers))
    return sum(not viewer.here or viewer.version != _newest(versions, viewer) for viewer in viewers)


async def _until(true: Callable[[], bool]) -> None:
    """What is not true in time is told by the figure."""
    deadline = time.monotonic() + _PATIENCE
    while not true() and time.monotonic() < deadline:  # noqa: ASYNC110 - of thousands, and a look is cheap
        await asyncio.sleep(_LOOK_SECONDS)


async def _versions(pool: "Pool[Any]") -> dict[str, Version]:
    """Of each queue that was ever used, as Postgres has it."""
    return {row["barber_id"]: (row["epoch"], row["seq"]) for row in await pool.fetch(_VERSIONS)}


def _newest(versions: dict[str, Version], viewer: Viewer) -> Version:
    return versions.get(viewer.barber_id, NOTHING)


def _figure(scale: Scale, story: Story, outcome: _Outcome) -> Figure:
    restarts, tally = outcome.restarts, outcome.commands.tally
    worst = max(each.back for each in restarts)
    wrong = outcome.unequal + len(outcome.broken) + len(outcome.differences) + story.backwards + story.not_first
    badly_ended = sum(each.code != 0 for each in restarts)
    return Figure(
        id="R1",
        title=f"rolling restart of two servers with {scale.clients:,} sockets, until all are back and equal",
        value=worst,
        unit="s",
        asked=f"<= {ASKED_SECONDS:g} s each time, no acknowledged command lost, nothing goes back",
        holds=worst <= ASKED_SECONDS and wrong + badly_ended == 0,
        details={
            "sockets": scale.clients,
            "queues": scale.shops * scale.barbers,
            "restarts_back_s": [round(each.back, 2) for each in restarts],
            "restarts_ended_s": [round(each.ended, 2) for each in restarts],
            "restarts_ready_s": [round(each.ready, 2) for each in restarts],
            "restarts_sockets_cut": [each.moved for each in restarts],
            "ended_badly": badly_ended,
            "unequal_in_the_end": outcome.unequal,
            "went_back": story.backwards,
            "came_before_the_subscription": story.not_first,
            "cut_without_notice": story.unannounced,
            "turned_away": dict(story.turned_away),
            "commands_acknowledged": len(story.acknowledged),
            "commands_refused": dict(Counter(story.refused.values())),
            "commands_sent_again": story.repeated,
            "commands_replayed": story.replayed,
            "acknowledged_and_lost": len(outcome.broken),
            "check_differences": len(outcome.differences),
            "first_problems": [*outcome.broken, *outcome.differences][:_SHOWN],
            "slowest_command_s": round(max(tally.latencies), 2),
        },
    )
