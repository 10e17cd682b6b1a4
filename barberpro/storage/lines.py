"""What a newcomer would wait for at each barber, as rows that a search can sort by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Record

from barberpro.storage.postgres import AnyConnection
from barberpro.storage.snapshot import VISITS_KEPT

KEPT_MINUTES: Final = 10
"""For so long it is known what was true: whoever turns the pages of a search more slowly has to search again."""

# The queues that have changed, each with who is in it, and with the visits that tell how fast the barber is.
_CHANGED: Final = """
    SELECT q.barber_id, q.status, line.*, visits.*
    FROM unnest($1::text[], $2::bigint[]) AS s (shop_id, known)
    JOIN queues q ON q.shop_id = s.shop_id AND q.shop_seq > s.known
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(b.duration_minutes) FILTER (WHERE b.status IN ('next', 'waiting')), '{}') AS ahead,
               max(b.duration_minutes) FILTER (WHERE b.status = 'serving') AS in_chair,
               max(b.started_at) FILTER (WHERE b.status = 'serving') AS seated_at
        FROM bookings b WHERE b.shop_id = q.shop_id AND b.ended_at IS NULL AND b.barber_id = q.barber_id
    ) line
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg((extract(epoch FROM v.ended_at) * 1000)::bigint), '{}') AS ended_ms,
               coalesce(array_agg((extract(epoch FROM v.started_at) * 1000)::bigint), '{}') AS started_ms,
               coalesce(array_agg(v.duration_minutes), '{}') AS minutes
        FROM (
            SELECT b.ended_at, b.started_at, b.duration_minutes FROM bookings b
            WHERE b.barber_id = q.barber_id AND b.ended_at IS NOT NULL AND b.status = 'completed'
              AND b.started_at IS NOT NULL
            ORDER BY b.ended_at DESC, b.started_at DESC, b.duration_minutes DESC LIMIT $3
        ) v
    ) visits
"""
_CLOSE: Final = "UPDATE barber_lines SET until = $2 WHERE barber_id = ANY ($1::text[]) AND until = 'infinity'"
_ADD: Final = """
    INSERT INTO barber_lines (barber_id, since, status, waiting, mean, variance, expected, square, seated_at)
    SELECT n.barber_id, $9, n.status, n.waiting, n.mean, n.variance, n.expected, n.square, n.seated_at
    FROM unnest($1::text[], $2::text[], $3::integer[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
                $8::timestamptz[]) AS n (barber_id, status, waiting, mean, variance, expected, square, seated_at)
"""
_FORGET: Final = """
    DELETE FROM barber_lines WHERE until < 'infinity' AND until < $1::timestamptz - make_interval(mins => $2)
"""


@dataclass(frozen=True, slots=True)
class LineRow:
    """mean to square: as in queue.estimate.Outlook. seated_at: since when somebody sits in the chair."""

    barber_id: str
    status: str
    waiting: int
    mean: float
    variance: float
    expected: float | None
    square: float | None
    seated_at: datetime | None


async def changed_queues(connection: AnyConnection, known: dict[str, int]) -> list[Record]:
    """Of these shops, the queues whose last event is above the shopSeq that is known: barber_id, status, ahead,
    in_chair, seated_at, and of the last visits ended_ms, started_ms, minutes.
    """
    return list(await connection.fetch(_CHANGED, list(known), list(known.values()), VISITS_KEPT))


async def put_lines(connection: AnyConnection, rows: Sequence[LineRow], at: datetime) -> None:
    """These are true from `at` on; what was true before stays known for a while."""
    columns: list[list[Any]] = [[getattr(row, name) for row in rows] for name in LineRow.__slots__]
    await connection.execute(_CLOSE, columns[0], at)
    await connection.execute(_ADD, *columns, at)


async def forget_lines(connection: AnyConnection, at: datetime) -> None:
    await connection.execute(_FORGET, at, KEPT_MINUTES)
