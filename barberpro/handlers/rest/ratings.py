"""Ratings: given, answered, and hidden."""

from aiohttp import web

from barberpro.domain import ratings
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_running
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.parsing import body, command_id_or_new, path_booking, path_id, validated
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import not_found
from barberpro.protocol.ratings import AnswerReview, ModerateReview, Rate


async def rate(request: web.Request) -> Answer:
    """POST /bookings/{bookingId}/rate: once, when it is completed. 200 for the same request again."""
    booking_id, _ = path_booking(request)
    wanted = validated(Rate, await body(request))
    pool, actor = request.app[SERVICES].pool, identity(request).actor
    rated, again = await ratings.rate(pool, actor, booking_id, wanted, command_id_or_new(request), via_of(request))
    return Answer(rated, 200 if again else 201)


async def answer(request: web.Request) -> Answer:
    """PUT /reviews/{reviewId}/answer: the shop's, in place of the one before; without a text, none."""
    services, actor, review_id = request.app[SERVICES], identity(request).actor, path_id(request, "reviewId", "review")
    shop = await services.catalogue.shop(await ratings.shop_of_review(services.pool, review_id))
    if shop is None:
        raise not_found("review")
    require(actor, Action.ANSWER_REVIEW, to_running(actor, shop), "review")
    wanted = validated(AnswerReview, await body(request))
    return Answer(await ratings.answer(services.pool, actor, review_id, wanted, via_of(request)))


async def moderate(request: web.Request) -> Answer:
    """PATCH /admin/reviews/{reviewId}: hides it with a reason, or shows it again."""
    review_id, actor = path_id(request, "reviewId", "review"), identity(request).actor
    wanted = validated(ModerateReview, await body(request))
    return Answer(await ratings.moderate(request.app[SERVICES].pool, actor, review_id, wanted, via_of(request)))
