"""Letters on their way, for administrators: what became of each, and nothing of what it says and to whom."""

from datetime import datetime

from aiohttp import web
from asyncpg import Record

from barberpro.handlers.rest.parsing import asked
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.letters import LettersQuery, LetterTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.letters import list_letters


async def list_all(request: web.Request) -> Page:
    """GET /admin/letters: the newest first."""
    query = asked(LettersQuery, request)
    pool, limit = request.app[SERVICES].pool, query.limit
    rows = await list_letters(pool, query.status, query.channel, query.cursor, limit + 1)
    more = rows[limit - 1]["letter_id"] if len(rows) > limit else None
    return Page([_shown(row) for row in rows[:limit]], more)


def _shown(row: Record) -> LetterTold:
    return {
        "letterId": row["letter_id"],
        "channel": row["channel"],
        "template": row["template"],
        "language": row["language"],
        "status": row["status"],
        "attempts": row["attempts"],
        "problem": row["problem"],
        "reference": row["reference"],
        "createdAt": rfc3339_of(row["created_at"]),
        "nextAttemptAt": _time(row["next_at"]),
        "settledAt": _time(row["settled_at"]),
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339_of(moment) if moment is not None else None
