"""Applying revisions: Alembic's bookkeeping around plain SQL files."""

import asyncio
from pathlib import Path

import asyncpg
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from barberpro.storage.migrate import SchemaTooNewError

# Any number will do, as long as every server takes the same.
ADVISORY_LOCK = 0x0BA_BE_12


async def upgrade_to_head(database_url: str, versions: Path) -> list[str]:
    """As `migrate`, for a database that lacks some; or not any more, when another server came first."""
    script = await asyncio.to_thread(load, versions)
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
