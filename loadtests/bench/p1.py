"""P1: durable transitions per second through the engine, against the row-lock design on the same Postgres.

Load and engine share one process and one core: 1,000 callers in a closed loop call Engine.submit with commands that are
checked as a door checks them. What drawing the steps costs is measured and told (generator_us_per_transition).
"""

from statistics import median
from typing import Final

from loadtests.bench.floor import Floor
from loadtests.bench.loop import Run, Tally, closed_loop
from loadtests.bench.ours import Ours, fill, open_chairs, running_node
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json
from loadtests.bench.rowlock import row_lock

SHOPS: Final = 10
BARBERS: Final = 5
LENGTH: Final = 32
CUSTOMERS: Final = 20_000
ASKED_RATE: Final = 12_000
ASKED_RATIO: Final = 3.0
CALLERS: Final = 1000
FEWER_CALLERS: Final = 64
"""The peer is tried with these as well: it is better off when fewer wait for its connections."""


async def p1(plan: Plan) -> list[Figure]:
    callers = 100 if plan.quick else CALLERS
    own_floor, peer_floor = (Floor(SHOPS, BARBERS, LENGTH, CUSTOMERS) for _ in range(2))
    async with (
        running_node(await plan.stores.node_options()) as node,
        row_lock(await plan.stores.database(), peer_floor) as peer,
    ):
        ours = Ours(node, await open_chairs(node, SHOPS, BARBERS), CUSTOMERS)
        await fill(own_floor, ours.run, LENGTH)
        await fill(peer_floor, peer.run, LENGTH)
        own: list[Tally] = []
        many: list[Tally] = []
        few: list[Tally] = []
        for number in range(plan.rounds):
            plan.say(f"P1 round {number + 1} of {plan.rounds}")
            own.append(await _measure(plan, own_floor, ours.run, callers, "barberpro"))
            many.append(await _measure(plan, peer_floor, peer.run, callers, peer.name))
            few.append(await _measure(plan, peer_floor, peer.run, FEWER_CALLERS, peer.name))
    return [_figure(own, {callers: many, FEWER_CALLERS: few})]


async def _measure(plan: Plan, floor: Floor, run: Run, callers: int, name: str) -> Tally:
    await plan.stores.checkpoint()
    tally = await closed_loop(floor, run, callers, plan.warm_up, plan.seconds, plan.stores.cpu)
    plan.say(f"  {name}, {callers} callers: {tally.rate:,.0f}/s, p99 {tally.p99_ms:.0f} ms, CPU us {tally.cpu_us()}")
    return tally


def _figure(own: list[Tally], peers: dict[int, list[Tally]]) -> Figure:
    rate = median(tally.rate for tally in own)
    rates = {callers: median(tally.rate for tally in tallies) for callers, tallies in peers.items()}
    best = max(rates, key=rates.__getitem__)
    ratio = rate / rates[best]
    return Figure(
        id="P1",
        title="durable transitions a second through the engine",
        value=rate,
        unit="transitions/s",
        asked=f">= {ASKED_RATE} and >= {ASKED_RATIO:g}x row-lock postgres",
        holds=rate >= ASKED_RATE and ratio >= ASKED_RATIO,
        peers={"row-lock postgres": rates[best]},
        ratios={"row-lock postgres": ratio},
        details={
            "queues": SHOPS * BARBERS,
            "barberpro": _about(own),
            "row-lock postgres": {f"{callers} callers": _about(tallies) for callers, tallies in peers.items()},
        },
    )


def _about(tallies: list[Tally]) -> Json:
    """The median round, in full."""
    tally = sorted(tallies, key=lambda tally: tally.rate)[len(tallies) // 2]
    asked = tally.count + tally.refused.total()
    return {
        "rounds_per_second": [round(tally.rate) for tally in tallies],
        "p99_ms": round(tally.p99_ms, 1),
        "cpu_us_per_transition": tally.cpu_us(),
        "generator_us_per_transition": round(tally.generator / max(tally.count, 1) * 1e6, 1),
        "refused_percent": round(100 * tally.refused.total() / max(asked, 1), 2),
        "refusals": dict(tally.refused.most_common()),
        "mix_percent": {kind: round(100 * n / max(tally.count, 1), 1) for kind, n in tally.done.most_common()},
    }
