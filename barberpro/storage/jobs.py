"""What waits, what runs and what failed, in the tables of PgQueuer (decision 22)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

_WAITING: Final = """
    SELECT entrypoint AS kind, count(*) FILTER (WHERE status = 'queued') AS waiting,
           count(*) FILTER (WHERE status = 'picked') AS running,
           extract(epoch FROM now() - min(execute_after)
                   FILTER (WHERE status = 'queued' AND execute_after <= now()))::float8 AS overdue_seconds
    FROM pgqueuer GROUP BY 1 ORDER BY 1
"""
_ENDED: Final = """
    SELECT entrypoint AS kind, count(*) FILTER (WHERE status = 'successful') AS done,
           count(*) FILTER (WHERE status = 'exception') AS failed
    FROM pgqueuer_log WHERE created > now() - interval '24 hours' GROUP BY 1 ORDER BY 1
"""
_FAILURES: Final = """
    SELECT job_id, entrypoint AS kind, created AS at, traceback ->> 'exception_message' AS problem
    FROM pgqueuer_log WHERE status = 'exception' ORDER BY created DESC, id DESC LIMIT $1
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of one kind. overdue_seconds: for how long the first that is due has been so; None when none is due."""

    kind: str
    waiting: int
    running: int
    overdue_seconds: float | None


@dataclass(frozen=True, slots=True)
class Ended:
    """Jobs of one kind that ended in the last 24 hours."""

    kind: str
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Failure:
    """problem: the name of the error, or what the job said."""

    job_id: int
    kind: str
    at: datetime
    problem: str | None


async def waiting_jobs(pool: "Pool[Any]") -> list[Waiting]:
    """Raises what storage.postgres.Away lists, as all of these do."""
    return [Waiting(**row) for row in await pool.fetch(_WAITING)]


async def ended_jobs(pool: "Pool[Any]") -> list[Ended]:
    return [Ended(**row) for row in await pool.fetch(_ENDED)]


async def failures(pool: "Pool[Any]", most: int) -> list[Failure]:
    """The newest first."""
    return [Failure(**row) for row in await pool.fetch(_FAILURES, most)]
