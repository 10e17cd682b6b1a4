"""Letters as Postgres holds them: put down sealed, sent or given up later, and listed for operators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

_INSERT: Final = """
    INSERT INTO letters (letter_id, channel, template, language, content_sealed) VALUES ($1, $2, $3, $4, $5)
"""
_WAITING: Final = """
    SELECT channel, template, language, content_sealed, attempts, created_at
    FROM letters WHERE letter_id = $1 AND status = 'waiting'
"""
_SETTLE: Final = """
    UPDATE letters SET status = $2, problem = $3, reference = $4, attempts = attempts + 1, settled_at = now(),
                       next_at = NULL, content_sealed = NULL
    WHERE letter_id = $1 AND status = 'waiting'
"""
_POSTPONE: Final = """
    UPDATE letters SET attempts = attempts + 1, problem = $2, next_at = now() + make_interval(secs => $3)
    WHERE letter_id = $1 AND status = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """content_sealed: JSON {to, fields}. attempts: those that failed."""

    letter_id: str
    channel: str
    template: str
    language: str
    content_sealed: str
    attempts: int
    created_at: datetime


async def insert_letter(
    connection: AnyConnection,
    letter_id: str,
    channel: str,
    template: str,
    language: str,
    content_sealed: str,
) -> None:
    await connection.execute(_INSERT, letter_id, channel, template, language, content_sealed)


async def waiting_letter(pool: "Pool[Any]", letter_id: str) -> WaitingLetter | None:
    """None when it is settled already."""
    row = await pool.fetchrow(_WAITING, letter_id)
    return WaitingLetter(letter_id, **row) if row is not None else None


async def settle(pool: "Pool[Any]", letter_id: str, problem: str | None, reference: str | None = None) -> None:
    """It is sent, or, with a problem, given up. Its content is forgotten."""
    await pool.execute(_SETTLE, letter_id, "failed" if problem else "sent", problem, reference)


async def postpone(pool: "Pool[Any]", letter_id: str, problem: str, seconds: float) -> None:
    """An attempt failed; the next one is due in so many seconds."""
    await pool.execute(_POSTPONE, letter_id, problem, seconds)
