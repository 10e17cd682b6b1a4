"""Bring a database's schema up to this code's: Alembic's bookkeeping around plain SQL files."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from barberpro.storage.migrations import VERSIONS

# Any number will do, as long as every server takes the same.
ADVISORY_LOCK = 0x0BA_BE_12

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
    script = await asyncio.to_thread(load, versions)
    if await current_revision(database_url) == head_of(script):  # as nearly always: without a lock
        return []
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            return await connection.run_sync(upgrade, script)
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError):
            raise cause from error
        raise
    finally:
        await engine.dispose()


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
    """Return the newest revision that this code knows. Blocking."""
    return head_of(load(versions))


def load(versions: Path) -> ScriptDirectory:
    """Read every revision and its SQL from a directory, so that nothing is left to read later. Blocking."""
    script = ScriptDirectory(str(versions), version_locations=[str(versions)])
    for _ in script.walk_revisions():
        pass
    return script


def head_of(script: ScriptDirectory) -> str:
    """Return the newest revision; alembic.util.CommandError when the line of revisions is forked."""
    head = script.get_current_head()
    if head is None:
        raise RuntimeError(f"there are no revisions in {script.dir}")
    return head


def upgrade(connection: Connection, script: ScriptDirectory) -> list[str]:
    """Apply what is missing within the connection's transaction; see `migrate`."""
    applied: list[str] = []

    def missing(heads: tuple[str, ...], context: MigrationContext) -> list[MigrationStep]:
        scripts = scripts_after(heads[0] if heads else None, script)
        applied.extend(each.revision for each in scripts)
        return [MigrationStep.upgrade_from_script(script.revision_map, each) for each in scripts]

    context = MigrationContext.configure(connection, opts={"fn": missing})
    # Handed over, and not through the module `alembic.op`: that one is process-wide, and two may migrate.
    context.run_migrations(operations=Operations(context))
    return applied


def scripts_after(current: str | None, script: ScriptDirectory) -> list[Script]:
    """Return the revisions after `current` (None: all), oldest first; SchemaTooNewError if it is unknown."""
    oldest_first = list(script.walk_revisions())[::-1]
    if current is None:
        return oldest_first
    names = [each.revision for each in oldest_first]
    if current not in names:
        raise SchemaTooNewError(current, head_of(script))
    return oldest_first[names.index(current) + 1 :]
