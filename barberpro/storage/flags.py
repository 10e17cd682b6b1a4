"""Feature flags, as Postgres holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

_COLUMNS: Final = "name, description, percentage, target_users, changed_at, changed_by"
_ALL: Final = f"SELECT {_COLUMNS} FROM feature_flags ORDER BY name"  # noqa: S608 - our own words
_PAGE: Final = f"""
    SELECT {_COLUMNS} FROM feature_flags WHERE ($1::text IS NULL OR name > $1) ORDER BY name LIMIT $2
"""  # noqa: S608 - our own words
_LOCK: Final = f"SELECT {_COLUMNS} FROM feature_flags WHERE name = $1 FOR UPDATE"  # noqa: S608 - our own words
_PUT: Final = f"""
    INSERT INTO feature_flags (name, description, percentage, target_users, changed_by) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (name) DO UPDATE SET description = excluded.description, percentage = excluded.percentage,
        target_users = excluded.target_users, changed_by = excluded.changed_by, changed_at = now()
    RETURNING {_COLUMNS}
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Flag:
    """On for so many percent of all users, and for the target users besides."""

    name: str
    description: str | None
    percentage: int
    target_users: frozenset[str]
    changed_at: datetime
    changed_by: str


async def all_flags(pool: "Pool[Any]") -> dict[str, Flag]:
    """By name."""
    return {row["name"]: _flag(row) for row in await pool.fetch(_ALL)}


async def page_of_flags(pool: "Pool[Any]", after: str | None, most: int) -> list[Flag]:
    """In the order of their names, from the one behind `after` on."""
    return [_flag(row) for row in await pool.fetch(_PAGE, after, most)]


async def lock_flag(connection: AnyConnection, name: str) -> Flag | None:
    row = await connection.fetchrow(_LOCK, name)
    return _flag(row) if row is not None else None


async def put_flag(
    connection: AnyConnection,
    name: str,
    description: str | None,
    percentage: int,
    target_users: list[str],
    changed_by: str,
) -> Flag:
    row = await connection.fetchrow(_PUT, name, description, percentage, target_users, changed_by)
    assert row is not None  # noqa: S101 - it was put there just now
    return _flag(row)


async def delete_flag(connection: AnyConnection, name: str) -> None:
    await connection.execute("DELETE FROM feature_flags WHERE name = $1", name)


def _flag(row: Mapping[str, Any]) -> Flag:
    return Flag(**{**row, "target_users": frozenset(row["target_users"])})
