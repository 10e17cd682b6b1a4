"""Barbers, for everybody: searched for, looked at, and what customers say of them."""

from aiohttp import web

from barberpro.domain import ratings
from barberpro.domain.policy import Action, Relation, allowed
from barberpro.handlers.rest.context import actor_if_any
from barberpro.handlers.rest.parsing import asked, path_id
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.find import SearchQuery
from barberpro.protocol.ratings import ReviewsQuery


async def search(request: web.Request) -> Page:
    """GET /barbers/search. `meta.asOf`: everything that happened before is in there; less than five seconds ago."""
    found = await request.app[SERVICES].find.search(asked(SearchQuery, request))
    return Page(list(found.rows), found.next_cursor, {"asOf": found.as_of})


async def show(request: web.Request) -> Answer:
    """GET /barbers/{barberId}."""
    return Answer(await request.app[SERVICES].find.barber(path_id(request, "barberId", "barber")))


async def reviews(request: web.Request) -> Page:
    """GET /barbers/{barberId}/reviews: the newest first; for admins those that are hidden, too."""
    barber_id = path_id(request, "barberId", "barber")
    wanted = asked(ReviewsQuery, request)
    pool = request.app[SERVICES].pool
    admin = allowed(actor_if_any(request), Action.MODERATE_REVIEW, Relation.MEMBER)
    found, cursor = await ratings.reviews_of(pool, barber_id, wanted.cursor, wanted.limit, admin=admin)
    return Page(list(found), cursor)
