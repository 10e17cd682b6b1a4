"""A queue's events, as they are recorded."""

from typing import Any, Final

from aiohttp import web

from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_shop
from barberpro.handlers.rest.context import identity
from barberpro.handlers.rest.parsing import path_barber, query_count
from barberpro.handlers.rest.queues import shop_of_barber
from barberpro.handlers.rest.replies import Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import bad_field, no_longer_kept
from barberpro.protocol.times import rfc3339
from barberpro.storage.bookings import queue_events, trimmed_seq

Json = dict[str, Any]

QUERY: Final = ("after", "cursor", "limit")
_LIMIT: Final = 100
_MOST: Final = 500


async def list_events(request: web.Request) -> Page:
    """GET /queue/{barberId}/events: for the shop's staff, by seq. `cursor` is what `after` is.

    Without either, from the first event that is kept. NO_LONGER_KEPT when what follows `after` is not.
    """
    actor, barber_id = identity(request).actor, path_barber(request)
    shop = await shop_of_barber(request, barber_id)
    require(actor, Action.SEE_EVENTS, to_shop(actor, shop), "queue")
    if "after" in request.query and "cursor" in request.query:
        raise bad_field("cursor", "is the same as after: give one of them")
    after = query_count(request, "cursor", query_count(request, "after", 0))
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    events = await queue_events(request.app[SERVICES].pool, barber_id, after, limit + 1)
    if request.query.keys() & {"after", "cursor"} and (not events or events[0]["seq"] > after + 1):
        # Asked behind the events: what is trimmed meanwhile is told, and what comes meanwhile is not taken for a hole.
        trimmed = await trimmed_seq(request.app[SERVICES].pool, barber_id)
        if trimmed > after:
            raise no_longer_kept(firstKept=trimmed + 1)
    shown = events[:limit]
    return Page([_shown(event) for event in shown], str(shown[-1]["seq"]) if len(events) > limit else None)


def _shown(event: Json) -> Json:
    """The event without the digest, which is the server's own, and without what only the audit log tells."""
    shown = {**event, "at": rfc3339(event["at"])}
    for part, secret in (("command", "digest"), ("via", "ip"), ("via", "agent")):
        if isinstance(shown.get(part), dict):
            shown[part] = {name: value for name, value in shown[part].items() if name != secret}
    return shown
