"""The faults: each does its damage, waits, and heals what a machine or its supervisor would heal, and no more."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from loadtests.faults.history import LEFT_OUT
from loadtests.faults.network import Link, Network, Stage, Trap
from loadtests.faults.processes import cut_power, freeze, thaw
from loadtests.faults.servers import Server
from loadtests.faults.site import Site

_TRAP_SECONDS: Final = 2.0
_HOUR: Final = 3600.0
_STAGES: Final[tuple[Stage | None, ...]] = (None, "asked", "passed", "answered")
_ENDS: Final[tuple[Stage, ...]] = ("asked", "answered")

Act = Callable[[Site, Server, random.Random], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """takes: what it has for itself meanwhile: "server" (one of them), "valkey", "postgres"; weight: how often.

    act: returns how it was done, in a few words.
    """

    name: str
    takes: frozenset[str]
    weight: int
    act: Act


FAULTS: Final[list[Fault]] = []


def _fault(name: str, *takes: str, weight: int = 2) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        FAULTS.append(Fault(name, frozenset(takes), weight, act))
        return act

    return register


# Moments -----------------------------------------------------------------------------------------------------


def _is_commit(link: Link, data: bytes) -> bool:
    """The journal has connections of its own, on which nothing else is asked: the statement is named once on each."""
    if b"commit_events" in data:
        link.marks.add("commits")
    return "commits" in link.marks and data.startswith(b"B")


def _is_rebuild(_link: Link, data: bytes) -> bool:
    return b"_rebuild\r\n" in data


@asynccontextmanager
async def _caught(network: Network, wanted: Callable[[Link, bytes], bool], stage: Stage) -> AsyncIterator[str]:
    """Begins when such a message is under way, which is held until the end; or after a while, if none comes."""
    trap = Trap(wanted, stage)
    network.traps.append(trap)
    try:
        async with asyncio.timeout(_TRAP_SECONDS):
            await trap.sprung.wait()
        how: str = stage
    except TimeoutError:
        how = "any moment"
    try:
        yield how
    finally:
        if trap in network.traps:
            network.traps.remove(trap)
        trap.open()


@asynccontextmanager
async def _moment(server: Server, dice: random.Random) -> AsyncIterator[str]:
    """Any, or one of a commit's: it was asked for, is under way, or its answer is."""
    stage: Stage | None = dice.choice(_STAGES)
    if stage is None:
        yield "any moment"
        return
    async with _caught(server.postgres, _is_commit, stage) as how:
        yield f"commit {how}" if how == stage else how


async def _pause(dice: random.Random, least: float, most: float) -> str:
    seconds = dice.uniform(least, most)
    await asyncio.sleep(seconds)
    return f"{seconds:.1f} s"


# Servers -----------------------------------------------------------------------------------------------------


@_fault("server killed", "server", weight=4)
async def _server_killed(_site: Site, server: Server, dice: random.Random) -> str:
    async with _moment(server, dice) as how:
        await server.kill()
    await _pause(dice, 0, 1)
    await server.start()
    return how


@_fault("server restarted in order", "server", weight=1)
async def _server_restarted(_site: Site, server: Server, _dice: random.Random) -> str:
    code = await server.end()
    await server.start()
    return f"ended with {code}"


@_fault("server stands still", "server", weight=4)
async def _server_stands_still(_site: Site, server: Server, dice: random.Random) -> str:
    async with _moment(server, dice) as how:
        frozen = await server.freeze()
        try:
            return f"{how}, {await _pause(dice, 0.3, 6)}"
        finally:
            thaw(frozen)


@_fault("server's clock is wrong", "server", weight=1)
async def _clock_is_wrong(_site: Site, server: Server, dice: random.Random) -> str:
    """Until it is started the next time."""
    ahead = dice.choice((-_HOUR, _HOUR))
    await server.kill()
    await server.start(clock=ahead)
    return f"{ahead:+.0f} s"


# Networks ----------------------------------------------------------------------------------------------------


def _a_store(server: Server, dice: random.Random) -> tuple[str, Network]:
    return dice.choice((("Postgres", server.postgres), ("Redis", server.redis)))


@_fault("server cut off from a store", "server")
async def _cut_off(_site: Site, server: Server, dice: random.Random) -> str:
    name, network = _a_store(server, dice)
    async with _moment(server, dice) as how:
        await network.cut()
        try:
            return f"{name}, {how}, {await _pause(dice, 0.1, 4)}"
        finally:
            await network.mend()


@_fault("server's way to a store is silent", "server")
async def _silent(_site: Site, server: Server, dice: random.Random) -> str:
    """What was connected then stays silent for good."""
    name, network = _a_store(server, dice)
    network.fall_silent()
    try:
        return f"{name}, {await _pause(dice, 0.2, 4)}"
    finally:
        await network.mend()


@_fault("server's way to a store is slow", "server")
async def _slow(_site: Site, server: Server, dice: random.Random) -> str:
    name, network = _a_store(server, dice)
    network.delay = dice.uniform(0.02, 0.3)
    how = f"{name}, {network.delay * 1000:.0f} ms"
    await _pause(dice, 0.5, 4)
    network.delay = 0.0
    return how


@_fault("clients cut off", "server", weight=3)
async def _clients_cut(_site: Site, server: Server, dice: random.Random) -> str:
    if dice.random() < 0.5:
        server.front.reset()
        return "reset"
    await server.front.cut()
    how = await _pause(dice, 0.1, 2)
    await server.front.mend()
    return how


@_fault("clients' way is slow or silent", "server")
async def _clients_slow(_site: Site, server: Server, dice: random.Random) -> str:
    """Silence ends with a reset, for what a client notices by its heartbeat takes longer than a run may."""
    silent = dice.random() < 0.5
    if silent:
        server.front.fall_silent()
    else:
        server.front.delay = dice.uniform(0.02, 0.5)
    how = await _pause(dice, 0.5, 4)
    if silent:
        server.front.reset()
    await server.front.mend()
    return f"{'silent' if silent else 'slow'}, {how}"


# Valkey ------------------------------------------------------------------------------------------------------


@_fault("Valkey killed", "valkey", weight=5)
async def _valkey_killed(site: Site, server: Server, dice: random.Random) -> str:
    valkey = site.stores.valkey
    file = dice.choice(("kept", "lost", "older", "torn"))
    if file == "older":
        await asyncio.to_thread(valkey.copy, site.stores.copy)
        await _pause(dice, 0.1, 2)
    async with _moment(server, dice) as how:
        await cut_power(valkey)
    if file == "lost":
        await asyncio.to_thread(valkey.forget)
    elif file == "older":
        await asyncio.to_thread(valkey.put_back, site.stores.copy)
    elif file == "torn":
        await asyncio.to_thread(valkey.tear, dice.randint(1, 4000))
    await _pause(dice, 0, 1)
    await valkey.start()
    return f"file {file}, {how}"


@_fault("Valkey stands still", "valkey")
async def _valkey_stands_still(site: Site, _server: Server, dice: random.Random) -> str:
    assert site.stores.valkey.pid is not None
    frozen = await asyncio.to_thread(freeze, site.stores.valkey.pid)
    try:
        return await _pause(dice, 0.2, 4)
    finally:
        thaw(frozen)


@_fault("FLUSHALL", "valkey", weight=4)
async def _flushed(site: Site, server: Server, dice: random.Random) -> str:
    async with _moment(server, dice) as how:
        await site.stores.valkey.tell("FLUSHALL")
    return how


@_fault("fault in the middle of a rebuild", "valkey", "server", weight=4)
async def _in_a_rebuild(site: Site, server: Server, dice: random.Random) -> str:
    """Postgres has raised the epoch, Redis has not heard of it yet; or it has, and the server does not know."""
    valkey = site.stores.valkey
    await valkey.tell("FLUSHALL")
    async with _caught(server.redis, _is_rebuild, dice.choice(_ENDS)) as how:
        then = dice.choice(("server killed", "server stands still", "Valkey killed", "FLUSHALL"))
        if then == "server killed":
            await server.kill()
            await server.start()
        elif then == "server stands still":
            frozen = await server.freeze()
            await _pause(dice, 0.5, 4)
            thaw(frozen)
        elif then == "Valkey killed":
            await cut_power(valkey)
            await valkey.start()
        else:
            await valkey.tell("FLUSHALL")
    return f"{then}, rebuild {how}"


@_fault("lagging replica promoted", "valkey", weight=3)
async def _replica_promoted(site: Site, server: Server, dice: random.Random) -> str:
    await site.stores.replicate()
    site.stores.replication.fall_silent()
    lag = await _pause(dice, 0.1, 1.5)
    async with _moment(server, dice) as how:
        await site.stores.promote()
    await site.stores.replication.mend()
    return f"{lag} behind, {how}"


# Postgres ----------------------------------------------------------------------------------------------------


@_fault("Postgres killed", "postgres", weight=3)
async def _postgres_killed(site: Site, server: Server, dice: random.Random) -> str:
    async with _moment(server, dice) as how:
        await cut_power(site.stores.postgres)
    await _pause(dice, 0, 0.5)
    await site.stores.postgres.start()
    return how


@_fault("Postgres stands still", "postgres")
async def _postgres_stands_still(site: Site, _server: Server, dice: random.Random) -> str:
    assert site.stores.postgres.pid is not None
    frozen = await asyncio.to_thread(freeze, site.stores.postgres.pid)
    try:
        return await _pause(dice, 0.2, 4)
    finally:
        thaw(frozen)


@_fault("disk full", "postgres")
async def _disk_full(site: Site, _server: Server, dice: random.Random) -> str:
    if not site.stores.disk.there:
        return LEFT_OUT
    await asyncio.to_thread(site.stores.disk.fill)
    try:
        return await _pause(dice, 0.3, 3)
    finally:
        await asyncio.to_thread(site.stores.disk.clear)
