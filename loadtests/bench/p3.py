"""P3: what one delivery costs the server, for Socket.IO and raw WebSocket, against servers that only broadcast.

A thousand subscribers in a process of their own sit in one queue's room, and commands change the queue at a steady
rate, far below saturation, so that every change is a message of its own. Cost: the server process's user and system
time, less what the same commands cost without subscribers in the same round, by the messages that arrived. The peers
send the very same JSON object on a word from us, at the same rate to as many. All are measured in turns, with fresh
connections each time, and for less than the 25 seconds after which heartbeats begin.

Ratios: to the limit, ours by its; to the other peers, theirs by ours (how many times better).
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from loadtests.bench.cpu import own_cpu_seconds
from loadtests.bench.crowd import Crowd, crowd
from loadtests.bench.peers import EMITTER, LIMIT, NODE_SOCKETIO, NODE_WS, Peers
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json
from loadtests.bench.served import Served, deployment
from loadtests.bench.sockets import Way

SUBSCRIBERS: Final = 1000
CHANGES_PER_SECOND: Final = 8.0
ASKED_LIMIT: Final = 1.6
ASKED_BETTER: Final = {NODE_SOCKETIO: 1.8, EMITTER: 6.0}
_ASKED: Final = "; ".join(
    [f"<= {ASKED_LIMIT:g}x {LIMIT}", *(f">= {asked:g}x better than {other}" for other, asked in ASKED_BETTER.items())]
)
_OURS: Final = {"P3-socketio": "Socket.IO", "P3-websocket": "raw WebSocket"}
_COMMANDS: Final = "commands alone"
_SETTLE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class _Load:
    """warm_up, changes: messages to each subscriber before and while the processor time is read."""

    subscribers: int
    rate: float
    warm_up: int
    changes: int


@dataclass(frozen=True, slots=True)
class _Sample:
    """One turn. cpu: seconds of the server. missed: updates that some subscriber did not get. bytes: of a payload."""

    cpu: float
    deliveries: int
    missed: int
    seconds: float
    bytes: int


@dataclass(slots=True)
class _Case:
    """A server, the way into it (None: nobody comes), and how it is made to send."""

    name: str
    pid: int
    way: Way | None
    give: Callable[[], Awaitable[None]]
    tokens: Sequence[str] = ()
    samples: list[_Sample] = field(default_factory=list)
    refused: str | None = None
    """What the server said when it did not let the subscribers in: there are no samples then."""

    async def measure(self, load: _Load, clients: Crowd) -> None:
        try:
            if self.way is not None:
                await clients.connect(self.way, load.subscribers, self.tokens)
        except ConnectionError as error:
            self.refused = str(error)
            return
        try:
            await asyncio.sleep(_SETTLE_SECONDS)  # what the handshakes left is done then
            await _drive(self.give, load.warm_up, load.rate)
            before = await clients.settled(_SETTLE_SECONDS)
            cpu = own_cpu_seconds(self.pid)
            seconds = await _drive(self.give, load.changes, load.rate)
            after = await clients.settled(_SETTLE_SECONDS)
            cpu = own_cpu_seconds(self.pid) - cpu
        finally:
            await clients.close()
        missed = max(0, load.changes - (after.least - before.least)) + after.lost if self.way is not None else 0
        self.samples.append(_Sample(cpu, after.updates - before.updates, missed, seconds, after.bytes))


async def p3(plan: Plan) -> list[Figure]:
    load = _Load(100, 20.0, 3, 10) if plan.quick else _Load(SUBSCRIBERS, CHANGES_PER_SECOND, 8, 56)
    async with AsyncExitStack() as stack:
        deployed = await stack.enter_async_context(deployment(plan.stores))
        served = await stack.enter_async_context(deployed.server())
        clients = await stack.enter_async_context(crowd())
        tokens = deployed.customers(load.subscribers)
        message = await _message(served, clients, tokens)
        ours = {
            name: _Case(f"barberpro, {door}", served.process.pid, way, served.change, tokens)
            for (name, door), way in zip(_OURS.items(), (served.socketio, served.websocket), strict=True)
        }
        commands = _Case(_COMMANDS, served.process.pid, None, served.change)
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="barberpro-bench-peers-"))
        peers = Peers(Path(directory))
        others: dict[str, _Case] = {}
        for name in await peers.prepare(message, (LIMIT, NODE_SOCKETIO, NODE_WS, EMITTER)):
            peer = await stack.enter_async_context(peers.server(name))
            others[name] = _Case(name, peer.process.pid, peer.way, peer.give)
        for name, why in peers.missing.items():
            plan.say(f"P3: left out {name}: {why}")
        for number in range(plan.rounds):
            plan.say(f"P3 round {number + 1} of {plan.rounds}")
            cases = [commands, *ours.values(), *others.values()]
            for case in cases if number % 2 == 0 else reversed(cases):
                await case.measure(load, clients)
                plan.say(f"  {case.name}: {case.refused or _told(case.samples[-1], load)}")
    return [_figure(name, load, case, commands, others, peers.missing) for name, case in ours.items()]


async def _message(served: Served, clients: Crowd, tokens: Sequence[str]) -> Json:
    """What a change of the queue gives its room."""
    await clients.connect(served.socketio, 1, tokens)
    await served.change()
    await served.change()
    _, message = orjson.loads((await clients.settled()).last.removeprefix("42"))
    await clients.close()
    found: Json = message
    return found


async def _drive(give: Callable[[], Awaitable[None]], times: int, rate: float) -> float:
    """Calls `give` at a steady rate, each time when its turn has come and the last one is done; the seconds it took."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    for number in range(times):
        await asyncio.sleep(max(0.0, began + number / rate - clock.time()))
        await give()
    await asyncio.sleep(max(0.0, began + times / rate - clock.time()))
    return clock.time() - began


def _told(sample: _Sample, load: _Load) -> str:
    cost = sample.cpu / load.changes * 1e6
    if not sample.deliveries:
        return f"{cost:.0f} us a command"
    return f"{sample.cpu / sample.deliveries * 1e6:.2f} us a delivery, {sample.deliveries:,} deliveries"


def _costs(case: _Case, commands: _Case | None = None) -> list[float]:
    """Microseconds a delivery, a round each; without what the commands cost."""
    less = [sample.cpu for sample in commands.samples] if commands is not None else [0.0] * len(case.samples)
    pairs = zip(case.samples, less, strict=True)
    return [(sample.cpu - alone) / max(sample.deliveries, 1) * 1e6 for sample, alone in pairs]


def _figure(
    name: str, load: _Load, case: _Case, commands: _Case, others: dict[str, _Case], missing: dict[str, str]
) -> Figure:
    if case.refused is not None:
        return _unmeasured(name, case.refused)
    own = _costs(case, commands)
    theirs = {other: _costs(peer) for other, peer in others.items()}
    ratios = {
        other: median(mine / cost if other == LIMIT else cost / mine for mine, cost in zip(own, costs, strict=True))
        for other, costs in theirs.items()
    }
    missed = {each.name: sum(sample.missed for sample in each.samples) for each in (case, *others.values())}
    better = all(ratios.get(other, 0.0) >= asked for other, asked in ASKED_BETTER.items())
    return Figure(
        id=name,
        title=_title(name),
        value=median(own),
        unit="us/delivery",
        asked=_ASKED,
        holds=LIMIT in ratios and ratios[LIMIT] <= ASKED_LIMIT and better and not any(missed.values()),
        peers={other: median(costs) for other, costs in theirs.items()},
        ratios=ratios,
        details={
            "subscribers": load.subscribers,
            "changes_per_second": round(load.changes / median(sample.seconds for sample in case.samples), 1),
            "payload_bytes": case.samples[-1].bytes,
            "peers_payload_bytes": {other: peer.samples[-1].bytes for other, peer in others.items()},
            "deliveries_a_round": [sample.deliveries for sample in case.samples],
            "rounds_us": _rounded(own),
            "rounds_us_with_commands": _rounded(_costs(case)),
            "rounds_us_of_a_command_alone": [round(s.cpu / load.changes * 1e6) for s in commands.samples],
            "peers_rounds_us": {other: _rounded(costs) for other, costs in theirs.items()},
            "missed_updates": missed,
            "left_out": missing,
        },
    )


def _unmeasured(name: str, why: str) -> Figure:
    """A server that does not serve falls short."""
    return Figure(name, _title(name), 0.0, "us/delivery", _ASKED, holds=False, details={"refused": why})


def _title(name: str) -> str:
    return f"processor time of a delivery over {_OURS[name]}"


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 2) for value in values]
