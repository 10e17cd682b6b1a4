"""The schema's history: `versions/NNNN_name.sql`, each run by the small revision file of the same name.

A new revision is a pair of files: copy the last `.py`, point `down_revision` at it, and write the SQL.
All of them run in one transaction, so nothing that refuses one (CREATE INDEX CONCURRENTLY) may be in there.
There is no way down: a mistake is mended by the next revision.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.operations import Operations
    from sqlalchemy.ext.asyncio import AsyncConnection

VERSIONS = Path(__file__).parent / "versions"


def sql_beside(revision_file: str) -> "Callable[[Operations], None]":
    """Return the `upgrade` of a revision: it runs the SQL file beside this one. Blocking; OSError if missing.

    The SQL is read now, when Alembic loads the revision (in a thread), and run later, in the event loop.
    """
    sql = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")

    async def execute(connection: "AsyncConnection") -> None:
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            raise RuntimeError("the connection was closed during the migration")
        # Straight to asyncpg: SQLAlchemy prepares statements, and Postgres prepares only one at a time.
        await driver.execute(sql)

    def upgrade(operations: "Operations") -> None:
        operations.run_async(execute)

    return upgrade
