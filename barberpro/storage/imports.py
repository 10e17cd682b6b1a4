"""Runs of an import, as Postgres holds them: how far each is, what it did not take, and its dress rehearsal."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from barberpro.storage.postgres import AnyConnection

Json = dict[str, Any]

_TURN: Final = "SELECT pg_advisory_lock(hashtextextended('import', 0))"
_GO_ON: Final = """
    SELECT import_id, progress FROM imports
    WHERE source = $1 AND options = $2::text::jsonb AND ended_at IS NULL ORDER BY import_id DESC LIMIT 1
"""
_BEGIN: Final = "INSERT INTO imports (source, options) VALUES ($1, $2::text::jsonb) RETURNING import_id"
_ADD_PROBLEMS: Final = """
    INSERT INTO import_problems (import_id, file, line, source_id, field, reason, taken)
    SELECT $1, $2, n.* FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[], $7::boolean[])
                            AS n (line, source_id, field, reason, taken)
"""
_PROBLEMS: Final = """
    SELECT file, line, source_id AS id, field, reason, taken FROM import_problems WHERE import_id = $1 ORDER BY number
"""
# Numbers in a reason are of one row; what is told together is told without them.
_GROUPS: Final = """
    SELECT file, regexp_replace(field, '[0-9]+', '', 'g') AS field,
           regexp_replace(reason, '[0-9]+([.][0-9]+)?', '#', 'g') AS reason, taken, count(*) AS rows, min(line) AS first
    FROM import_problems WHERE import_id = $1
    GROUP BY 1, 2, 3, 4 ORDER BY taken, count(*) DESC, 1, 2, 3 LIMIT 100
"""
_TOTALS: Final = """
    SELECT r.line, r.source_id, r.said, count(*) FILTER (WHERE b.status = 'completed') AS completed,
           count(t.stars) AS ratings, sum(t.stars) AS stars
    FROM imported_rows r LEFT JOIN bookings b ON b.barber_id = r.target_id AND b.ended_at IS NOT NULL AND b.shop_seq = 0
    LEFT JOIN ratings t ON t.booking_id = b.booking_id
    WHERE r.collection = 'barbers' AND r.import_id = $1 AND r.said IS NOT NULL
    GROUP BY r.collection, r.source_id ORDER BY r.line
"""
_FLAG: Final = """
    INSERT INTO feature_flags (name, description, percentage, changed_by) VALUES ($1, $2, 0, 'import')
    ON CONFLICT (name) DO NOTHING
"""
_LONG_SECONDS: Final = 900.0
"""For what reads or copies all that was ever imported."""
_SHADOWS: Final[dict[str, str | None]] = {
    "imports": None, "import_problems": None, "audit_entries": None, "payment_ledger": None,
    "imported_rows": "true", "import_marks": "true", "users": "true", "shops": "true", "barbers": "true",
    "services": "true", "barber_services": "true", "shop_owners": "true", "watermarks": "true",
    "feature_flags": "true", "bookings": "shop_seq = 0",
    "ratings": "booking_id IN (SELECT booking_id FROM bookings WHERE shop_seq = 0)",
}  # fmt: skip
"""Every table that an import writes, and which of its rows it looks at."""


@dataclass(frozen=True, slots=True)
class Problem:
    """source_id: of the document, where it could be read; it says nothing about a person by itself."""

    line: int
    source_id: str | None
    field: str | None
    reason: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Group:
    """So many problems of one kind, and the first line that has it."""

    file: str
    field: str | None
    reason: str
    taken: bool
    rows: int
    first: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a barber's document says, and what its bookings came to. stars: the sum of `ratings` of them."""

    line: int
    source_id: str
    said: Json
    completed: int
    ratings: int
    stars: int | None


async def take_turn(connection: AnyConnection, seconds: float) -> None:
    """One import at a time, for as long as the connection lives. Raises TimeoutError while another one works."""
    await connection.execute(_TURN, timeout=seconds)


async def rehearse(connection: AnyConnection) -> None:
    """From here on, what this connection writes of an import goes into tables of its own, and is gone at its end."""
    for table, rows in _SHADOWS.items():
        await connection.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL)")
        if rows is not None:
            copied = f"INSERT INTO pg_temp.{table} SELECT * FROM public.{table} WHERE {rows}"  # noqa: S608 - our own words
            await connection.execute(copied, timeout=_LONG_SECONDS)


async def begin(connection: AnyConnection, source: str, options: Json) -> tuple[int, Json, bool]:
    """The run that goes on, with how far it is; or a new one, which forgets what the others told. True: it goes on.

    One that was cut off and whose report is forgotten cannot go on: it would tell of its end alone.
    """
    text = orjson.dumps(options).decode()
    row = await connection.fetchrow(_GO_ON, source, text)
    if row is not None:
        return row["import_id"], orjson.loads(row["progress"]), True
    await connection.execute("DELETE FROM import_problems", timeout=_LONG_SECONDS)
    await connection.execute("DELETE FROM imports WHERE ended_at IS NULL")
    return await connection.fetchval(_BEGIN, source, text), {}, False


async def save(connection: AnyConnection, import_id: int, progress: Json) -> None:
    """In the transaction of the rows that it tells of."""
    text = orjson.dumps(progress).decode()
    await connection.execute("UPDATE imports SET progress = $2::text::jsonb WHERE import_id = $1", import_id, text)


async def finish(connection: AnyConnection, import_id: int) -> None:
    await connection.execute("UPDATE imports SET ended_at = now() WHERE import_id = $1", import_id)


async def add_problems(connection: AnyConnection, import_id: int, file: str, problems: Sequence[Problem]) -> None:
    names = ("line", "source_id", "field", "reason", "taken")
    columns = ([getattr(each, name) for each in problems] for name in names)
    await connection.execute(_ADD_PROBLEMS, import_id, file, *columns)


async def problems_of(connection: AnyConnection, import_id: int, at_once: int) -> AsyncIterator[list[bytes]]:
    """The report, as lines of JSON, so many at once. In a transaction."""
    cursor = await connection.cursor(_PROBLEMS, import_id)
    while rows := await cursor.fetch(at_once):
        yield [orjson.dumps(dict(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows]


async def groups_of(connection: AnyConnection, import_id: int) -> list[Group]:
    """What was not taken first, the most frequent first; a hundred kinds at most."""
    return [Group(**row) for row in await connection.fetch(_GROUPS, import_id, timeout=_LONG_SECONDS)]


async def totals_of(connection: AnyConnection, import_id: int) -> list[Totals]:
    rows = await connection.fetch(_TOTALS, import_id, timeout=_LONG_SECONDS)
    return [Totals(**{**row, "said": orjson.loads(row["said"])}) for row in rows]


async def offer_flag(connection: AnyConnection, name: str, description: str) -> None:
    """The flag is there afterwards: for nobody, unless it is there already."""
    await connection.execute(_FLAG, name, description)


async def last_source(connection: AnyConnection) -> str | None:
    """Of which export the last run was that came to its end."""
    source: str | None = await connection.fetchval(
        "SELECT source FROM imports WHERE ended_at IS NOT NULL ORDER BY import_id DESC LIMIT 1"
    )
    return source
