"""Background work: jobs that are put down in a transaction, and done later by whichever node is free.

The machinery is PgQueuer's (decision 22): a table, LISTEN and NOTIFY, SKIP LOCKED, and heartbeats by which another node
takes over what a dead one had begun. So a job may be done twice, and has to bear that.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

import structlog
from asyncpg import Pool
from pgqueuer import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.queries import Queries

from barberpro.storage.jobs import Waiting, waiting_jobs
from barberpro.storage.postgres import AnyConnection, Away

log = structlog.get_logger(__name__)

_HEARTBEAT: Final = timedelta(seconds=30)
"""A job whose node has been silent for so long is done by another."""
_AT_ONCE: Final = 10
_CLOSE_SECONDS: Final = 2.0
_KEPT_DAYS: Final = 30
_FORGET: Final = (
    "DELETE FROM pgqueuer_log WHERE created < now() - make_interval(days => $1)",
    "DELETE FROM pgqueuer_statistics WHERE created < now() - make_interval(days => $1)",
)
_AGAIN_SECONDS: Final = 5.0
"""After Postgres was away; and after a job's first failure."""
_TIMES: Final = 3.0
"""After each further failure, so many times as long."""
_TRIES: Final = 5
_WATCH_SECONDS: Final = 15.0


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


class GivenUp(Exception):
    """Raised by a job that is not to be tried again. The message names nobody: administrators see it."""


Work = Callable[[str], Awaitable[None]]
"""Does a job with this argument. Raises Later, as often as it wants, and GivenUp. Whatever else it raises is tried
again, some times, and then given up. What is given up is logged, counted, and listed at GET /admin/jobs.
"""


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
        self,
        pool: "Pool[Any]",
        kinds: Mapping[str, Work],
        regular: Mapping[str, Regular],
        look: float,
        again: float = _AGAIN_SECONDS,
    ) -> None:
        """kinds: who does which kind of job. regular: what some node does again and again, by name.

        look: seconds between two looks for what is due; of a new job a node is told at once, of a later attempt not.
        again: seconds after which a job that failed is tried again for the first time.
        """
        self._again = again
        self._look = timedelta(seconds=look)
        self._pool = pool
        self._kinds = kinds
        self._regular = {"jobs.forget": Regular("11 3 * * *", self.forget), **regular}
        self._machine: PgQueuer | None = None
        self._stopped = asyncio.Event()
        """By us: a machine's own shutdown is set by whatever goes wrong, too."""
        self._task: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.outcomes: Counter[tuple[str, str]] = Counter(
            {(kind, outcome): 0 for kind in kinds for outcome in ("done", "again", "failed")}
        )
        """Attempts here, by kind and outcome."""
        self.milliseconds: Counter[str] = Counter(dict.fromkeys(kinds, 0))
        """That attempts took here, by kind."""
        self.waiting: Sequence[Waiting] = ()
        """Of all nodes, when it was looked last."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="jobs")
        self._watcher = asyncio.create_task(self._watch(), name="jobs-watch")

    def stop(self) -> None:
        """Begins no more; what is under way may be finished.

        The rest is done by other nodes, or after the next start.
        """
        self._stopped.set()
        if self._machine is not None:
            self._machine.shutdown.set()

    async def close(self) -> None:
        """As `stop`, and waits a moment for what is under way."""
        if self._task is None or self._watcher is None:
            return
        self._watcher.cancel()
        self.stop()
        _, still = await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
        if still:  # with a long job; or with a silent Postgres, which would not answer to a cancellation either
            self._pool.terminate()
        self._task.cancel()
        await asyncio.gather(self._task, self._watcher, return_exceptions=True)

    async def forget(self) -> None:
        """Lets go of what the library noted of jobs that are long done: it keeps that for ever."""
        for statement in _FORGET:
            await self._pool.execute(statement, _KEPT_DAYS)

    async def _run(self) -> None:
        while not self._stopped.is_set():  # a cancellation may have been lost on the way here
            machine = self._machine = self._built()
            try:
                await machine.run(self._look, batch_size=_AT_ONCE, heartbeat_timeout=_HEARTBEAT)
                return
            except Away as error:
                log.info("jobs_wait", problem=repr(error))
            except Exception:
                log.exception("jobs_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_SECONDS):
                    await self._stopped.wait()

    async def _watch(self) -> None:
        while True:
            try:
                self.waiting = await waiting_jobs(self._pool)
            except Away as error:
                log.info("jobs_unwatched", problem=repr(error))
            if self._stopped.is_set():  # as above
                return
            await asyncio.sleep(_WATCH_SECONDS)

    def _entrypoint(self, kind: str, work: Work) -> Callable[[Job], Awaitable[None]]:
        async def do(job: Job) -> None:
            started = perf_counter()
            refused = await self._refusal_of(kind, job, work)
            self.milliseconds[kind] += round((perf_counter() - started) * 1000)
            self.outcomes[kind, _outcome(refused)] += 1
            if refused is not None:
                raise refused

        return do

    async def _refusal_of(self, kind: str, job: Job, work: Work) -> RetryRequested | GivenUp | None:
        """What the library is to be told; None: done.

        Without causes: tracebacks go into its table, and an address may be in them.
        """
        try:
            await work((job.payload or b"").decode())
        except Later as later:
            return RetryRequested(timedelta(seconds=later.seconds), later.why)
        except Away as error:
            return RetryRequested(timedelta(seconds=self._again), type(error).__name__)
        except GivenUp as error:
            log.error("job_failed", kind=kind, problem=str(error))
            return GivenUp(str(error))
        except Exception as error:
            problem = type(error).__name__
            if job.attempts + 1 >= _TRIES:
                log.exception("job_failed", kind=kind, problem=problem)
                return GivenUp(problem)
            log.warning("job_again", kind=kind, problem=problem, attempt=job.attempts + 1)
            return RetryRequested(timedelta(seconds=self._again * _TIMES**job.attempts), problem)
        return None

    def _built(self) -> PgQueuer:
        machine = PgQueuer.from_asyncpg_pool(self._pool)
        for kind, work in self._kinds.items():
            machine.entrypoint(kind, accepts_context=False)(self._entrypoint(kind, work))
        for name, regular in self._regular.items():
            machine.schedule(name, regular.when, accepts_context=False)(_as_schedule(regular))
        return machine


def _outcome(refused: RetryRequested | GivenUp | None) -> str:
    if refused is None:
        return "done"
    return "again" if isinstance(refused, RetryRequested) else "failed"


def _as_schedule(regular: Regular) -> Callable[[Schedule], Awaitable[None]]:
    async def do(_: Schedule) -> None:
        try:
            await regular.work()
        except Away as error:
            log.info("jobs_wait", problem=repr(error))

    return do
