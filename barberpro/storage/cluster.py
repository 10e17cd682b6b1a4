"""What a Redis says of the cluster that it belongs to, if it belongs to one."""

import asyncio
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

SLOTS: Final = 16384
_ANSWER_SECONDS: Final = 1.0

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class ClusterMap:
    """Which primary has which slots, as one of the nodes knows it.

    sound: whether it takes the cluster to work: one that was cut off from the others does not, and its epoch rises with
    each election that it loses. epoch: the newest that it has heard of; of two sound maps, the higher one's is newer.
    owners: (first slot, last slot, primary). nodes: every node's address, replicas included.
    """

    sound: bool
    epoch: int
    owners: Sequence[tuple[int, int, Address]]
    nodes: frozenset[Address]

    def owner(self, slot: int) -> Address | None:
        """None for a slot that is nobody's."""
        return next((address for first, last, address in self.owners if first <= slot <= last), None)


async def ask(client: Redis) -> ClusterMap | None:
    """The cluster as this node knows it; None when it is a Redis alone. Raises RedisError, OSError."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await _ask(client)
    except TimeoutError as error:
        raise RedisTimeoutError("no answer in time") from error


async def _ask(client: Redis) -> ClusterMap | None:
    untyped: Any = client
    try:
        told: bytes = await untyped.execute_command("CLUSTER", "INFO")
    except ResponseError:  # it has no cluster support, or it is switched off, or the user may not ask
        return None
    lines = dict(line.split(":", 1) for line in told.decode().splitlines() if ":" in line)
    answer = await untyped.execute_command("CLUSTER", "SLOTS")
    own_host = client.connection_pool.connection_kwargs.get("host", "localhost")
    owners, nodes = [], set()
    for first, last, *members in answer:
        # A node that does not know its own name says nothing: it is where we asked.
        addresses = [((host or b"").decode() or own_host, port) for host, port, *_ in members]
        owners.append((first, last, addresses[0]))
        nodes.update(addresses)
    sound = lines["cluster_state"].strip() == "ok"
    return ClusterMap(sound, int(lines["cluster_current_epoch"]), owners, frozenset(nodes))


def slot_of(key: str) -> int:
    """A key's slot: of what stands in its first braces, if anything does, else of all of it."""
    _, opened, rest = key.partition("{")
    tag, closed, _ = rest.partition("}")
    hashed = tag if opened and closed and tag else key
    return binascii.crc_hqx(hashed.encode(), 0) % SLOTS


def url_at(url: str, address: Address) -> str:
    """The URL of another node of the same cluster: the same credentials and options, at its own address."""
    parts = urlsplit(url)
    host, port = address
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    credentials, at, _ = parts.netloc.rpartition("@")
    # Only the first node can be asked through a socket of this machine; and a cluster has one database.
    scheme = "redis" if parts.scheme == "unix" else parts.scheme
    return urlunsplit((scheme, f"{credentials}{at}{place}", "", parts.query, ""))
