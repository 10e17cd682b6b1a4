"""Background work: jobs that are put down in a transaction, and done later by whichever node is free.

The machinery is PgQueuer's (decision 21): a table, LISTEN and NOTIFY, SKIP LOCKED, and heartbeats by which another node
takes over what a dead one had begun. So a job may be done twice, and has to bear that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from asyncpg import Pool
from pgqueuer import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.queries import Queries

from barberpro.storage.postgres import AnyConnection, Away

log = structlog.get_logger(__name__)

_HEARTBEAT: Final = timedelta(seconds=30)
"""A job whose node has been silent for so long is done by another."""
_AT_ONCE: Final = 10
_AGAIN_SECONDS: Final = 5.0
"""After Postgres was away."""

# It tells of every later attempt that a job asks for; the jobs tell that in words of their own.
logging.getLogger("pgqueuer").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Later(Exception):
    """Raised by a job that is to be tried again after so many seconds. why: nothing of anybody."""

    seconds: float
    why: str


Work = Callable[[str], Awaitable[None]]
"""Does a job with this argument. Raises Later; whatever else it raises ends the job, and is logged."""


async def enqueue(connection: AnyConnection, kind: str, argument: str) -> None:
    """Puts a job down in the caller's transaction: it is done once that is committed, and never if it is not."""
    queries = Queries.from_asyncpg_connection(connection)  # type: ignore[arg-type]  # a pool's connection is one, too
    await queries.enqueue(kind, argument.encode())


class Jobs:
    """One a node. pool: of its own, since one of its connections listens."""

    def __init__(self, pool: "Pool[Any]", kinds: dict[str, Work]) -> None:
        """kinds: who does which kind of job."""
        self._pool = pool
        self._kinds = kinds
        self._machine: PgQueuer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def close(self) -> None:
        """What is under way is finished first; the rest is done by other nodes, or after the next start."""
        if self._task is None:
            return
        if self._machine is not None:
            self._machine.shutdown.set()
            await asyncio.wait([self._task], timeout=_AT_ONCE)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._machine = self._built()
            try:
                await self._machine.run(batch_size=_AT_ONCE, heartbeat_timeout=_HEARTBEAT)
                return
            except Away as error:
                log.info("jobs_wait", problem=repr(error))
            except Exception:
                log.exception("jobs_failed")
            await asyncio.sleep(_AGAIN_SECONDS)

    def _built(self) -> PgQueuer:
        machine = PgQueuer.from_asyncpg_pool(self._pool)
        for kind, work in self._kinds.items():
            machine.entrypoint(kind)(_as_entrypoint(work))
        return machine


def _as_entrypoint(work: Work) -> Callable[[Job], Awaitable[None]]:
    async def do(job: Job) -> None:
        try:
            await work((job.payload or b"").decode())
        except Later as later:
            # Without its cause: a traceback goes into a table, and an address may be in it.
            raise RetryRequested(timedelta(seconds=later.seconds), later.why) from None

    return do
