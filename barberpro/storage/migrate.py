"""Bring a database's schema up to this code's: plain SQL files in `migrations/versions`, one after the other.

A server that starts finds its schema to be the newest nearly always. Alembic is loaded (storage/upgrading.py) when it
is not: that takes longer than all else that a command imports.
"""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import asyncpg

from barberpro.storage.migrations import VERSIONS

_LOOK_SECONDS: Final = 5.0
"""For one answer to the question which revision there is; migrating may take as long as it does."""


class SchemaTooNewError(Exception):
    """The database's schema is of a newer release than this code.

    `database` is its revision, `code` the newest that this code knows.
    """

    def __init__(self, database: str, code: str) -> None:
        """Take the two revisions."""
        super().__init__(
            f"The database is at revision {database}, and this release knows none after {code}. "
            "Start the release that migrated it, or a newer one."
        )
        self.database = database
        self.code = code


async def migrate(database_url: str, versions: Path = VERSIONS) -> list[str]:
    """Apply the revisions that the database lacks, oldest first, and return their names.

    All or nothing: one transaction. Servers that start at once take turns, and all but the first find nothing
    left to do. `database_url` is as asyncpg takes it. Raises SchemaTooNewError, and what asyncpg raises when
    it cannot connect or a statement fails.
    """
    if await current_revision(database_url) == await asyncio.to_thread(head_revision, versions):
        return []
    upgrading: Any = await asyncio.to_thread(import_module, "barberpro.storage.upgrading")  # which reads many files
    applied: list[str] = await upgrading.upgrade_to_head(database_url, versions)
    return applied


async def current_revision(database_url: str) -> str | None:
    """Return the revision that the database is at; None when it was never migrated. asyncpg's errors."""
    connection = await asyncpg.connect(database_url, timeout=_LOOK_SECONDS, command_timeout=_LOOK_SECONDS)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def head_revision(versions: Path = VERSIONS) -> str:
    """Return the newest revision that this code knows: they are numbered, and named as their files. Blocking."""
    return max(path.stem for path in versions.glob("[0-9]*.sql"))
