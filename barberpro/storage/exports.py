"""Reports as files: asked for, made, fetched, and gone once they expire."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from asyncpg import Pool

from barberpro.protocol.reports import ExportStatus
from barberpro.storage.postgres import AnyConnection

_PART: Final = 262_144
"""Bytes of a file in one row."""
_COLUMNS: Final = (
    "export_id, made_by, wanted, status, attempts, rows_done, bytes, problem, created_at, ended_at, expires_at"
)
_ADD: Final = f"""
    INSERT INTO exports (export_id, made_by, wanted, command_id, expires_at)
    VALUES ($1, $2, $3::text::jsonb, $4, now() + make_interval(days => $5))
    ON CONFLICT (made_by, command_id) DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 - fixed words
_OF_COMMAND: Final = f"SELECT {_COLUMNS} FROM exports WHERE made_by = $1 AND command_id = $2"  # noqa: S608 - fixed words
_FIND: Final = f"SELECT {_COLUMNS} FROM exports WHERE export_id = $1 AND expires_at > now()"  # noqa: S608 - fixed words
_LIST: Final = f"""
    SELECT {_COLUMNS} FROM exports WHERE ($1::text IS NULL OR export_id < $1) AND expires_at > now()
    ORDER BY export_id DESC LIMIT $2
"""  # noqa: S608 - fixed words
_BEGIN: Final = f"""
    UPDATE exports SET status = 'running', attempts = attempts + 1, rows_done = 0
    WHERE export_id = $1 AND status IN ('waiting', 'running') AND expires_at > now()
    RETURNING {_COLUMNS}
"""  # noqa: S608 - fixed words
_PROGRESS: Final = "UPDATE exports SET rows_done = $2 WHERE export_id = $1 AND status = 'running'"
_DONE: Final = """
    UPDATE exports SET status = 'done', bytes = $2, ended_at = now(), problem = NULL
    WHERE export_id = $1 AND status = 'running'
"""
_FAIL: Final = """
    UPDATE exports SET status = 'failed', problem = $2, ended_at = now()
    WHERE export_id = $1 AND status IN ('waiting', 'running')
"""
_FORGET: Final = "DELETE FROM exports WHERE expires_at < now()"


@dataclass(frozen=True, slots=True)
class StoredExport:
    """wanted: the request, as it came. attempts: those that have begun."""

    export_id: str
    made_by: str
    wanted: dict[str, Any]
    status: ExportStatus
    attempts: int
    rows_done: int
    bytes: int | None
    problem: str | None
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime


async def add_export(
    connection: AnyConnection, export_id: str, made_by: str, wanted: Mapping[str, Any], command_id: str, days: int
) -> StoredExport | None:
    """None when the same request has added it before."""
    row = await connection.fetchrow(_ADD, export_id, made_by, orjson.dumps(wanted).decode(), command_id, days)
    return _export(row) if row is not None else None


async def export_of_command(connection: AnyConnection, made_by: str, command_id: str) -> StoredExport | None:
    row = await connection.fetchrow(_OF_COMMAND, made_by, command_id)
    return _export(row) if row is not None else None


async def find_export(pool: "Pool[Any]", export_id: str) -> StoredExport | None:
    """None when there is none, or no longer."""
    row = await pool.fetchrow(_FIND, export_id)
    return _export(row) if row is not None else None


async def list_exports(pool: "Pool[Any]", before: str | None, most: int) -> list[StoredExport]:
    """The newest first, from those asked for before the export `before`."""
    return [_export(row) for row in await pool.fetch(_LIST, before, most)]


async def begin_export(pool: "Pool[Any]", export_id: str) -> StoredExport | None:
    """From its beginning, also when an attempt died in the middle; None when there is nothing to do any more."""
    row = await pool.fetchrow(_BEGIN, export_id)
    return _export(row) if row is not None else None


async def note_progress(pool: "Pool[Any]", export_id: str, rows: int) -> None:
    """rows: so many are in the file."""
    await pool.execute(_PROGRESS, export_id, rows)


async def finish_export(pool: "Pool[Any]", export_id: str, body: bytes) -> None:
    """Keeps the file, and says that it is there; all of it or nothing.

    Nothing when it is there already: an attempt that was taken for dead, and was only slow, has had its successor.
    """
    parts = [(export_id, number, body[at : at + _PART]) for number, at in enumerate(range(0, len(body), _PART))]
    async with pool.acquire() as connection, connection.transaction():
        if await connection.execute(_DONE, export_id, len(body)) == "UPDATE 1":
            await connection.executemany("INSERT INTO export_parts (export_id, part, body) VALUES ($1, $2, $3)", parts)


async def fail_export(pool: "Pool[Any]", export_id: str, problem: str) -> None:
    """problem: in words that name nobody."""
    await pool.execute(_FAIL, export_id, problem)


async def body_of_export(pool: "Pool[Any]", export_id: str) -> bytes:
    rows = await pool.fetch("SELECT body FROM export_parts WHERE export_id = $1 ORDER BY part", export_id)
    return b"".join([row["body"] for row in rows])


async def forget_exports(pool: "Pool[Any]") -> int:
    """How many had expired."""
    return int((await pool.execute(_FORGET)).removeprefix("DELETE "))


def _export(row: Mapping[str, Any]) -> StoredExport:
    return StoredExport(**{**row, "wanted": orjson.loads(row["wanted"])})
