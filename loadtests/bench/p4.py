"""P4: commands acknowledged durable a second over real sockets, with a thousand connected clients, by door.

`barberpro serve` is a process of its own; the clients live in this one, on the same cores, and what they take of them
is told. Saturated: a closed loop keeps a quarter as many commands under way as there are clients. At ease: 2,000
commands a second arrive at random moments, whether answers come or not, and latency counts from when each was due. The
peer is what the door's library does at most: as many clients send commands to a server that answers at once.

What is asked in commands a second is of a machine on which python-socketio answered 15,000 empty ones a second. So each
is asked as a share of what it answers here, too, in the same run.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from loadtests.bench.askers import Asker
from loadtests.bench.entrance import hang_up, let_in, nobody
from loadtests.bench.floor import Floor
from loadtests.bench.loop import Tally, closed_loop, open_load, percentile_ms
from loadtests.bench.ours import command_id
from loadtests.bench.peers import ANSWERER, Peer, Peers
from loadtests.bench.people import DOORS, People, Scale, Town, cpu, opened, people, settle
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json
from loadtests.bench.served import Served, deployment
from loadtests.bench.sockets import Way

ASKED_RATE: Final = {"socketio": 4000, "websocket": 6000}
ASKED_P99_MS: Final = 60.0
OPEN_RATE: Final = 2000.0
_THERE: Final = 15_000.0
"""Empty commands a second of python-socketio on the machine of what is asked."""
MOST_REFUSED: Final = 0.03
"""Of the commands that are answered: more, and it is another load than the one that was meant."""
_NAMES: Final = {"socketio": "Socket.IO", "websocket": "raw WebSocket"}
_PEERS: Final = {"socketio": "python-socketio, empty handler", "websocket": "aiohttp WebSocket, empty handler"}
_QUICK: Final = Scale(shops=2, barbers=5, devices=2, customers=170)


@dataclass(slots=True)
class _Door:
    """What was measured at one door, a round each. shown: updates that watchers were sent, a second."""

    kind: str
    saturated: list[Tally] = field(default_factory=list)
    at_ease: list[Tally] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    unwatched: list[Tally] = field(default_factory=list)
    """Saturated, with nobody in the queues' rooms: the difference is what showing a change to two costs."""
    ceiling: list[float] = field(default_factory=list)
    eased: list[Tally] = field(default_factory=list)
    """As `at_ease`, while as large a share of python-socketio's empty commands arrives as 2,000 were there."""
    here: list[float] = field(default_factory=list)
    """Empty commands a second of python-socketio, at either door: how fast this machine was."""


async def p4(plan: Plan) -> list[Figure]:
    scale = _QUICK if plan.quick else Scale()
    rate = OPEN_RATE / 10 if plan.quick else OPEN_RATE
    doors = [_Door(kind) for kind in DOORS]
    async with AsyncExitStack() as stack:
        deployed = await stack.enter_async_context(deployment(plan.stores))
        served = await stack.enter_async_context(deployed.server())
        town = await settle(deployed, scale)
        peer = await stack.enter_async_context(Peers(Path()).server(ANSWERER))
        floor = await opened(town, served)
        for number in range(plan.rounds):
            plan.say(f"P4 round {number + 1} of {plan.rounds}")
            ceilings = {kind: await _ceiling(plan, scale, peer, kind) for kind in DOORS}
            here = ceilings["socketio"]
            for door in doors if number % 2 == 0 else reversed(doors):
                door.ceiling.append(ceilings[door.kind])
                door.here.append(here)
                async with people(town, served, door.kind) as everybody:
                    shown, began = everybody.shown, time.perf_counter()
                    door.saturated.append(await _saturate(plan, floor, door, everybody, served))
                    door.shown.append((everybody.shown - shown) / (time.perf_counter() - began))
                    door.at_ease.append(await _ease(plan, floor, door, everybody, served, rate))
                    door.eased.append(await _ease(plan, floor, door, everybody, served, rate / _THERE * here))
                async with people(town, served, door.kind, watching=False) as everybody:
                    door.unwatched.append(await _saturate(plan, floor, door, everybody, served))
    return [figure for door in doors for figure in _figures(door, town, rate)]


async def _ease(plan: Plan, floor: Floor, door: _Door, everybody: People, served: Served, rate: float) -> Tally:
    await plan.stores.checkpoint()
    used = partial(cpu, plan.stores, served)
    tally = await open_load(floor, everybody.run, rate, plan.warm_up, plan.seconds, used)
    plan.say(f"  {_NAMES[door.kind]}, {rate:,.0f} a second arrive: {_told(tally)}")
    return tally


async def _saturate(plan: Plan, floor: Floor, door: _Door, everybody: People, served: Served) -> Tally:
    await plan.stores.checkpoint()
    callers, used = everybody.count // 4, partial(cpu, plan.stores, served)
    tally = await closed_loop(floor, everybody.run, callers, plan.warm_up, plan.seconds, used)
    plan.say(f"  {_NAMES[door.kind]}, saturated: {_told(tally)}")
    return tally


def _told(tally: Tally) -> str:
    return f"{tally.rate:,.0f}/s, p99 {tally.p99_ms:.1f} ms, busy percent {tally.busy()}, {_refused(tally):.2%} refused"


async def _ceiling(plan: Plan, scale: Scale, peer: Peer, kind: str) -> float:
    """Commands a second that a server answers at once which has nothing to do for them."""
    way = Way("socketio", peer.way.port) if kind == "socketio" else Way("websocket", peer.way.port, path="/ws")
    clients = [Asker(way, None, nobody) for _ in range(scale.clients)]
    await let_in(clients)
    answered, running = 0, True

    async def caller(mine: list[Asker]) -> None:
        nonlocal answered
        while running:
            for client in mine:
                answer = await client.ask({"commandId": command_id(), "type": "advance", "barberId": "bb_" + "0" * 16})
                assert answer["ok"]
                answered += 1

    callers = scale.clients // 4
    tasks = [asyncio.create_task(caller(clients[number::callers])) for number in range(callers)]
    await asyncio.sleep(plan.warm_up)
    before, began = answered, time.perf_counter()
    await asyncio.sleep(plan.seconds)
    rate = (answered - before) / (time.perf_counter() - began)
    running = False
    await asyncio.gather(*tasks)
    await hang_up(clients)
    plan.say(f"  {_PEERS[kind]}: {rate:,.0f}/s")
    return rate


def _figures(door: _Door, town: Town, rate: float) -> list[Figure]:
    name, asked = _NAMES[door.kind], ASKED_RATE[door.kind] / _THERE
    shares = [tally.rate / here for tally, here in zip(door.saturated, door.here, strict=True)]
    return [
        _saturated(door, town),
        Figure(
            id=f"P4-{door.kind}-share",
            title=f"the same over {name}, of what {_PEERS['socketio']}, answers here",
            value=median(shares),
            unit="times",
            asked=f">= {asked:.2f} ({ASKED_RATE[door.kind]:,} of {_THERE:,.0f})",
            holds=median(shares) >= asked and _meant(door.saturated),
            details={"rounds": [round(share, 3) for share in shares]},
        ),
        _at_ease(
            f"P4-{door.kind}-open",
            f"p99 of a command over {name} while {rate:,.0f} arrive a second",
            door.at_ease,
            [rate] * len(door.at_ease),
        ),
        _at_ease(
            f"P4-{door.kind}-open-share",
            f"the same while {rate / _THERE:.3f} as many arrive as {_PEERS['socketio']}, answers here",
            door.eased,
            [rate / _THERE * here for here in door.here],
        ),
    ]


def _saturated(door: _Door, town: Town) -> Figure:
    rate, ceiling = median(tally.rate for tally in door.saturated), median(door.ceiling)
    asked = ASKED_RATE[door.kind]
    return Figure(
        id=f"P4-{door.kind}",
        title=f"durable commands a second over {_NAMES[door.kind]}, saturated",
        value=rate,
        unit="commands/s",
        asked=f">= {asked}",
        holds=rate >= asked and _meant(door.saturated),
        peers={_PEERS[door.kind]: ceiling},
        ratios={_PEERS[door.kind]: rate / ceiling},
        details={
            "clients": town.scale.clients,
            "under_way": town.scale.clients // 4,
            "queues": len(town.chairs),
            "updates_shown_per_second": round(median(door.shown)),
            "peer_rounds_per_second": [round(ceiling) for ceiling in door.ceiling],
            "nobody_watching_per_second": [round(tally.rate) for tally in door.unwatched],
            "nobody_watching_server_us": [tally.cpu_us()["server"] for tally in door.unwatched],
            **_about(door.saturated, key=lambda tally: tally.rate),
        },
    )


def _at_ease(name: str, title: str, tallies: list[Tally], rates: list[float]) -> Figure:
    """rates: commands that were to arrive a second, a round each."""
    p99 = median(tally.p99_ms for tally in tallies)
    kept_up = median(tally.rate / rate for tally, rate in zip(tallies, rates, strict=True))
    return Figure(
        id=name,
        title=title,
        value=p99,
        unit="ms",
        asked=f"<= {ASKED_P99_MS:g}",
        # A server that does not keep up has answered only the quick ones.
        holds=p99 <= ASKED_P99_MS and kept_up >= 0.95 and _meant(tallies),
        details={
            "p50_ms": round(median(percentile_ms(tally.latencies, 50) for tally in tallies), 1),
            "p95_ms": round(median(percentile_ms(tally.latencies, 95) for tally in tallies), 1),
            "rounds_p99_ms": [round(tally.p99_ms, 1) for tally in tallies],
            "arriving_per_second": [round(rate) for rate in rates],
            "sent_late_p99_ms": round(median(percentile_ms(tally.late, 99) for tally in tallies), 2),
            **_about(tallies, key=lambda tally: tally.p99_ms),
        },
    )


def _about(tallies: list[Tally], key: Callable[[Tally], float]) -> Json:
    """The median round, in full."""
    tally = sorted(tallies, key=key)[len(tallies) // 2]
    return {
        "rounds_per_second": [round(tally.rate) for tally in tallies],
        "median_round_p99_ms": round(tally.p99_ms, 1),
        "cpu_us_per_command": tally.cpu_us(),
        "busy_percent_of_a_core": tally.busy(),
        "unsent": sum(each.unsent for each in tallies),
        "refused_percent": round(100 * _refused(tally), 2),
        "refusals": dict(tally.refused.most_common()),
        "mix_percent": {kind: round(100 * n / max(tally.count, 1), 1) for kind, n in tally.done.most_common()},
    }


def _refused(tally: Tally) -> float:
    return tally.refused.total() / max(tally.count + tally.refused.total(), 1)


def _meant(tallies: list[Tally]) -> bool:
    return all(_refused(tally) <= MOST_REFUSED and not tally.unsent for tally in tallies)
