"""Searching the audit log: entries and the queues' events as one list, the newest first (decision 17)."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from asyncpg import Pool, Record

Json = dict[str, Any]

_PATIENCE_SECONDS: Final = 5.0
_ENTRIES: Final = """
    SELECT at, ('a' || lpad(audit_id::text, 19, '0')) COLLATE "C" AS ref, actor_id, actor_role, action, shop_id,
           object_type, object_id, request_id, ip, agent, before, coalesce(after, detail) AS after
    FROM audit_entries WHERE {where} ORDER BY at DESC, ref DESC LIMIT {most}
"""
# The queue as it was is told by the event before; what became of it, and of its bookings, by the event itself.
_EVENTS: Final = """
    SELECT e.at, e.ref, e.actor_id, e.actor_role, 'queue.' || e.type, e.shop_id,
           CASE WHEN e.booking_id IS NULL THEN 'queue' ELSE 'booking' END, coalesce(e.booking_id, e.barber_id),
           e.data #>> '{{via,requestId}}', e.data #>> '{{via,ip}}', e.data #>> '{{via,agent}}',
           (SELECT jsonb_build_object('queue', p.data -> 'queue') FROM queue_events p
            WHERE p.barber_id = e.barber_id AND p.seq = e.seq - 1),
           jsonb_strip_nulls(jsonb_build_object(
               'queue', e.data -> 'queue', 'changes', e.data -> 'changes', 'reason', e.data -> 'reason'))
    FROM (SELECT *, ('e' || shop_id || '/' || lpad(shop_seq::text, 19, '0')) COLLATE "C" AS ref
          FROM queue_events WHERE {where} ORDER BY at DESC, ref DESC LIMIT {most}) e
"""
_REF_OF_ENTRY: Final = "'a' || lpad(audit_id::text, 19, '0')"
_REF_OF_EVENT: Final = "'e' || shop_id || '/' || lpad(shop_seq::text, 19, '0')"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for, all of it at once.

    since, until: the window of time. action: `staff.added`, or all that begin with `staff.`. after: where the page
    before ended (at, ref).
    """

    since: datetime
    until: datetime
    actor_id: str | None = None
    action: str | None = None
    shop_id: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    request_id: str | None = None
    after: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """ref: tells it apart from others of the same moment. before, after: JSON, or None."""

    at: datetime
    ref: str
    actor_id: str
    actor_role: str
    action: str
    shop_id: str | None
    object_type: str
    object_id: str
    request_id: str | None
    ip: str | None
    agent: str | None
    before: Json | None
    after: Json | None


async def search(pool: "Pool[Any]", wanted: Wanted, most: int) -> list[Entry]:
    """The newest that fit, at most so many. Raises what storage.postgres.Away lists."""
    given: list[object] = []
    entries = _ENTRIES.format(where=" AND ".join(_of_entries(wanted, given)), most=most)
    events = _EVENTS.format(where=" AND ".join(_of_events(wanted, given)), most=most)
    query = f"({entries}) UNION ALL ({events}) ORDER BY at DESC, ref DESC LIMIT {most}"
    async with asyncio.timeout(_PATIENCE_SECONDS):
        rows: list[Record] = await pool.fetch(query, *given)
    return [_entry(row) for row in rows]


def _of_entries(wanted: Wanted, given: list[object]) -> Iterator[str]:
    """Conditions; what they compare with is added to `given`."""
    yield from _of_both(wanted, given, _REF_OF_ENTRY)
    if wanted.action is not None:
        yield _action("action", wanted.action, given)
    if wanted.object_type is not None:
        yield f"object_type = {_argument(wanted.object_type, given)}"
    if wanted.object_id is not None:
        yield f"object_id = {_argument(wanted.object_id, given)}"
    if wanted.request_id is not None:
        yield f"request_id = {_argument(wanted.request_id, given)}"


def _of_events(wanted: Wanted, given: list[object]) -> Iterator[str]:
    yield from _of_both(wanted, given, _REF_OF_EVENT)
    if wanted.action is not None:
        yield _action("'queue.' || type", wanted.action, given)
    if wanted.object_type is not None:
        known = {"queue": "booking_id IS NULL", "booking": "booking_id IS NOT NULL"}
        yield known.get(wanted.object_type, "false")
    if wanted.object_id is not None:
        about = _argument(wanted.object_id, given)
        yield f"booking_id = {about}" if wanted.object_id.startswith("bk_") else f"barber_id = {about}"
    if wanted.request_id is not None:
        yield f"data #>> '{{via,requestId}}' = {_argument(wanted.request_id, given)}"


def _of_both(wanted: Wanted, given: list[object], ref: str) -> Iterator[str]:
    yield f"at >= {_argument(wanted.since, given)}"
    yield f"at <= {_argument(wanted.after[0] if wanted.after else wanted.until, given)}"
    if wanted.after is not None:
        at, last = (_argument(value, given) for value in wanted.after)
        yield f'(at < {at} OR ({ref}) COLLATE "C" < {last}::text)'
    if wanted.actor_id is not None:
        yield f"actor_id = {_argument(wanted.actor_id, given)}"
    if wanted.shop_id is not None:
        yield f"shop_id = {_argument(wanted.shop_id, given)}"


def _action(column: str, action: str, given: list[object]) -> str:
    if action.endswith("."):
        return f"starts_with({column}, {_argument(action, given)})"
    return f"{column} = {_argument(action, given)}"


def _argument(value: object, given: list[object]) -> str:
    given.append(value)
    return f"${len(given)}"


def _entry(row: Record) -> Entry:
    before, after = (None if row[name] is None else orjson.loads(row[name]) for name in ("before", "after"))
    return Entry(**{**row, "before": before, "after": after})
