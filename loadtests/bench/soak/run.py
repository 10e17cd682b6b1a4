"""S1: what grows while customers come and go for half an hour, at a third of P4's open load.

A thousand residents stay, over Socket.IO and raw WebSocket in turn, and one stream a queue; 667 commands a second
arrive on their connections at random moments. Beside them, ten visits a second begin (visits.py). Every few seconds the
server, Redis and Postgres are looked at from outside (gauges.py). Before that and after it everybody leaves, and what
is left then is compared: first comes a warm-up with the same load, in which what is kept up to a bound is filled.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import aiohttp

from loadtests.bench.floor import Floor
from loadtests.bench.loop import Loading, Tally, arriving
from loadtests.bench.ours import Chair, shop_of
from loadtests.bench.people import DOORS, People, Scale, Town, cpu, opened, people, settle
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.served import Deployment, Served, chairs, deployment
from loadtests.bench.soak.figures import Soaked, figures_of
from loadtests.bench.soak.flatness import LEAST
from loadtests.bench.soak.gauges import Gauges, gauges
from loadtests.bench.soak.visitors import StreamVisitor
from loadtests.bench.soak.visits import Story, Visits, visiting

_MINUTES: Final = 30.0
_REMEMBERED: Final = 11_000
"""More tokens than the server remembers as verified: so that its memory of them is full before it is measured."""
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Load:
    """rate: commands a second. visits: that begin a second. tokens: shown before all else.

    seconds, warm_up, every: of the run, and between looks. ramp: seconds until as many leave as come.
    let_go: the gauges that have to be 0 when all have gone. patience: seconds until then.
    """

    scale: Scale = field(default_factory=Scale)
    shops: int = 2
    rate: float = 2000 / 3
    visits: float = 10.0
    seconds: float = 60 * _MINUTES
    warm_up: float = 180.0
    ramp: float = 90.0
    every: float = 5.0
    let_go: tuple[str, ...] = ("connections", "seats", "views")
    patience: float = 120.0
    tokens: int = _REMEMBERED


QUICK: Final = Load(
    scale=Scale(shops=2, barbers=5, devices=2, customers=170),
    rate=60.0,
    seconds=3.0,
    warm_up=0.5,
    ramp=0.0,
    every=0.2,
    let_go=("connections", "seats"),
    patience=3.0,
    tokens=20,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A server, who is in its town, and the queues that visitors use."""

    deployed: Deployment
    served: Served
    town: Town
    floor: Floor
    chairs: list[Chair]


async def soak(plan: Plan) -> list[Figure]:
    if plan.quick:
        return await soaked(plan, QUICK)
    seconds = 60 * (plan.minutes or _MINUTES)
    return await soaked(plan, Load(seconds=seconds, warm_up=min(180.0, seconds / 5)))


async def soaked(plan: Plan, load: Load) -> list[Figure]:
    async with AsyncExitStack() as stack:
        deployed = await stack.enter_async_context(deployment(plan.stores))
        served = await stack.enter_async_context(deployed.server(program=plan.program))
        look = await stack.enter_async_context(gauges(plan.stores, deployed, served))
        town = await settle(deployed, load.scale)
        own = await deployed.shops(load.shops, shop_of(4), chairs)
        floor = await opened(town, served)
        place = _Place(deployed, served, town, floor, [chair for shop in own for chair in shop])
        await _show_tokens(place, load.tokens)
        plan.say(f"S1: warm-up of {load.warm_up:g} seconds")
        async with _crowd(place, load):
            await asyncio.sleep(load.warm_up)
        before = await _at_rest(look, load)
        plan.say(f"S1: {load.seconds / 60:g} minutes, after {_told(before)} at rest")
        async with _crowd(place, load) as (loading, everybody, story):
            tally, looks = await _watched(plan, look, load, place, loading, everybody)
        after = await _at_rest(look, load)
    return figures_of(Soaked(load.rate, looks, before, after, tally, story))


async def _show_tokens(place: _Place, count: int) -> None:
    """So many users ask for a queue: their tokens are verified, and remembered."""
    gate = asyncio.Semaphore(_AT_ONCE)
    url = f"http://127.0.0.1:{place.served.port}/api/v1/queue/{place.town.quiet[0]}"

    async def show(http: aiohttp.ClientSession, token: str) -> None:
        async with gate, http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200, await answer.text()

    tokens = await asyncio.to_thread(place.deployed.customers, count)
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(show(http, token) for token in tokens))


@asynccontextmanager
async def _crowd(place: _Place, load: Load) -> AsyncIterator[tuple[Loading, People, Story]]:
    """Residents, streams, visitors and commands, until the block ends; all have gone then."""
    visits = Visits(place.deployed, place.served, place.town, place.chairs)
    async with (
        people(place.town, place.served, *DOORS) as everybody,
        _streams(place),
        visiting(visits, load.visits),
        arriving(place.floor, everybody.run, load.rate) as loading,
    ):
        yield loading, everybody, visits.story


@asynccontextmanager
async def _streams(place: _Place) -> AsyncIterator[None]:
    """One before each queue."""
    tokens = place.deployed.customers(len(place.town.chairs))
    clients = [
        StreamVisitor(place.served.port, f"barberId={chair.barber_id}", token)
        for chair, token in zip(place.town.chairs, tokens, strict=True)
    ]
    await asyncio.gather(*(client.come_in() for client in clients))
    try:
        yield
    finally:
        for client in clients:
            client.abort()


async def _watched(
    plan: Plan, look: Gauges, load: Load, place: _Place, loading: Loading, everybody: People
) -> tuple[Tally, Sequence[tuple[float, dict[str, float]]]]:
    """What was done in the run, and what was seen in it: seconds since its beginning, and the gauges."""
    await asyncio.sleep(load.ramp)
    looks: list[tuple[float, dict[str, float]]] = []
    began = time.monotonic()

    async def watch() -> None:
        while True:
            looks.append((time.monotonic() - began, await look.look()))
            everybody.sent.clear()  # it would grow to a million entries in this process
            if len(looks) % 60 == 0:
                plan.say(f"  {looks[-1][0] / 60:.0f} min: {_told(looks[-1][1])}")
            await asyncio.sleep(load.every)

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        tally = await loading.measure(0.0, load.seconds, partial(cpu, plan.stores, place.served))
        while len(looks) < LEAST:  # noqa: ASYNC110 - only after a short run on a busy machine
            await asyncio.sleep(load.every)
        watching.cancel()
    return tally, looks


async def _at_rest(look: Gauges, load: Load) -> dict[str, float]:
    """What there is when all have gone and have been let go, or when there was time enough for it."""
    deadline = time.monotonic() + load.patience
    while True:
        seen = await look.look()
        if time.monotonic() >= deadline or not any(seen[name] for name in load.let_go):
            return seen
        await asyncio.sleep(load.every)


def _told(seen: dict[str, float]) -> str:
    names = ("memory_mb", "descriptors", "tasks", "connections", "seats", "redis_keys", "redis_mb")
    return ", ".join(f"{name} {seen[name]:,.4g}" for name in names)
