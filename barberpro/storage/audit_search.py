"""Searching the audit log: entries and the queues' events as one list, the newest first (decision 17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from asyncpg import Pool, Record

from barberpro.storage.searching import Conditions, searched

Json = dict[str, Any]

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
    of_entries = Conditions()
    of_events = Conditions(of_entries.values)
    _narrow_entries(of_entries, wanted)
    _narrow_events(of_events, wanted)
    entries, events = _ENTRIES.format(where=of_entries, most=most), _EVENTS.format(where=of_events, most=most)
    query = f"({entries}) UNION ALL ({events}) ORDER BY at DESC, ref DESC LIMIT {most}"
    return [_entry(row) for row in await searched(pool, query, of_entries.values)]


def _narrow_entries(where: Conditions, wanted: Wanted) -> None:
    _narrow(where, wanted, _REF_OF_ENTRY, "action")
    for name in ("object_type", "object_id", "request_id"):
        if (value := getattr(wanted, name)) is not None:
            where.add(f"{name} = {{}}", value)


def _narrow_events(where: Conditions, wanted: Wanted) -> None:
    _narrow(where, wanted, _REF_OF_EVENT, "'queue.' || type")
    if wanted.object_type is not None:
        known = {"queue": "booking_id IS NULL", "booking": "booking_id IS NOT NULL"}
        where.add(known.get(wanted.object_type, "false"))
    if wanted.object_id is not None:
        where.add(f"{'booking_id' if wanted.object_id.startswith('bk_') else 'barber_id'} = {{}}", wanted.object_id)
    if wanted.request_id is not None:
        where.add("data #>> '{{via,requestId}}' = {}", wanted.request_id)


def _narrow(where: Conditions, wanted: Wanted, ref: str, action: str) -> None:
    """ref, action: how the table tells them."""
    where.add("at >= {}", wanted.since)
    where.add("at <= {}", wanted.after[0] if wanted.after else wanted.until)
    if wanted.after is not None:
        where.add(f'(at < {{}} OR ({ref}) COLLATE "C" < {{}}::text)', *wanted.after)
    for name in ("actor_id", "shop_id"):
        if (value := getattr(wanted, name)) is not None:
            where.add(f"{name} = {{}}", value)
    if wanted.action is not None and wanted.action.endswith("."):
        where.add(f"starts_with({action}, {{}})", wanted.action)
    elif wanted.action is not None:
        where.add(f"{action} = {{}}", wanted.action)


def _entry(row: Record) -> Entry:
    before, after = (None if row[name] is None else orjson.loads(row[name]) for name in ("before", "after"))
    return Entry(**{**row, "before": before, "after": after})
