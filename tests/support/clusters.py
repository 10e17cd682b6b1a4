"""A Redis Cluster of the embedded Valkey: three primaries, each with a port and files of its own."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from barberpro.server.embedded import EmbeddedServices, StoreUrls
from barberpro.server.embedded.process import Command
from barberpro.server.embedded.valkey import ValkeyProcess
from barberpro.storage.cluster import SLOTS, slot_of

PRIMARIES: Final = 3
SECONDS: Final = 60.0


class Member(ValkeyProcess):
    """A node of the cluster."""

    def __init__(self, directory: Path, port: int, bus_port: int) -> None:
        super().__init__(directory, directory.parent, directory.parent / f"{directory.name}.log")
        self.port = port
        self.bus_port = bus_port
        self._settings = {
            "port": port,
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-port": bus_port,
            "repl-diskless-sync-delay": 0,
            "cluster-require-full-coverage": "no",  # a primary that is away takes its own slots with it, and no more
        }

    def prepare(self) -> Command:
        command = super().prepare()
        for name, value in self._settings.items():
            command.arguments.extend((f"--{name}", str(value)))
        return command

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """A client of this node alone. Any: its library has no types for CLUSTER's commands."""
        async with Redis(host="127.0.0.1", port=self.port, decode_responses=True) as redis:
            yield redis

    async def tell(self, *words: str | int) -> Any:  # noqa: ANN401 - whatever it answers
        async with self.connected() as redis:
            return await redis.execute_command(*words)


class Cluster(ValkeyProcess):
    """All of its nodes as one store: `start`, `stop` and `kill` are of all at once. `members`: one by one."""

    def __init__(self, directory: Path) -> None:
        """The directory need not exist yet."""
        super().__init__(directory, directory, directory / "unused.log")
        ports = _free_ports(2 * (PRIMARIES + 1))
        self.members = [Member(directory / f"node-{n}", ports[2 * n], ports[2 * n + 1]) for n in range(PRIMARIES)]
        self.spare = Member(directory / "spare", ports[-2], ports[-1])
        """Not of the cluster, and not started; stopped with the others."""
        self.url = f"redis://127.0.0.1:{self.members[0].port}"

    async def start(self) -> None:
        """Starts all nodes, joins them into a cluster if they are none, and waits until all take commands."""
        await asyncio.to_thread(self.directory.mkdir, parents=True, exist_ok=True)
        await asyncio.gather(*(member.start() for member in self.members))
        self.pid = self.members[0].pid
        if not (await self.members[0].tell("CLUSTER", "SLOTS")):
            await self._join()
        await self.well()

    async def _join(self) -> None:
        for number, member in enumerate(self.members):
            first, last = SLOTS * number // PRIMARIES, SLOTS * (number + 1) // PRIMARIES - 1
            await member.tell("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            await member.tell("CLUSTER", "ADDSLOTSRANGE", first, last)
            await member.tell("CLUSTER", "MEET", "127.0.0.1", self.members[0].port, self.members[0].bus_port)

    async def well(self) -> None:
        """Waits until every node knows of all the slots, and takes commands."""
        async with asyncio.timeout(SECONDS):
            for member in self.members:
                async with member.connected() as redis:
                    while not _is_well(await redis.execute_command("CLUSTER", "INFO")):  # noqa: ASYNC110 - it tells nobody
                        await asyncio.sleep(0.02)

    async def stop(self) -> None:
        await asyncio.gather(*(member.stop() for member in (*self.members, self.spare)))

    async def kill(self) -> None:
        await asyncio.gather(*(member.kill() for member in self.members))

    async def owner(self, shard: int) -> Member:
        """The primary that has the shard."""
        slot = _slot(shard)
        for member in (*self.members, self.spare):
            if slot in await _slots(member):
                return member
        raise AssertionError(f"slot {slot} is nobody's")

    # What may happen to it -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def replica_of(self, member: Member) -> AsyncIterator[Member]:
        """A replica, in step with its primary. In the end it is gone, and `member` is the primary again.

        Once for a cluster: its nodes keep one that was forgotten out for a minute.
        """
        spare = self.spare
        await spare.start()
        new = await spare.tell("CLUSTER", "MYID")
        for other in self.members:
            await spare.tell("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus_port)
            await _becomes(spare, await other.tell("CLUSTER", "MYID"), "CLUSTER", "NODES")
            await _becomes(other, new, "CLUSTER", "NODES")
        await spare.tell("CLUSTER", "REPLICATE", await member.tell("CLUSTER", "MYID"))
        await _becomes(spare, "'master_link_status': 'up'", "INFO", "replication")
        try:
            yield spare
        finally:
            await member.start()
            await _becomes(member, "'master_link_status': 'up'", "INFO", "replication")
            await member.tell("CLUSTER", "FAILOVER", "TAKEOVER")
            await spare.stop()
            for other in self.members:
                await other.tell("CLUSTER", "FORGET", new)
            await self.well()

    @asynccontextmanager
    async def moving_key_by_key(self, shard: int) -> AsyncIterator[None]:
        """As `valkey-cli --cluster reshard` does it. In the block, half of the keys have moved."""
        slot, source = _slot(shard), await self.owner(shard)
        target = self._other_than(source)
        ids = {member: await member.tell("CLUSTER", "MYID") for member in (source, target)}
        await target.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        await source.tell("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
        keys = await _keys(source, slot)
        await _migrate(source, target, keys[: len(keys) // 2])
        try:
            yield
        finally:
            while keys := await _keys(source, slot):
                await _migrate(source, target, keys)
            for member in (target, source, *self.members):
                await member.tell("CLUSTER", "SETSLOT", slot, "NODE", ids[target])

    async def move_at_once(self, shard: int) -> None:
        """Valkey's own way, since 9.0."""
        slot, source = _slot(shard), await self.owner(shard)
        target = self._other_than(source)
        own = await target.tell("CLUSTER", "MYID")
        await source.tell("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", own)
        async with asyncio.timeout(SECONDS):
            while slot not in await _slots(target):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)

    def _other_than(self, member: Member) -> Member:
        return next(other for other in self.members if other is not member)


def _free_ports(count: int) -> range:
    """Ports that nobody listens on, below those that the system gives to clients: nodes come back to their own."""
    for first in range(20_000 + os.getpid() * count % 10_000, 32_000, count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return range(first, first + count)
    raise AssertionError("no ports are free")


def _slot(shard: int) -> int:
    return slot_of(f"{{s{shard}}}")


async def _slots(member: Member) -> set[int]:
    """Those that a node has, as it says itself."""
    if member.pid is None:
        return set()
    ranges = await member.tell("CLUSTER", "SLOTS")
    return {slot for first, last, (_, port, *_), *_ in ranges if port == member.port for slot in range(first, last + 1)}


async def _keys(member: Member, slot: int) -> list[str]:
    keys: list[str] = await member.tell("CLUSTER", "GETKEYSINSLOT", slot, 1000)
    return keys


async def _migrate(source: Member, target: Member, keys: list[str]) -> None:
    await source.tell("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)


async def _becomes(member: Member, text: str, *words: str) -> None:
    """Waits until a node answers with this text among others (which the library may have made a dictionary of)."""
    async with asyncio.timeout(SECONDS):
        async with member.connected() as redis:
            while text not in str(await redis.execute_command(*words)):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)


def _is_well(told: Any) -> bool:  # noqa: ANN401 - text, or what the library has made of it
    text = str(told)
    return "cluster_state:ok" in text and f"cluster_slots_assigned:{SLOTS}" in text


class ClusteredServices(EmbeddedServices):
    """Stores of which the Redis is a cluster."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.cluster = Cluster(directory / "cluster")
        self.valkey = self.cluster

    def _point_at(self, base: Path) -> StoreUrls:
        return StoreUrls(super()._point_at(base).database_url, self.cluster.url)
