"""Trimming in Postgres: what is old enough to go, and the checkpoints that stand for the events that went."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

Json = dict[str, Any]

# Any number will do, as long as every node takes the same.
_TURNS: Final = "SELECT pg_advisory_xact_lock(195563542)"
# A business day ends twelve hours late by UTC, at most: so this one has been over for that many days, wherever it was.
_GOES_BEFORE: Final = "SELECT (now() AT TIME ZONE 'UTC')::date - $1::integer - 1"
_FIRST_KEPT: Final = """
    FROM watermarks w LEFT JOIN checkpoints c USING (shop_id) CROSS JOIN LATERAL (
        SELECT e.business_date FROM queue_events e
        WHERE e.shop_id = w.shop_id AND e.shop_seq = coalesce(c.shop_seq, 0) + 1 LIMIT 1
    ) first
"""
_DUE: Final = f"SELECT w.shop_id {_FIRST_KEPT} WHERE first.business_date < $1 ORDER BY w.shop_id"
_OLDEST: Final = f"SELECT (now() AT TIME ZONE 'UTC')::date - min(first.business_date) {_FIRST_KEPT}"
# Of each shop up to its first event that stays.
_WOULD_GO: Final = """
    SELECT count(*) AS events, count(DISTINCT e.business_date) AS days FROM queue_events e
    WHERE e.shop_id = $1 AND e.shop_seq < coalesce(
        (SELECT min(k.shop_seq) FROM queue_events k WHERE k.shop_id = $1 AND k.business_date >= $2),
        (SELECT w.shop_seq + 1 FROM watermarks w WHERE w.shop_id = $1)
    )
"""
_CHECKPOINT: Final = "SELECT shop_seq, epoch, link, state FROM checkpoints WHERE shop_id = $1"
_TRIM_AUDIT: Final = """
    WITH old AS (
        SELECT f.audit_id FROM (SELECT audit_id, at FROM audit_entries ORDER BY audit_id LIMIT $2) f
        WHERE f.at < now() - make_interval(days => $1)
    ), gone AS (
        DELETE FROM audit_entries a USING old WHERE a.audit_id = old.audit_id RETURNING a.audit_id
    ), noted AS (
        INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id, detail)
        SELECT 'system', 'system', 'audit.trimmed', 'audit', max(g.audit_id)::text,
               jsonb_build_object('entries', count(*))
        FROM gone g HAVING count(*) > 0
    )
    SELECT count(*) FROM gone
"""
_AUDIT_WOULD_GO: Final = "SELECT count(*) FROM audit_entries WHERE at < now() - make_interval(days => $1)"
_AUDIT_AT_ONCE: Final = 5000
_COUNT_SECONDS: Final = 600.0
"""To count what would go is to read all that is there, years perhaps. Somebody waits for it, and may stop it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A shop's state after its event shop_seq, the last that is no longer kept. 0: all are kept.

    state: as barberpro/queue/history.py folds it.
    """

    shop_seq: int = 0
    epoch: int = 0
    link: str = ""
    state: Json = field(default_factory=dict)


async def load_checkpoint(connection: "PoolConnectionProxy[Any]", shop_id: str) -> Checkpoint:
    row = await connection.fetchrow(_CHECKPOINT, shop_id)
    if row is None:
        return Checkpoint()
    return Checkpoint(row["shop_seq"], row["epoch"], row["link"], orjson.loads(row["state"]))


async def take_turn(connection: "PoolConnectionProxy[Any]") -> None:
    """Waits until nobody else trims, and keeps others from it until the transaction ends, however it ends."""
    await connection.execute(_TURNS)


async def goes_before(pool: "Pool[Any]", days: int) -> date:
    """The first business day that stays when events are kept for so many days."""
    first: date = await pool.fetchval(_GOES_BEFORE, days)
    return first


async def due_shops(pool: "Pool[Any]", before: date) -> list[str]:
    """The shops with events of days before that one."""
    return [row["shop_id"] for row in await pool.fetch(_DUE, before)]


async def oldest_days(pool: "Pool[Any]") -> int:
    """How many days old the oldest event is that is kept; 0 when there is none."""
    return int(await pool.fetchval(_OLDEST) or 0)


async def would_go(pool: "Pool[Any]", shop_id: str, before: date) -> tuple[int, int]:
    """Events of the shop that are of days before that one, and of how many days. Reads all of the shop's events."""
    [row] = await pool.fetch(_WOULD_GO, shop_id, before, timeout=_COUNT_SECONDS)
    return row["events"], row["days"]


async def trim_events(
    connection: "PoolConnectionProxy[Any]", shop_id: str, upon: int, shop_seq: int, state: Json
) -> int:
    """Moves the shop's checkpoint from `upon` to shop_seq; the number of events that went with it."""
    text = orjson.dumps(state).decode()
    gone: int = await connection.fetchval("SELECT trim_events($1, $2, $3, $4)", shop_id, upon, shop_seq, text)
    return gone


async def trim_audit(pool: "Pool[Any]", days: int) -> int:
    """Deletes the oldest audit entries, those that are older than that, and notes it; a part of them at a time.

    Returns how many went; 0 when none are left to go.
    """
    gone: int = await pool.fetchval(_TRIM_AUDIT, days, _AUDIT_AT_ONCE)
    return gone


async def audit_would_go(pool: "Pool[Any]", days: int) -> int:
    count: int = await pool.fetchval(_AUDIT_WOULD_GO, days, timeout=_COUNT_SECONDS)
    return count
