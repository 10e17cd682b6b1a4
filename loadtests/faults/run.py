"""A run: people at work on two servers, storms of faults with calm after each, and in the end everything compared."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
from asyncpg import Pool

from barberpro.protocol.actors import Actor, Role
from barberpro.queue.check import compare
from barberpro.storage.catalogue import Catalogue
from barberpro.storage.keys import Keys
from barberpro.storage.postgres import Away, connect_pool
from barberpro.storage.primaries import Primaries
from barberpro.storage.shops import NewService, NewShop, create_shop
from loadtests.bench.viewers import NOTHING
from loadtests.faults.checks.recovered import WITHIN
from loadtests.faults.clients import App, Client, Desk, Person, Rest, Socket
from loadtests.faults.durable import read_durable
from loadtests.faults.history import History
from loadtests.faults.people import Barber, Pace, Place, customer
from loadtests.faults.servers import PREFIX, SHARDS
from loadtests.faults.site import Site
from loadtests.faults.storm import Storm, calm
from loadtests.faults.verdict import Verdict, judge

SHOPS: Final = 4
BARBERS: Final = 3
CUSTOMERS: Final = 60
"""Of each shop."""
_SHOP: Final = NewShop(
    "Shop",
    "Asia/Kolkata",
    "INR",
    tuple(f"Barber {number}" for number in range(BARBERS)),
    (NewService("Haircut", Decimal("250.00"), 20),),
    {"grace_seconds": 5, "queue_capacity": 40},
)
THINK_SECONDS: Final = 0.12
_STORM_SECONDS: Final = 15.0
_PEACE_SECONDS: Final = 3.0
"""In which people work undisturbed, after all is well."""
_PATIENCE_SECONDS: Final = 40.0
"""More than all may take to be well again: what takes longer than it may is told with its time."""
_READING_SECONDS: Final = 120.0
"""For all that the run left in Postgres."""
_VERSIONS: Final = "SELECT q.barber_id, w.epoch, q.seq FROM queues q JOIN watermarks w USING (shop_id)"


@dataclass(frozen=True, slots=True)
class Options:
    """seconds: of storms and calms. bug: of odd_server.py, for the checker. only: faults' names; all when empty.

    recovery: seconds in which all has to be well after a storm; patience: for which that is waited for, and for
    everybody's final answer. think: between two requests of somebody, in the mean.
    """

    seconds: float
    seed: int
    directory: Path
    bug: str | None = None
    only: tuple[str, ...] = ()
    recovery: float = WITHIN
    patience: float = _PATIENCE_SECONDS
    think: float = THINK_SECONDS
    say: Callable[[str], None] = print


@dataclass(slots=True)
class _Cast:
    """The people of a run and what they hold. work: what each of them does."""

    sockets: list[Socket] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    work: list[Coroutine[Any, Any, None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """differences: between the stores in the end, as `barberpro check` tells them."""

    verdict: Verdict
    differences: list[str]

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        return self.verdict.kept and not self.differences

    def to_json(self) -> dict[str, Any]:
        """For orjson."""
        return self.verdict.to_json() | {"kept": self.kept, "differences": self.differences}


async def run(options: Options) -> Outcome:
    """Makes the history, in a file of the directory, and judges it."""
    file = options.directory / "history.jsonl"
    site = Site(options.directory, {"bug": options.bug} if options.bug else {})
    async with site.running(), _pool(site) as pool:
        if options.bug == "reads-then-writes":
            await pool.execute("DROP INDEX queue_events_token_once")  # it would refuse what this bug is about
        places = [await _settle(pool) for _ in range(SHOPS)]
        shops = {place.shop_id: place.barbers for place in places}
        with History(file) as history:
            history.write("run", seed=options.seed, seconds=options.seconds, bug=options.bug, shops=shops)
            desk, pace = Desk(history, site.fronts), Pace(options.think)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                cast = _cast(site, desk, pace, places, http)
                await _play(options, site, history, desk, pace, cast, pool)
        options.say("comparing what was told with what is there")
        durable = await read_durable(pool)
        return Outcome(await asyncio.to_thread(judge, file, durable, options.recovery), await _differences(site, pool))


@asynccontextmanager
async def _pool(site: Site) -> AsyncIterator["Pool[Any]"]:
    """For whatever the run itself asks; Postgres may be away at any time."""
    pool = await connect_pool(site.database_url, 4, _READING_SECONDS)
    try:
        yield pool
    finally:
        pool.terminate()


async def _settle(pool: "Pool[Any]") -> Place:
    shop_id = await create_shop(pool, Keys(PREFIX, SHARDS), _SHOP)
    shop = await Catalogue(pool).shop(shop_id)
    assert shop is not None
    barbers = list(shop.barbers)
    return Place(shop_id, barbers, next(iter(shop.barbers[barbers[0]].services)))


def _cast(site: Site, desk: Desk, pace: Pace, places: list[Place], http: aiohttp.ClientSession) -> _Cast:
    """Customers of each kind in turn; three devices at each chair, one over each door; a screen in each shop."""
    cast = _Cast()
    numbers = itertools.count()

    def person(role: Role, place: Place, **about: Any) -> Person:  # noqa: ANN401 - an actor's fields
        number = next(numbers)
        actor = Actor(f"us_{number:06d}", role, **about)
        return Person(f"c{number}", actor, site.token(actor), place.shop_id)

    for place in places:
        for number in range(CUSTOMERS):
            who = person(Role.CUSTOMER, place)
            client = _customers_client(desk, who, place, number, http)
            _add(cast, client)
            cast.work.append(customer(client, place, pace))
        for barber_id in place.barbers:
            devices = [person(Role.BARBER, place, barber_id=barber_id) for _ in range(3)]
            eye = Socket(desk, devices[0], "socketio", barber_id)
            clients: list[Client] = [
                eye,
                Socket(desk, devices[1], "websocket", barber_id),
                Rest(desk, devices[2], http),
            ]
            for client in clients:
                _add(cast, client)
                cast.work.append(Barber(place, barber_id, eye).work(client, pace))
        screen = person(Role.DISPLAY, place, shop_ids=frozenset({place.shop_id}))
        _add(cast, App(desk, screen, desk.fronts[0], f"display:{place.shop_id}"))
    return cast


def _customers_client(desk: Desk, who: Person, place: Place, number: int, http: aiohttp.ClientSession) -> Client:
    barber_id = place.barbers[number % len(place.barbers)]
    match number % 5:
        case 0 | 1:
            return Socket(desk, who, "websocket", barber_id)
        case 2:
            return Socket(desk, who, "socketio", barber_id)
        case 3:
            return Rest(desk, who, http)
        case _:
            return App(desk, who, desk.fronts[number % len(desk.fronts)], f"queue:{barber_id}")


def _add(cast: _Cast, client: Client) -> None:
    cast.clients.append(client)
    if isinstance(client, Socket):
        cast.sockets.append(client)


async def _play(
    options: Options, site: Site, history: History, desk: Desk, pace: Pace, cast: _Cast, pool: "Pool[Any]"
) -> None:
    """The people come in, and storms rage, until the time is over and everybody has a final answer."""
    storm = Storm(site, history, options.seed, options.only)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        present = [group.create_task(client.run()) for client in cast.clients]
        working = [group.create_task(work) for work in cast.work]
        try:
            while (left := options.seconds - (time.monotonic() - began)) > 0:
                await storm.rage(min(left, _STORM_SECONDS))
                took = await calm(site, history, lambda since: _wrong(desk, cast, pool, since), options.patience)
                passed = time.monotonic() - began
                well = f"all well after {took:.1f} s" if took is not None else "not well again"
                options.say(f"{passed:4.0f} s  {desk.answered:,} commands, {storm.done} faults, {well}")
                await asyncio.sleep(max(0.0, min(_PEACE_SECONDS, options.seconds - passed)))
            pace.over = True
            with contextlib.suppress(TimeoutError):  # who has no answer by then is found in the history
                async with asyncio.timeout(options.patience):
                    await asyncio.gather(*working)
        finally:
            for task in (*present, *working):
                task.cancel()
    for server in site.servers:
        for told in await asyncio.to_thread(server.errors):
            history.write("logged", server=server.name, told=told)
    history.write("end")


async def _wrong(desk: Desk, cast: _Cast, pool: "Pool[Any]", since: float) -> list[str]:
    """Who is not served, or shows what is old, although all has been healed since then."""
    queues = {socket.barber_id for socket in cast.sockets}
    found = [f"{name}: no command acknowledged" for name in queues if desk.succeeded.get(name, 0.0) < since]
    found += [f"{len(away)} sockets are not let in" for away in [[s for s in cast.sockets if not s.here]] if away]
    if found:
        return found
    try:
        versions = {row["barber_id"]: (row["epoch"], row["seq"]) for row in await pool.fetch(_VERSIONS)}
    except Away as error:
        return [f"Postgres: {error!r}"]
    await asyncio.sleep(0.5)
    old = [socket for socket in cast.sockets if socket.version < versions.get(socket.barber_id, NOTHING)]
    return [f"{len(old)} sockets show what is half a second old"] if old else []


async def _differences(site: Site, pool: "Pool[Any]") -> list[str]:
    """As `barberpro check` tells them."""
    primaries = Primaries(f"redis://127.0.0.1:{site.stores.valkey.port}", SHARDS, 5.0)
    try:
        await primaries.look()
        return await compare(pool, primaries, Keys(PREFIX, SHARDS))
    finally:
        await primaries.aclose()
