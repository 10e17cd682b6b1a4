"""Which addresses are kept out just now, known on every node."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.protocol.actors import SYSTEM, Actor, Via
from barberpro.protocol.ids import new_block_id
from barberpro.storage import blocks
from barberpro.storage.blocks import Block
from barberpro.storage.postgres import Away
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Punishment:
    """A block that this node has made, and Postgres does not know of yet."""

    action: str
    request_id: str
    until: float


class Blocks:
    """Asks Postgres every two seconds; while it is away, what was known stands, and what is new waits to be written."""

    def __init__(
        self, pool: "Pool[Any]", seconds: float = 0.0, exempt: Collection[IPv4Network | IPv6Network] = ()
    ) -> None:
        """seconds: for how long who goes on after refusals is blocked; 0: never. exempt: networks that never are."""
        self._pool = pool
        self._seconds = seconds
        self._exempt = exempt
        self._until: dict[str, float] = {}
        self._unwritten: dict[str, _Punishment] = {}
        self._busy = asyncio.Lock()
        """Held while Postgres is asked: what was read before somebody wrote must not take the place of it."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises what Postgres raises while it is away."""
        await self._look()
        self._task = asyncio.create_task(self._run(), name="blocks")

    async def close(self) -> None:
        await end([self._task])

    def left(self, network: str) -> float:
        """For how many seconds more the network is blocked; 0 when it is not."""
        until, unwritten = self._until.get(network, 0.0), self._unwritten.get(network)
        if unwritten is not None:
            until = max(until, unwritten.until)
        return max(0.0, until - time.time())

    async def punish(self, network: str, action: str, request_id: str) -> None:
        """Blocks a network that went on and on with what it was refused.

        It is kept out by this node at once, even when Postgres cannot be told; then that is tried again at each look.
        """
        if self._seconds <= 0 or self.left(network) or not self._may_be(network):
            return
        self._unwritten[network] = _Punishment(action, request_id, time.time() + self._seconds)
        log.warning("address_blocked", action=action, seconds=self._seconds)
        if self._busy.locked():
            return  # whoever is refused does not stand in line for Postgres: the next look writes it
        try:
            async with self._busy:
                await self._write()
        except Away as error:
            log.warning("block_unwritten", problem=repr(error))

    async def block(self, network: str, reason: str, seconds: float, by: Actor, via: Via) -> Block:
        """Raises what Postgres raises while it is away."""
        async with self._busy:
            return await self._block(network, reason, seconds, by, via)

    async def lift(self, block_id: str, by: Actor, via: Via) -> Block | None:
        """The block, ended; None when there is none of this id in force. Raises what Postgres raises."""
        lifted = await blocks.lift(self._pool, block_id, by, via)
        if lifted is not None:
            await self._look()  # another block of the same network may still be in force
        return lifted

    def _may_be(self, network: str) -> bool:
        try:
            named = ip_network(network)
        except ValueError:
            return False  # a Unix socket
        return not any(named.version == each.version and named.subnet_of(each) for each in self._exempt)  # type: ignore[arg-type]  # of one version, as was asked first

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except Away as error:
                log.info("blocks_unread", problem=repr(error))
            except Exception:
                log.exception("blocks_failed")

    async def _look(self) -> None:
        async with self._busy:
            self._until = {network: until.timestamp() for network, until in (await blocks.in_force(self._pool)).items()}
            await self._write()

    async def _write(self) -> None:
        """What is not over yet; also what comes meanwhile. Raises what Postgres raises: then the rest waits."""
        while self._unwritten:
            network, made = next(iter(self._unwritten.items()))
            seconds = made.until - time.time()
            if seconds > 0:
                await self._block(network, made.action, seconds, SYSTEM, Via(made.request_id))
            del self._unwritten[network]

    async def _block(self, network: str, reason: str, seconds: float, by: Actor, via: Via) -> Block:
        made = await blocks.block(self._pool, new_block_id(), network, reason, seconds, by, via)
        self._until[network] = made.until.timestamp()
        return made
