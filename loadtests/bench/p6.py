"""P6: ten thousand queue updates delivered a second, steadily, and none lost.

Twenty clients watch each of fifty queues, half of them over Socket.IO, half over raw WebSocket, while commands arrive
at random moments, ten a second for a queue, from customers and staff on connections of their own. Latency counts from
the command's sending to the update's arrival at a watcher; the command's id is in the update's cause.

Updates are counted by their sequence numbers. States are absolute, so one that a newer state replaced before it was
sent is not lost: those are told as conflated. Lost is what neither came nor was followed by anything newer.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Final

import aiohttp

from loadtests.bench.entrance import hang_up, let_in
from loadtests.bench.floor import Floor
from loadtests.bench.loop import Tally, open_load, percentile_ms
from loadtests.bench.people import DOORS, Scale, Town, cpu, opened, people, settle
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.served import Deployment, Served, deployment
from loadtests.bench.sockets import LightClient, Way

SECONDS: Final = 60.0
WATCHERS: Final = 20
COMMANDS_A_QUEUE: Final = 10.5
ASKED_RATE: Final = 10_000
ASKED_P99_MS: Final = 200.0
_PATIENCE: Final = 10.0
_LOOK_SECONDS: Final = 0.1


@dataclass(slots=True)
class Deliveries:
    """What watchers were sent. sent: when each command was, by id. by_second: how many came in each second."""

    sent: dict[str, float]
    latencies: list[float] = field(default_factory=list)
    by_second: Counter[int] = field(default_factory=Counter)
    conflated: int = 0
    hung_up: int = 0


class Watcher(LightClient):
    """Counts a queue's updates by their sequence numbers. seq: of the newest state."""

    def __init__(self, way: Way, token: str, seq: int, deliveries: Deliveries) -> None:
        """seq: of the queue before anything is done."""
        super().__init__(way, token, self._hung_up)
        self.seq = seq
        self._deliveries = deliveries

    def _hung_up(self) -> None:
        self._deliveries.hung_up += 1

    def _told(self, payload: bytes) -> None:
        now = time.perf_counter()
        seq = int(_between(payload, b'"seq":', b","))
        if seq <= self.seq:
            return  # a wait that was estimated anew: no change of the queue
        # The first of a transfer's two changes does not name its command: it counts, but has no latency.
        sent = self._deliveries.sent.get(_between(payload, b'"commandId":"', b'"').decode())
        self._deliveries.conflated += seq - self.seq - 1
        self.seq = seq
        self._deliveries.by_second[int(now)] += 1
        if sent is not None:
            self._deliveries.latencies.append(now - sent)


def _between(payload: bytes, before: bytes, after: bytes) -> bytes:
    """What stands between the first `before` and the next `after`; nothing when there is no `before`."""
    return payload.partition(before)[2].partition(after)[0]


@dataclass(frozen=True, slots=True)
class _Round:
    """One round. lost: updates that ought to have come."""

    tally: Tally
    deliveries: Deliveries
    lost: int

    @property
    def rate(self) -> float:
        return self.deliveries.by_second.total() / self.tally.seconds

    @property
    def p99_ms(self) -> float:
        return percentile_ms(self.deliveries.latencies, 99)


async def p6(plan: Plan) -> list[Figure]:
    scale = Scale(shops=2, barbers=5, devices=1, customers=180) if plan.quick else Scale()
    watchers = 2 if plan.quick else WATCHERS
    rounds = []
    async with deployment(plan.stores) as deployed, deployed.server() as served:
        town = await settle(deployed, scale)
        floor = await opened(town, served)
        for number in range(plan.rounds):
            plan.say(f"P6 round {number + 1} of {plan.rounds}")
            rounds.append(await _round(plan, deployed, served, town, floor, watchers))
            plan.say(f"  {rounds[-1].rate:,.0f}/s, p99 {rounds[-1].p99_ms:.1f} ms, {rounds[-1].lost} lost")
    return [_figure(rounds, town, watchers)]


async def _round(plan: Plan, deployed: Deployment, served: Served, town: Town, floor: Floor, watchers: int) -> _Round:
    async with people(town, served, DOORS[0]) as everybody:
        deliveries = Deliveries(everybody.sent)
        tokens = deployed.customers(watchers * len(town.chairs))
        crowd = _crowd(served, town, await _seqs(served, town), tokens, deliveries)
        await let_in(crowd)
        try:
            rate, seconds = COMMANDS_A_QUEUE * len(town.chairs), plan.seconds if plan.quick else SECONDS
            tally = await open_load(floor, everybody.run, rate, 0.0, seconds, partial(cpu, plan.stores, served))
            lost = await _lost(served, town, crowd)
        finally:
            await hang_up(crowd)
    return _Round(tally, deliveries, lost)


def _crowd(
    served: Served, town: Town, seqs: Sequence[int], tokens: Sequence[str], deliveries: Deliveries
) -> list[Watcher]:
    """One after the other at each queue; every second round of them over raw WebSocket."""
    crowd = []
    for number, token in enumerate(tokens):
        turn, place = divmod(number, len(town.chairs))
        barber_id = town.chairs[place].barber_id
        if turn % 2:
            way = Way("websocket", served.port, path=f"/ws/queue/{barber_id}", greeted=True)
        else:
            way = Way("socketio", served.port, room=f"queue:{barber_id}", greeted=True)
        crowd.append(Watcher(way, token, seqs[place], deliveries))
    return crowd


async def _seqs(served: Served, town: Town) -> list[int]:
    """Of each queue, as it stands."""
    async with aiohttp.ClientSession() as http:

        async def seq(barber_id: str) -> int:
            async with http.get(f"http://127.0.0.1:{served.port}/api/v1/queue/{barber_id}") as answer:
                found: int = (await answer.json())["data"]["seq"]
                return found

        return [await seq(chair.barber_id) for chair in town.chairs]


async def _lost(served: Served, town: Town, crowd: Sequence[Watcher]) -> int:
    """Updates that have not come, nor anything newer, when there has been time enough."""
    seqs = await _seqs(served, town)
    deadline = time.monotonic() + _PATIENCE
    while True:
        missing = sum(max(0, seqs[number % len(seqs)] - watcher.seq) for number, watcher in enumerate(crowd))
        if not missing or time.monotonic() > deadline:
            return missing
        await asyncio.sleep(_LOOK_SECONDS)


def _figure(rounds: list[_Round], town: Town, watchers: int) -> Figure:
    def middle(what: Callable[[_Round], float], digits: int = 1) -> float:
        return round(median(what(each) for each in rounds), digits)

    rate, p99 = median(each.rate for each in rounds), median(each.p99_ms for each in rounds)
    lost, hung_up = sum(each.lost for each in rounds), sum(each.deliveries.hung_up for each in rounds)
    return Figure(
        id="P6",
        title="queue updates delivered a second",
        value=rate,
        unit="updates/s",
        asked=f">= {ASKED_RATE}, 0 lost, p99 <= {ASKED_P99_MS:g} ms",
        holds=rate >= ASKED_RATE and p99 <= ASKED_P99_MS and lost + hung_up == 0,
        details={
            "watchers": watchers * len(town.chairs),
            "queues": len(town.chairs),
            "seconds_a_round": [round(each.tally.seconds, 1) for each in rounds],
            "commands_per_second": middle(lambda each: each.tally.rate, 0),
            "rounds_per_second": [round(each.rate) for each in rounds],
            "least_in_a_whole_second": min(_least(each.deliveries.by_second) for each in rounds),
            "lost": lost,
            "hung_up_on": hung_up,
            "conflated": [each.deliveries.conflated for each in rounds],
            "p50_ms": middle(lambda each: percentile_ms(each.deliveries.latencies, 50)),
            "p95_ms": middle(lambda each: percentile_ms(each.deliveries.latencies, 95)),
            "p99_ms": round(p99, 1),
            "sent_late_p99_ms": middle(lambda each: percentile_ms(each.tally.late, 99), 2),
            "busy_percent_of_a_core": rounds[-1].tally.busy(),
        },
    )


def _least(by_second: Counter[int]) -> int:
    """Without the first second and the last, of which the load had only a part."""
    whole = [count for second, count in sorted(by_second.items())][1:-1]
    return min(whole, default=0)
