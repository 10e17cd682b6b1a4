"""Background work: jobs that are put down in a transaction, and done later by whichever node is free.

The machinery is PgQueuer's (decision 22): a table, LISTEN and NOTIFY, SKIP LOCKED, and heartbeats by which another node
takes over what a dead one had begun. So a job may be done twice, and has to bear that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from asyncpg import Pool
from pgqueuer import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.queries import Queries

from barberpro.storage.postgres import AnyConnection, Away

log = structlog.get_logger(__name__)

_HEARTBEAT: Final = timedelta(seconds=30)
"""A job whose node has been silent for so long is done by another."""
_AT_ONCE: Final = 10
_KEPT_DAYS: Final = 30
_FORGET: Final = (
    "DELETE FROM pgqueuer_log WHERE created < now() - make_interval(days => $1)",
    "DELETE FROM pgqueuer_statistics WHERE created < now() - make_interval(days => $1)",
)
_AGAIN_SECONDS: Final = 5.0
"""After Postgres was away."""


def _is_news(record: logging.LogRecord) -> bool:
    """Whether what the library logs is more than that Postgres is away, which is told in our own words."""
    return not (record.exc_info and isinstance(record.exc_info[1], Away))


# It tells of every later attempt that a job asks for; the jobs tell that in words of their own.
_library_log = logging.getLogger("pgqueuer")
_library_log.setLevel(logging.ERROR)
_library_log.addFilter(_is_news)


@dataclass(frozen=True, slots=True)
class Later(Exception):
    """Raised by a job that is to be tried again after so many seconds. why: nothing of anybody."""

    seconds: float
    why: str


Work = Callable[[str], Awaitable[None]]
"""Does a job with this argument. Raises Later; whatever else it raises ends the job, and is logged."""


@dataclass(frozen=True, slots=True)
class Regular:
    """when: as in a crontab, UTC."""

    when: str
    work: Callable[[], Awaitable[None]]


async def enqueue(connection: AnyConnection, kind: str, argument: str, *, once: bool = False) -> None:
    """Puts a job down in the caller's transaction: it is done once that is committed, and never if it is not.

    once: unless there is one of this kind and argument that was put down so, and is not done yet.
    """
    queries = Queries.from_asyncpg_connection(connection)  # type: ignore[arg-type]  # a pool's connection is one, too
    await queries.enqueue(
        kind, argument.encode(), dedupe_key=f"{kind}:{argument}" if once else None, on_conflict="skip"
    )


class Jobs:
    """One a node. pool: of its own, since one of its connections listens."""

    def __init__(
        self, pool: "Pool[Any]", kinds: Mapping[str, Work], regular: Mapping[str, Regular], look: float
    ) -> None:
        """kinds: who does which kind of job. regular: what some node does again and again, by name.

        look: seconds between two looks for what is due; of a new job a node is told at once, of a later attempt not.
        """
        self._look = timedelta(seconds=look)
        self._pool = pool
        self._kinds = kinds
        self._regular = {"jobs.forget": Regular("11 3 * * *", self.forget), **regular}
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

    async def forget(self) -> None:
        """Lets go of what the library noted of jobs that are long done: it keeps that for ever."""
        for statement in _FORGET:
            await self._pool.execute(statement, _KEPT_DAYS)

    async def _run(self) -> None:
        while True:
            self._machine = self._built()
            try:
                await self._machine.run(self._look, batch_size=_AT_ONCE, heartbeat_timeout=_HEARTBEAT)
                return
            except Away as error:
                log.info("jobs_wait", problem=repr(error))
            except Exception:
                log.exception("jobs_failed")
            await asyncio.sleep(_AGAIN_SECONDS)

    def _built(self) -> PgQueuer:
        machine = PgQueuer.from_asyncpg_pool(self._pool)
        for kind, work in self._kinds.items():
            machine.entrypoint(kind, accepts_context=False)(_as_entrypoint(work))
        for name, regular in self._regular.items():
            machine.schedule(name, regular.when, accepts_context=False)(_as_schedule(regular))
        return machine


def _as_entrypoint(work: Work) -> Callable[[Job], Awaitable[None]]:
    async def do(job: Job) -> None:
        try:
            await work((job.payload or b"").decode())
        except Later as later:
            # Without its cause: a traceback goes into a table, and an address may be in it.
            raise RetryRequested(timedelta(seconds=later.seconds), later.why) from None

    return do


def _as_schedule(regular: Regular) -> Callable[[Schedule], Awaitable[None]]:
    async def do(_: Schedule) -> None:
        try:
            await regular.work()
        except Away as error:
            log.info("jobs_wait", problem=repr(error))

    return do
