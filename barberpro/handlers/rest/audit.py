"""The audit log, for administrators."""

from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from barberpro.handlers.rest.paging import cursor_after, cursor_of
from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.audit import AuditEntry, AuditQuery, TimesTold
from barberpro.protocol.errors import bad_field
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.audit_search import Entry, Wanted, search

_WINDOW: Final = timedelta(days=30)


async def list_audit(request: web.Request) -> Page:
    """GET /admin/audit: what was done, the newest first. Without `from`, of the 30 days before `to` (or now)."""
    query = asked(AuditQuery, request)
    until = query.to or datetime.now(UTC)
    try:
        since = query.from_ or until - _WINDOW
    except OverflowError:
        raise bad_field("to", "is out of range") from None
    wanted = Wanted(
        since=since,
        until=until,
        actor_id=query.actor_id,
        action=query.action,
        shop_id=query.shop_id,
        object_type=query.object_type,
        object_id=query.object_id,
        request_id=query.request_id,
        after=cursor_of(query.cursor),
    )
    limit = query.limit
    found = await search(request.app[SERVICES].pool, wanted, limit + 1)
    cursor = cursor_after(found[limit - 1].at, found[limit - 1].ref) if len(found) > limit else None
    meta: TimesTold = {"from": rfc3339_of(since), "to": rfc3339_of(until)}
    return Page([_shown(entry) for entry in found[:limit]], cursor, meta)


def _shown(entry: Entry) -> AuditEntry:
    return {
        "at": rfc3339_of(entry.at),
        "actorId": entry.actor_id,
        "actorRole": entry.actor_role,
        "action": entry.action,
        "shopId": entry.shop_id,
        "objectType": entry.object_type,
        "objectId": entry.object_id,
        "requestId": entry.request_id,
        "ip": entry.ip,
        "agent": entry.agent,
        "before": entry.before,
        "after": entry.after,
    }
