"""Ratings: given once for each completed booking, answered by the shop, and hidden by admins."""

from typing import Any

from asyncpg import Pool, Record

from barberpro.domain.find import summary
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_visit
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_rating_id
from barberpro.protocol.ratings import AnswerReview, Hidden, ModerateReview, Rate, Rated, Review, ReviewAnswer
from barberpro.protocol.times import rfc3339_of
from barberpro.storage import ratings
from barberpro.storage.audit import note
from barberpro.storage.postgres import AnyConnection


async def rate(
    pool: "Pool[Any]", actor: Actor, booking_id: str, wanted: Rate, key: str, via: Via
) -> tuple[Rated, bool]:
    """The rating, and whether it was there already: made by the request with the same key and the same content.

    Raises NOT_FOUND, INVALID_TRANSITION (not completed, or rated already), IDEMPOTENCY_MISMATCH.
    """
    async with pool.acquire() as connection, connection.transaction():
        visit = await ratings.visit_of(connection, booking_id)
        if visit is None:
            raise not_found("booking")
        require(actor, Action.RATE, to_visit(actor, visit["customer_id"]), "booking")
        if visit["status"] != "completed":
            raise BarberProError(
                ErrorCode.INVALID_TRANSITION, "Only a completed booking is rated.", {"status": visit["status"]}
            )
        made = await ratings.add_rating(
            connection, new_rating_id(), booking_id, visit, wanted.rating, wanted.review, key
        )
        row = made or await _given_before(connection, booking_id, wanted, key)
        if made is not None:
            after = {"rating": wanted.rating, "reviewed": wanted.review is not None}
            await note(
                connection,
                actor,
                "booking.rated",
                "booking",
                booking_id,
                after=after,
                via=via,
                shop_id=visit["shop_id"],
            )
        return _rated(row, await ratings.summary_of(connection, visit["barber_id"])), made is None


async def _given_before(connection: AnyConnection, booking_id: str, wanted: Rate, key: str) -> Record:
    row = await ratings.rating_of_booking(connection, booking_id)
    assert row is not None  # noqa: S101 - it stood in the way a moment ago, and none is ever deleted
    if row["made_with"] != key:
        details = {"reviewId": row["rating_id"], "ratedAt": rfc3339_of(row["at"])}
        raise BarberProError(ErrorCode.INVALID_TRANSITION, "This booking has been rated.", details)
    if (row["stars"], row["review"]) != (wanted.rating, wanted.review):
        raise BarberProError(ErrorCode.IDEMPOTENCY_MISMATCH)
    return row


async def shop_of_review(pool: "Pool[Any]", review_id: str) -> str:
    """Raises NOT_FOUND."""
    shop_id: str | None = await pool.fetchval("SELECT shop_id FROM ratings WHERE rating_id = $1", review_id)
    if shop_id is None:
        raise not_found("review")
    return shop_id


async def answer(pool: "Pool[Any]", actor: Actor, review_id: str, wanted: AnswerReview, via: Via) -> Review:
    """The shop's answer, in place of the one before. Raises NOT_FOUND; for a review that is hidden, too."""
    async with pool.acquire() as connection, connection.transaction():
        before = await ratings.locked_rating(connection, review_id)
        if before is None or before["hidden_at"] is not None:
            raise not_found("review")
        row = await ratings.put_answer(connection, review_id, wanted.text, actor.id)
        was, now = ({"answered": each["answer"] is not None} for each in (before, row))
        await note(
            connection, actor, "review.answered", "review", review_id, before=was, after=now, via=via,
            shop_id=row["shop_id"],
        )  # fmt: skip
        return review(row, admin=False)


async def moderate(pool: "Pool[Any]", actor: Actor, review_id: str, wanted: ModerateReview, via: Via) -> Review:
    """Hides the review, or shows it again; the barber's average is without those that are hidden. Raises NOT_FOUND."""
    async with pool.acquire() as connection, connection.transaction():
        before = await ratings.locked_rating(connection, review_id)
        if before is None:
            raise not_found("review")
        row = await ratings.put_hidden(connection, review_id, wanted.reason, actor.id)
        was, now = ({"hidden": each["hidden_reason"]} for each in (before, row))
        await note(
            connection, actor, "review.moderated", "review", review_id, before=was, after=now, via=via,
            shop_id=row["shop_id"],
        )  # fmt: skip
        return review(row, admin=True)


async def reviews_of(
    pool: "Pool[Any]", barber_id: str, before: str | None, limit: int, *, admin: bool
) -> tuple[list[Review], str | None]:
    """The newest first, and the cursor of those after them. before: the cursor of the page before; for admins, hidden
    ones are among them.
    """
    rows = await ratings.ratings_of_barber(pool, barber_id, before, limit + 1, hidden=admin)
    cursor = rows[limit - 1]["rating_id"] if len(rows) > limit else None
    return [review(row, admin=admin) for row in rows[:limit]], cursor


def review(row: Record, *, admin: bool) -> Review:
    shown: Review = {
        "reviewId": row["rating_id"],
        "rating": row["stars"],
        "text": row["review"],
        "at": rfc3339_of(row["at"]),
        "answer": _answer(row),
    }
    if admin:
        shown["hidden"] = _hidden(row)
    return shown


def _answer(row: Record) -> ReviewAnswer | None:
    return {"text": row["answer"], "at": rfc3339_of(row["answered_at"])} if row["answer"] is not None else None


def _hidden(row: Record) -> Hidden | None:
    if row["hidden_at"] is None:
        return None
    return {"reason": row["hidden_reason"], "at": rfc3339_of(row["hidden_at"]), "by": row["hidden_by"]}


def _rated(row: Record, of_barber: tuple[int, int]) -> Rated:
    return {
        "reviewId": row["rating_id"],
        "bookingId": row["booking_id"],
        "barberId": row["barber_id"],
        "rating": row["stars"],
        "text": row["review"],
        "at": rfc3339_of(row["at"]),
        "barberRating": summary(*of_barber),
    }
