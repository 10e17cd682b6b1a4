"""Ratings: once for a completed booking, by its customer; averages that are exact; answers; moderation."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from barberpro.protocol.actors import Actor
from barberpro.server.node import NodeOptions
from barberpro.server.search_index import SearchIndex
from barberpro.storage.users import add_user, forget_user
from tests.support.rest import Answer, Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, new_id, send


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def visited(door: Door, number: int = 0, barber: int = 0) -> str:
    """A visit of the customer's that is over."""
    [booking] = await door.shop.fill(door.node, 1, barber, first=number)
    staff = door.shop.staff[barber]
    await send(door.node, staff, type="start", bookingId=booking)
    await send(door.node, staff, type="complete", bookingId=booking)
    return booking


async def rate(door: Door, booking: str, stars: int, number: int = 0, **more: str) -> Answer:
    return await door.post(f"/bookings/{booking}/rate", customer(number), {"rating": stars, **more})


async def summary(door: Door, barber: int = 0) -> Json:
    rating: Json = (await door.get(f"/barbers/{door.shop.barbers[barber]}")).data["rating"]
    return rating


async def reviews(door: Door, who: Actor | None = None, query: str = "") -> list[Json]:
    rows: list[Json] = (await door.get(f"/barbers/{door.shop.barbers[0]}/reviews{query}", who)).data
    return rows


async def test_a_visit_is_rated_and_the_review_is_there_for_everybody(door: Door) -> None:
    booking = await visited(door)
    answer = await rate(door, booking, 4, review="A fine fade.")
    assert answer.status == 201
    assert answer.data["barberRating"] == {"average": "4.00", "count": 1}
    [review] = await reviews(door)
    assert review == {
        "reviewId": answer.data["reviewId"],
        "rating": 4,
        "text": "A fine fade.",
        "at": answer.data["at"],
        "answer": None,
    }
    [listed] = (await door.get("/bookings", customer(0))).data
    assert listed["rating"] == 4


async def test_a_booking_is_rated_once_and_the_same_request_again_is_told_the_same(door: Door) -> None:
    booking, key = await visited(door), new_id()
    path, body = f"/bookings/{booking}/rate", {"rating": 5, "review": "Good."}
    first = await door.post(path, customer(0), body, Idempotency_Key=key)
    again = await door.post(path, customer(0), body, Idempotency_Key=key)
    assert (first.status, again.status, again.data) == (201, 200, first.data)
    other = await door.post(path, customer(0), {"rating": 1}, Idempotency_Key=key)
    assert other.code == "IDEMPOTENCY_MISMATCH"
    refused = await rate(door, booking, 1)
    assert refused.code == "INVALID_TRANSITION"
    assert refused.body["error"]["details"]["reviewId"] == first.data["reviewId"]
    assert await summary(door) == {"average": "5.00", "count": 1}


async def test_of_many_who_rate_one_booking_at_once_one_does(door: Door) -> None:
    booking = await visited(door)
    answers = await asyncio.gather(*(rate(door, booking, stars) for stars in (1, 2, 3, 4, 5)))
    [made] = [answer for answer in answers if answer.status == 201]
    assert {answer.code for answer in answers if answer is not made} == {"INVALID_TRANSITION"}
    assert await summary(door) == {"average": f"{made.data['rating']}.00", "count": 1}


@pytest.mark.parametrize("until", ["waiting", "serving", "cancelled"])
async def test_only_what_is_completed_is_rated(door: Door, until: str) -> None:
    [booking] = await door.shop.fill(door.node, 1)
    if until == "serving":
        await send(door.node, door.shop.staff[0], type="start", bookingId=booking)
    if until == "cancelled":
        await send(door.node, customer(0), type="cancel", bookingId=booking)
    assert (await rate(door, booking, 5)).code == "INVALID_TRANSITION"
    assert await reviews(door) == []


async def test_only_its_customer_rates_a_booking(door: Door) -> None:
    booking = await visited(door)
    for who, code in (
        (None, "UNAUTHORIZED"), (customer(1), "NOT_FOUND"), (door.shop.staff[0], "FORBIDDEN"), (ADMIN, "FORBIDDEN"),
    ):  # fmt: skip
        assert (await door.post(f"/bookings/{booking}/rate", who, {"rating": 5})).code == code
    assert (await door.post("/bookings/bk_x_1/rate", customer(0), {"rating": 5})).code == "NOT_FOUND"


async def test_the_average_is_exact_whatever_is_given_and_hidden_at_once(door: Door) -> None:
    """Any mixture of ratings, of hiding and of showing again, many at a time."""
    dice = random.Random(11)  # noqa: S311 - a test's
    bookings = [await visited(door, number) for number in range(12)]
    stars = [dice.randint(1, 5) for _ in bookings]
    made = await asyncio.gather(
        *(rate(door, booking, each, number) for number, (booking, each) in enumerate(zip(bookings, stars, strict=True)))
    )
    ids = [answer.data["reviewId"] for answer in made]
    hidden = {place: dice.random() < 0.5 for place in range(12)}

    async def moderate(place: int, *, hide: bool) -> None:
        body = {"hidden": True, "reason": "spam"} if hide else {"hidden": False}
        assert (await door.patch(f"/admin/reviews/{ids[place]}", ADMIN, body)).status == 200

    await asyncio.gather(*(moderate(place, hide=True) for place in range(12) for _ in range(2)))
    assert await summary(door) == {"average": None, "count": 0}
    await asyncio.gather(*(moderate(place, hide=hide) for place, hide in hidden.items()))
    shown = [stars[place] for place, hide in hidden.items() if not hide]
    told = await summary(door)
    assert told["count"] == len(shown)
    assert abs(float(told["average"]) - sum(shown) / len(shown)) <= 0.005 + 1e-9


async def test_hidden_reviews_are_shown_to_admins_alone_and_it_is_noted_why(door: Door) -> None:
    review_id = (await rate(door, await visited(door), 1, review="Rude words.")).data["reviewId"]
    answer = await door.patch(f"/admin/reviews/{review_id}", ADMIN, {"hidden": True, "reason": "insults somebody"})
    assert answer.data["hidden"]["reason"] == "insults somebody"
    assert await reviews(door) == await reviews(door, customer(0)) == await reviews(door, door.shop.staff[0]) == []
    [seen] = await reviews(door, ADMIN)
    assert seen == answer.data
    [entry] = (await door.get(f"/admin/audit?objectId={review_id}", ADMIN)).data
    assert (entry["action"], entry["before"], entry["after"]) == (
        "review.moderated", {"hidden": None}, {"hidden": "insults somebody"},
    )  # fmt: skip
    again = await door.patch(f"/admin/reviews/{review_id}", ADMIN, {"hidden": False})
    assert again.data["hidden"] is None
    assert [each["text"] for each in await reviews(door)] == ["Rude words."]


async def test_the_shop_answers_and_takes_its_answer_back(door: Door) -> None:
    review_id = (await rate(door, await visited(door), 2, review="I waited long.")).data["reviewId"]
    path, stranger = f"/reviews/{review_id}/answer", await TestShop.create(door.node)
    assert (await door.put(path, stranger.staff[0], {"text": "Sorry."})).code == "NOT_FOUND"
    assert (await door.put(path, customer(0), {"text": "Sorry."})).code == "FORBIDDEN"
    owner = await door.shop.owner(door.node)
    assert (await door.put(path, door.shop.staff[1], {"text": "Sorry."})).code == "NOT_FOUND"
    assert (await door.put(path, owner, {"text": "Sorry."})).data["answer"]["text"] == "Sorry."
    await door.put(path, ADMIN, {"text": "We are three by now."})
    [review] = await reviews(door)
    assert review["answer"]["text"] == "We are three by now."
    assert (await door.put(path, owner, {"text": None})).data["answer"] is None
    entries = (await door.get(f"/admin/audit?objectId={review_id}", ADMIN)).data
    assert [(each["before"], each["after"]) for each in entries] == [
        ({"answered": True}, {"answered": False}),
        ({"answered": True}, {"answered": True}),
        ({"answered": False}, {"answered": True}),
    ]


async def test_pages_of_reviews_follow_each_other_while_new_ones_come(door: Door) -> None:
    for number in range(5):
        await rate(door, await visited(door, number), 1 + number % 5, number)
    whole = await reviews(door)
    assert [each["rating"] for each in whole] == [5, 4, 3, 2, 1]
    first = await door.get(f"/barbers/{door.shop.barbers[0]}/reviews?limit=2")
    await rate(door, await visited(door, 9), 1, 9)
    second = await reviews(door, query=f"?limit=4&cursor={first.body['meta']['nextCursor']}")
    assert first.data + second == whole


async def test_ratings_sort_and_narrow_a_search(door: Door) -> None:
    await rate(door, await visited(door, 0, barber=0), 2, 0)
    await rate(door, await visited(door, 1, barber=1), 5, 1)
    await SearchIndex(door.node.pool).refresh()
    worse, better = door.shop.barbers
    assert [row["barberId"] for row in (await door.get("/barbers/search?sort=rating")).data] == [better, worse]
    assert [row["barberId"] for row in (await door.get("/barbers/search?minRating=4.5")).data] == [better]


async def test_who_is_forgotten_leaves_stars_and_no_words(door: Door) -> None:
    await rate(door, await visited(door), 3, review="It is me, Asha of Elm Street 4.")
    async with door.node.pool.acquire() as connection:
        await add_user(connection, customer(0).id, "customer", "Asha", "en", None, [])
        await forget_user(connection, customer(0).id)
    [review] = await reviews(door)
    assert (review["rating"], review["text"]) == (3, None)


BAD = [
    ({"rating": 0}, "rating"), ({"rating": 6}, "rating"), ({"rating": 4.5}, "rating"), ({"rating": "5"}, "rating"),
    ({"rating": True}, "rating"), ({}, "rating"), ({"rating": 5, "stars": 5}, "stars"),
    ({"rating": 5, "review": ""}, "review"), ({"rating": 5, "review": "x" * 1001}, "review"),
    ({"rating": 5, "review": "a\x00b"}, "review"), ({"rating": 5, "review": "\u202eevil"}, "review"),
    ({"rating": 5, "review": "\u200b"}, "review"), ({"rating": 5, "review": 7}, "review"),
]  # fmt: skip


async def test_what_is_no_rating_is_refused_by_name(door: Door) -> None:
    booking = await visited(door)
    for body, field in BAD:
        assert (await door.post(f"/bookings/{booking}/rate", customer(0), body)).refused_fields == [field], body
    assert await summary(door) == {"average": None, "count": 0}
