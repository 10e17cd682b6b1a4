"""The audit log, for administrators."""

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from barberpro.handlers.rest.context import is_id
from barberpro.handlers.rest.paging import cursor_after, query_cursor, query_moment
from barberpro.handlers.rest.parsing import query_count
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import bad_field
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.audit_search import Entry, Wanted, search

_IDS: Final = {"actorId": "actor_id", "shopId": "shop_id"}
_WORDS: Final = {
    "action": "action",
    "objectType": "object_type",
    "objectId": "object_id",  # a flag's is its name
    "requestId": "request_id",
}
QUERY: Final = (*_IDS, *_WORDS, "from", "to", "cursor", "limit")
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_WINDOW: Final = timedelta(days=30)
_LIMIT: Final = 50
_MOST: Final = 200


async def list_audit(request: web.Request) -> Page:
    """GET /admin/audit: what was done, the newest first. Without `from`, of the 30 days before `to` (or now)."""
    until = query_moment(request, "to") or datetime.now(UTC)
    since = query_moment(request, "from") or until - _WINDOW
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    wanted = Wanted(since, until, **_filters(request), after=query_cursor(request))
    found = await search(request.app[SERVICES].pool, wanted, limit + 1)
    cursor = cursor_after(found[limit - 1].at, found[limit - 1].ref) if len(found) > limit else None
    meta = {"from": rfc3339_of(since), "to": rfc3339_of(until)}
    return Page([_shown(entry) for entry in found[:limit]], cursor, meta)


def _filters(request: web.Request) -> dict[str, str]:
    """Raises BAD_REQUEST for what cannot be in the log."""
    filters = {}
    for name, field in (_IDS | _WORDS).items():
        text = request.query.get(name)
        if text is None:
            continue
        if not (is_id(text) if name in _IDS else _WORD.fullmatch(text)):
            raise bad_field(name, "is not in a form that the log has")
        filters[field] = text
    return filters


def _shown(entry: Entry) -> dict[str, Any]:
    shown = {_camel(name): value for name, value in asdict(entry).items() if name not in {"ref", "at"}}
    return {"at": rfc3339_of(entry.at), **shown}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
