"""Sealing again, with the newest key, whatever an older one sealed.

Every column whose name ends in `_sealed` is sealed, in tables with a primary key of one column: so none is forgotten.
What is left to do is what does not begin with the newest key's id; so a run that was cut off anywhere is gone on with.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.sealing import Sealer

# A quarter of a second's work, in one transaction. Whoever has a row of it locked is not waited for: two transactions
# that wait for nobody, or only the other one does, cannot wait for each other in a circle.
_AT_ONCE: Final = 500
_COLUMNS: Final = """
    SELECT c.relname AS table, k.attname AS key, a.attname AS column, k.atttypid::regtype::text AS key_type
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname LIKE '%\\_sealed' AND NOT a.attisdropped
    JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
    JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = i.indkey[0]
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    ORDER BY 1, 3
"""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """key: the table's primary key; of this type."""

    table: str
    key: str
    column: str
    key_type: str


@dataclass(frozen=True, slots=True)
class Progress:
    """done: values of the column that were sealed again in this run, up to now."""

    column: SealedColumn
    done: int


async def sealed_columns(pool: "Pool[Any]") -> list[SealedColumn]:
    return [SealedColumn(**row) for row in await pool.fetch(_COLUMNS)]


async def sealed_by_key(pool: "Pool[Any]", column: SealedColumn) -> dict[str, int]:
    """How many values each key sealed, by the key's id. Reads the whole table."""
    rows = await pool.fetch(
        f"SELECT split_part({column.column}, '.', 1) AS key, count(*) AS values"  # noqa: S608 - names from the catalogue
        f" FROM {column.table} WHERE {column.column} IS NOT NULL GROUP BY 1"
    )
    return {row["key"]: row["values"] for row in rows}


async def reseal(pool: "Pool[Any]", sealer: Sealer) -> AsyncIterator[Progress]:
    """Seals everything anew that an older key sealed, and tells of each step.

    Raises ValueError for what no key of the ring opens.
    """
    for column in await sealed_columns(pool):
        done = 0
        last: object = None
        while (step := await _step(pool, sealer, column, last))[0]:
            done, last = done + step[0], step[1]
            yield Progress(column, done)


async def _step(pool: "Pool[Any]", sealer: Sealer, column: SealedColumn, last: object) -> tuple[int, object]:
    """How many values were sealed again, and the key of the last of them."""
    name, key = column.column, column.key
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"SELECT {key} AS key, {name} AS sealed FROM {column.table}"  # noqa: S608 - names from the catalogue
            f" WHERE {name} IS NOT NULL AND NOT starts_with({name}, $1)"
            f" AND ($2::{column.key_type} IS NULL OR {key} > $2)"
            f" ORDER BY {key} LIMIT {_AT_ONCE} FOR NO KEY UPDATE SKIP LOCKED",
            f"{sealer.key_id}.",
            last,
        )
        if not rows:
            return 0, last
        anew = [sealer.seal(sealer.unseal(row["sealed"])) for row in rows]
        await connection.execute(
            f"UPDATE {column.table} SET {name} = n.sealed"  # noqa: S608 - as above
            f" FROM unnest($1::{column.key_type}[], $2::text[]) AS n (key, sealed) WHERE {key} = n.key",
            [row["key"] for row in rows],
            anew,
        )
    return len(rows), rows[-1]["key"]
