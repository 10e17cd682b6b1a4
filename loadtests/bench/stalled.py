"""P3s: what a tenth of clients that never read costs the others in the room: their p99, and the server's memory.

Two hundred clients that read, half of them over each door, sit in one queue's room whose states are long. Changes come
quickly, each when the one before was answered. A delay is the time from asking for a change to its arrival at a client,
in another process. Turns with twenty stalled clients beside them and turns without take place alternately, each with
fresh connections. Before a turn is measured, changes at full speed fill what the system's own buffers take for the
stalled; they are behind from then on, and are cut off within the turn.

Memory: by how much the process's proportional set size rose at most in a turn, with stalled clients less without.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from loadtests.bench.crowd import Crowd, Delays, crowd
from loadtests.bench.memory import memory_bytes
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.served import Served, deployment

HEALTHY: Final = 200
STALLED: Final = 20
ASKED: Final = 1.1
LIMIT_BYTES: Final = 262_144
"""What may wait for a slow client, by default."""
_WAITING: Final = 80
_PAIRS: Final = 3
"""A round, for a p99 is noisy."""
_SETTLE_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class _Load:
    """fill: changes at full speed beforehand. changes: measured, at `rate` a second.

    patience: seconds that the stalled clients' end is waited for.
    """

    healthy: int
    fill: int
    changes: int
    rate: float
    patience: float


@dataclass(frozen=True, slots=True)
class _Turn:
    """missed: arrivals that should have been. grown: bytes of the server's memory, at most.

    early: those of the evicted who were gone before the measured time began. bytes: of a payload.
    """

    delays: Delays
    missed: int
    grown: int
    evicted: int
    early: int
    bytes: int


async def stalled(plan: Plan) -> list[Figure]:
    load = _Load(40, 20, 20, 40.0, 0.0) if plan.quick else _Load(HEALTHY, 400, 100, 25.0, 20.0)
    turns: dict[int, list[_Turn]] = {0: [], STALLED: []}
    async with deployment(plan.stores) as deployed, deployed.server() as served, crowd() as clients:
        tokens = deployed.customers(load.healthy + STALLED)
        await served.fill(_WAITING)
        if not plan.quick:
            await _turn(served, clients, load, STALLED, tokens)  # what is loaded and kept at first is no turn's
        for number in range(plan.rounds * (1 if plan.quick else _PAIRS)):
            plan.say(f"P3s pair {number + 1}")
            for count in (0, STALLED) if number % 2 == 0 else (STALLED, 0):
                turn = await _turn(served, clients, load, count, tokens)
                turns[count].append(turn)
                plan.say(f"  {count} stalled: p99 {turn.delays.p99:.1f} ms, {turn.grown / 1e6:.1f} MB more")
    return [_figure(load, turns[0], turns[STALLED])]


async def _turn(served: Served, clients: Crowd, load: _Load, count: int, tokens: list[str]) -> _Turn:
    """One measured time with so many stalled clients."""
    evicted = await served.evictions()
    try:
        memory = memory_bytes(served.process.pid)
        await _join(served, clients, count, tokens[load.healthy :], stalled=True)
        for _ in range(load.fill):
            await served.change()
        await _join(served, clients, load.healthy, tokens)
        await asyncio.sleep(_SETTLE_SECONDS)
        early = await served.evictions() - evicted
        most, sent = 0, []
        began = time.monotonic()
        for number in range(load.changes):
            await asyncio.sleep(max(0.0, began + number / load.rate - time.monotonic()))
            sent.append(time.monotonic())
            await served.change()
            if number % 10 == 0:
                most = max(most, memory_bytes(served.process.pid))
        size = (await clients.settled(_SETTLE_SECONDS)).bytes
        delays = await clients.delays(sent)
        await _all_evicted(served, evicted + count, load.patience)
    finally:
        await clients.close()
    missed = load.changes * load.healthy - delays.count
    return _Turn(delays, missed, most - memory, await served.evictions() - evicted, early, size)


async def _join(served: Served, clients: Crowd, count: int, tokens: list[str], *, stalled: bool = False) -> None:
    """Half of them over each door."""
    for way, share in ((served.socketio, tokens[: count // 2]), (served.websocket, tokens[count // 2 : count])):
        if share:
            await clients.connect(replace(way, stalled=stalled), len(share), share)


async def _all_evicted(served: Served, count: int, patience: float) -> None:
    """Waits for it; who is not cut off in time is told by the figure."""
    until = time.monotonic() + patience
    while await served.evictions() < count and time.monotonic() < until:  # noqa: ASYNC110 - in another process
        await asyncio.sleep(_SETTLE_SECONDS)


def _figure(load: _Load, without: list[_Turn], beside: list[_Turn]) -> Figure:
    pairs = list(zip(without, beside, strict=True))
    ratio = median(b.delays.p99 / a.delays.p99 for a, b in pairs)
    p50 = median(b.delays.p50 / a.delays.p50 for a, b in pairs)
    grown = median(b.grown - a.grown for a, b in pairs)
    missed = sum(turn.missed for turn in (*without, *beside))
    evicted = [turn.evicted for turn in beside]
    bound = STALLED * LIMIT_BYTES
    return Figure(
        id="P3s",
        title=f"p99 of {load.healthy} clients beside {STALLED} that never read",
        value=median(turn.delays.p99 for turn in beside),
        unit="ms",
        asked=f"<= {ASKED:g}x without them; their memory <= {bound / 1e6:.1f} MB; none missed, all {STALLED} evicted",
        holds=ratio <= ASKED and grown <= bound and not missed and set(evicted) == {STALLED},
        peers={"without stalled clients": median(turn.delays.p99 for turn in without)},
        ratios={"without stalled clients": ratio},
        details={
            "payload_bytes": beside[-1].bytes,
            "deliveries_a_turn": [turn.delays.count for turn in beside],
            "turns_p99_ms": [round(turn.delays.p99, 1) for turn in beside],
            "turns_p99_ms_without": [round(turn.delays.p99, 1) for turn in without],
            "p50_ratio": round(p50, 2),
            "turns_p50_ms": [round(turn.delays.p50, 1) for turn in beside],
            "turns_p50_ms_without": [round(turn.delays.p50, 1) for turn in without],
            "memory_grown_mb": round(grown / 1e6, 1),
            "turns_memory_mb": [round(turn.grown / 1e6, 1) for turn in beside],
            "turns_memory_mb_without": [round(turn.grown / 1e6, 1) for turn in without],
            "evicted": evicted,
            "evicted_before_the_measured_time": [turn.early for turn in beside],
            "missed_updates": missed,
        },
    )
