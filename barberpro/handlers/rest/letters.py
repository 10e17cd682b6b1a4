"""Letters on their way, for administrators: what became of each, and nothing of what it says and to whom."""

from typing import Any, Final

from aiohttp import web
from asyncpg import Record

from barberpro.handlers.rest.context import is_id
from barberpro.handlers.rest.parsing import query_count
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import bad_field
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.letters import list_letters

QUERY: Final = ("status", "channel", "cursor", "limit")
_KNOWN: Final = {"status": ("waiting", "sent", "failed"), "channel": ("email", "sms")}
_LIMIT: Final = 50
_MOST: Final = 200


async def list_all(request: web.Request) -> Page:
    """GET /admin/letters: the newest first."""
    status, channel = _one_of(request, "status"), _one_of(request, "channel")
    cursor = request.query.get("cursor")
    if cursor is not None and not is_id(cursor):
        raise bad_field("cursor", "is no cursor of this list")
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    rows = await list_letters(request.app[SERVICES].pool, status, channel, cursor, limit + 1)
    more = rows[limit - 1]["letter_id"] if len(rows) > limit else None
    return Page([_shown(row) for row in rows[:limit]], more)


def _one_of(request: web.Request, name: str) -> str | None:
    value = request.query.get(name)
    if value is not None and value not in _KNOWN[name]:
        raise bad_field(name, f"is none of {', '.join(_KNOWN[name])}")
    return value


def _shown(row: Record) -> dict[str, Any]:
    times = {
        name: None if row[column] is None else rfc3339_of(row[column])
        for name, column in (("createdAt", "created_at"), ("nextAttemptAt", "next_at"), ("settledAt", "settled_at"))
    }
    plain = ("channel", "template", "language", "status", "attempts", "problem", "reference")
    return {"letterId": row["letter_id"], **{name: row[name] for name in plain}, **times}
