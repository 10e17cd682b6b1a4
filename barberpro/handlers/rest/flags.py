"""Feature flags: what one sees oneself, and for administrators, who sees what."""

import re
from typing import Final

from aiohttp import web

from barberpro.domain import flags
from barberpro.domain.flags import why_on
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.parsing import asked, body, no_fields, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import not_found
from barberpro.protocol.flags import FLAG_PATTERN, ChangeFlag, FlagsOn, FlagsQuery, FlagTold, SeenTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.flags import Flag, all_flags, page_of_flags

_NAME: Final = re.compile(FLAG_PATTERN)


async def own(request: web.Request) -> Answer:
    """GET /flags: those that are on for who asks. Of the others not even the names are told."""
    user_id = identity(request).actor.id
    known = await all_flags(request.app[SERVICES].pool)
    on: FlagsOn = {"on": [name for name in known if flags.is_on(known, name, user_id)]}
    return Answer(on)


async def list_all(request: web.Request) -> Page:
    """GET /admin/flags: by name. userId: tells of each whether that user sees it, and why."""
    query = asked(FlagsQuery, request)
    limit, user_id = query.limit, query.user_id
    found = await page_of_flags(request.app[SERVICES].pool, query.cursor, limit + 1)
    cursor = found[limit - 1].name if len(found) > limit else None
    return Page([_told(flag, user_id) for flag in found[:limit]], cursor)


async def change(request: web.Request) -> Answer:
    """PUT /admin/flags/{flagName}: makes it, or changes it as a whole."""
    name = _name(request)
    wanted = validated(ChangeFlag, await body(request))
    actor, pool = identity(request).actor, request.app[SERVICES].pool
    return Answer(_told(await flags.change(pool, actor, name, wanted, via_of(request)), None))


async def remove(request: web.Request) -> Answer:
    """DELETE /admin/flags/{flagName}: off for everybody."""
    await no_fields(request)
    await flags.remove(request.app[SERVICES].pool, identity(request).actor, _name(request), via_of(request))
    return Answer({})


def _name(request: web.Request) -> str:
    name = request.match_info["flagName"]
    if not _NAME.fullmatch(name):
        raise not_found("flag")
    return name


def _told(flag: Flag, user_id: str | None) -> FlagTold:
    return {
        "name": flag.name,
        "description": flag.description,
        "percentage": flag.percentage,
        "targetUsers": sorted(flag.target_users),
        "changedAt": rfc3339_of(flag.changed_at),
        "changedBy": flag.changed_by,
        "seen": _seen(flag, user_id) if user_id is not None else None,
    }


def _seen(flag: Flag, user_id: str) -> SeenTold:
    why = why_on(flag, user_id)
    return {"userId": user_id, "on": why is not None, "why": why}
