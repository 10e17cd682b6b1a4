"""A queue's events, as they are recorded."""

from typing import Any, cast

from aiohttp import web

from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_shop
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.parsing import asked, path_barber
from barberpro.handlers.rest.queues import shop_of_barber
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.bookings import EventsQuery, QueueEvent
from barberpro.protocol.errors import bad_field, no_longer_kept
from barberpro.protocol.times import rfc3339
from barberpro.storage.bookings import queue_events, trimmed_seq

Json = dict[str, Any]


async def list_events(request: web.Request) -> Page:
    """GET /queue/{barberId}/events: for the shop's staff, by seq. `cursor` is what `after` is.

    Without either, from the first event that is kept. NO_LONGER_KEPT when what follows `after` is not.
    """
    actor, barber_id = identity(request).actor, path_barber(request)
    shop = await shop_of_barber(request, barber_id)
    require(actor, Action.SEE_EVENTS, to_shop(actor, shop), "queue")
    query = asked(EventsQuery, request)
    if query.after is not None and query.cursor is not None:
        raise bad_field("cursor", "is the same as after: give one of them")
    begun = query.after if query.cursor is None else query.cursor
    after, limit = begun or 0, query.limit
    events = await queue_events(request.app[SERVICES].pool, barber_id, after, limit + 1)
    if begun is not None and (not events or events[0]["seq"] > after + 1):
        # Asked behind the events: what is trimmed meanwhile is told, and what comes meanwhile is not taken for a hole.
        trimmed = await trimmed_seq(request.app[SERVICES].pool, barber_id)
        if trimmed > after:
            raise no_longer_kept(firstKept=trimmed + 1)
    shown = events[:limit]
    return Page([_shown(event) for event in shown], str(shown[-1]["seq"]) if len(events) > limit else None)


def _shown(event: Json) -> QueueEvent:
    """The event without the digest, which is the server's own, and without what only the audit log tells."""
    shown = {**event, "at": rfc3339(event["at"])}
    for part, secret in (("command", "digest"), ("via", "ip"), ("via", "agent")):
        if isinstance(shown.get(part), dict):
            shown[part] = {name: value for name, value in shown[part].items() if name != secret}
    return cast("QueueEvent", shown)
