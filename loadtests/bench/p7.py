"""P7: what an idle connection costs the server in memory, over raw WebSocket and Socket.IO.

Each turn has a server process of its own: a few connections first, so that all code is loaded and warm; then five
thousand, each of another user and in a queue's room. Cost: how much the process grew (proportional set size; the
kernel's socket buffers are not in it), by those connections. Once the clients offer per-message compression, as
browsers do, and once not: the worse of the two counts. kB are 1,000 bytes; ratios are ours by theirs.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from loadtests.bench.crowd import Crowd, crowd
from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.memory import memory_bytes
from loadtests.bench.peers import EMITTER, NODE_SOCKETIO, NODE_WS, Peers
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.served import Deployment, deployment
from loadtests.bench.sockets import Way

CONNECTIONS: Final = 5000
QUICK_CONNECTIONS: Final = 400
WARM_UP_CONNECTIONS: Final = 100
ASKED_KB: Final = {"P7-websocket": 16.0, "P7-socketio": 30.0}
_DOORS: Final = {"P7-websocket": "raw WebSocket", "P7-socketio": "Socket.IO"}
_SETTLE_SECONDS: Final = 1.0
_SPARE_DESCRIPTORS: Final = 500

Started = Callable[[], AbstractAsyncContextManager[tuple[int, Way]]]
"""Starts a server for the time of a block: its pid, and the way in."""


@dataclass(slots=True)
class _Case:
    """A server, and whether its clients offer compression. kilobytes: a connection, a round each."""

    name: str
    started: Started
    offered: bool
    tokens: list[str] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    compressed: int = 0
    """How many connections agreed on compression."""
    refused: str | None = None

    async def measure(self, connections: int, clients: Crowd) -> None:
        async with self.started() as (pid, way):
            try:
                self.kilobytes.append(await self._grown(pid, replace(way, compress=self.offered), connections, clients))
            except ConnectionError as error:
                self.refused = str(error)
            finally:
                await clients.close()

    async def _grown(self, pid: int, way: Way, connections: int, clients: Crowd) -> float:
        await clients.connect(way, WARM_UP_CONNECTIONS, self.tokens[:WARM_UP_CONNECTIONS])
        await asyncio.sleep(_SETTLE_SECONDS)
        before = memory_bytes(pid)
        self.compressed = await clients.connect(way, connections, self.tokens[WARM_UP_CONNECTIONS:])
        await asyncio.sleep(_SETTLE_SECONDS)
        grown = memory_bytes(pid) - before
        counts = await clients.counts()
        if counts.lost:
            raise ConnectionError(f"hung up on {counts.lost} of {counts.clients} clients")
        return grown / connections / 1000

    @property
    def middle(self) -> float:
        return median(self.kilobytes)


async def p7(plan: Plan) -> list[Figure]:
    wanted = QUICK_CONNECTIONS if plan.quick else CONNECTIONS
    connections = min(wanted, many_descriptors() - WARM_UP_CONNECTIONS - _SPARE_DESCRIPTORS)
    with tempfile.TemporaryDirectory(prefix="barberpro-bench-peers-") as directory:
        peers = Peers(Path(directory))
        names = await peers.prepare({}, (NODE_SOCKETIO, NODE_WS, EMITTER))
        for name, why in peers.missing.items():
            plan.say(f"P7: left out {name}: {why}")
        async with deployment(plan.stores) as deployed, crowd() as clients:
            tokens = await asyncio.to_thread(deployed.customers, WARM_UP_CONNECTIONS + connections)
            ours = {
                door: [
                    _Case(f"barberpro, {words}", _door(deployed, door), offered, tokens) for offered in (False, True)
                ]
                for door, words in _DOORS.items()
            }
            others = [_Case(name, _peer(peers, name), offered) for name in names for offered in (False, True)]
            for number in range(plan.rounds):
                plan.say(f"P7 round {number + 1} of {plan.rounds}")
                for case in [*(case for pair in ours.values() for case in pair), *others]:
                    if case.refused is None:
                        await case.measure(connections, clients)
                    told = case.refused or f"{case.kilobytes[-1]:.1f} kB a connection"
                    plan.say(f"  {_label(case)}: {told}")
    return [_figure(name, connections, cases, others, peers.missing) for name, cases in ours.items()]


def _door(deployed: Deployment, door: str) -> Started:
    @asynccontextmanager
    async def started() -> AsyncIterator[tuple[int, Way]]:
        async with deployed.server() as served:
            yield served.process.pid, served.websocket if door == "P7-websocket" else served.socketio

    return started


def _peer(peers: Peers, name: str) -> Started:
    @asynccontextmanager
    async def started() -> AsyncIterator[tuple[int, Way]]:
        async with peers.server(name) as peer:
            yield peer.process.pid, peer.way

    return started


def _figure(name: str, connections: int, cases: list[_Case], others: list[_Case], missing: dict[str, str]) -> Figure:
    asked = ASKED_KB[name]
    refused = next((case.refused for case in cases if case.refused is not None), None)
    figure = Figure(
        id=name,
        title=f"memory of an idle connection over {_DOORS[name]}",
        value=0.0,
        unit="kB/connection",
        asked=f"<= {asked:g}, compression offered or not",
        holds=False,
    )
    if refused is not None:
        # A server that does not serve falls short.
        figure.details = {"refused": refused}
        return figure
    own = {case.offered: case for case in cases}
    measured = [case for case in others if case.refused is None]
    figure.value = max(case.middle for case in cases)
    figure.holds = figure.value <= asked
    figure.peers = {_label(case): case.middle for case in measured}
    figure.ratios = {_label(case): own[case.offered].middle / case.middle for case in measured}
    figure.details = {
        "connections": connections,
        "rounds_kb": {_offer(case): [round(value, 1) for value in case.kilobytes] for case in cases},
        "compressed_connections": {_offer(case): case.compressed for case in cases},
        "peers_rounds_kb": {_label(case): [round(value, 1) for value in case.kilobytes] for case in measured},
        "peers_compressed_connections": {_label(case): case.compressed for case in measured},
        "left_out": missing | {_label(case): case.refused for case in others if case.refused is not None},
    }
    return figure


def _label(case: _Case) -> str:
    return f"{case.name}, {_offer(case)}"


def _offer(case: _Case) -> str:
    return "compression offered" if case.offered else "no compression offered"
