"""The lines as searches sort them: worked out anew from what Postgres holds, for the queues that have changed."""

from datetime import datetime

from asyncpg import Record

from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.pace import Record as Visits
from barberpro.storage.lines import LineRow, changed_queues, put_lines
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.snapshot import Visit


async def refresh_lines(connection: AnyConnection, known: dict[str, int], at: datetime) -> None:
    """known: shops, each with the shopSeq up to which its lines are written; those of later events are, from `at` on.

    The states of the rooms are folded from the same events, and tell the same waits.
    """
    rows = [_row(queue) for queue in await changed_queues(connection, known)]
    if rows:
        await put_lines(connection, rows, at)


def _row(queue: Record) -> LineRow:
    visits = Visits(map(Visit, queue["ended_ms"], queue["started_ms"], queue["minutes"]))
    outlook = PaceEstimator.outlook(visits.pace, queue["in_chair"], queue["ahead"], paused=queue["status"] == "paused")
    return LineRow(
        barber_id=queue["barber_id"],
        status=queue["status"],
        waiting=len(queue["ahead"]),
        mean=outlook.mean,
        variance=outlook.variance,
        expected=outlook.expected,
        square=outlook.square,
        seated_at=queue["seated_at"],
    )
