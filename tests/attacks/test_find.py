"""What strangers may type into a search, a cursor or a review: text, or refused by name, and never an error."""

import random
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.server.node import NodeOptions
from barberpro.server.search_index import SearchIndex
from tests.fuzz.effort import examples
from tests.support.logs import nothing_wrong_is_logged
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, customer, send

NASTY = [
    "'; DROP TABLE ratings; --", "' OR 1=1 --", "%", "_", "%%%%", "\\", "{}", "{77}", "$77", "a' && '{1}'::int[]",
    "<script>alert(1)</script>", "${jndi:ldap://x}", "../../etc/passwd", "a" * 80, "ab " * 26, "😀", "ﷺ" * 10,
    "Z\u0301\u0301\u0301", "((((((((", ".*" * 20, "NULL", "nan", "0x41",
]  # fmt: skip
REFUSED = ["a\x00b", "\u202eabc", "\u200b", "!!!", "", " ", "a" * 81, "two\nlines", "\x1b[31m"]


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        await SearchIndex(door.node.pool).refresh()
        with nothing_wrong_is_logged():
            yield door


async def test_whatever_is_typed_is_text(door: Door) -> None:
    for text in NASTY:
        for name in ("q", "service"):
            answer = await door.get(f"/barbers/search?{name}={quote(text)}")
            assert answer.status == 200 or answer.refused_fields == [name], text
            assert answer.status == 400 or answer.data == [], text


async def test_what_cannot_be_seen_or_read_is_refused(door: Door) -> None:
    for text in REFUSED:
        for name in ("q", "service"):
            assert (await door.get(f"/barbers/search?{name}={quote(text)}")).refused_fields == [name], text
    assert (await door.get("/barbers/search?q=%ff%fe")).status in {200, 400}


PARAMETERS = [
    ("lat=91&lng=0", "lat"), ("lat=0&lng=181", "lng"), ("lat=nan&lng=0", "lat"), ("lat=inf&lng=0", "lat"),
    ("lat=1", "lat"), ("lng=1", "lng"), ("radiusKm=5", "radiusKm"), ("lat=0&lng=0&radiusKm=0", "radiusKm"),
    ("lat=0&lng=0&radiusKm=1e9", "radiusKm"), ("sort=distance", "sort"), ("sort=wait", "sort"),
    ("lat=0&lng=0&radiusKm=51&sort=wait", "radiusKm"), ("sort=price", "sort"),
    ("lat=1_2&lng=0", "lat"), ("lat=0&lng=%2012", "lng"), ("lat=0&lng=0&radiusKm=5.", "radiusKm"),
    ("openNow=1", "openNow"), ("openNow=yes", "openNow"), ("minRating=0", "minRating"), ("minRating=5.1", "minRating"),
    ("minRating=nan", "minRating"),
    ("freeAt=tomorrow", "freeAt"), ("freeAt=2020-01-01T00:00:00Z", "freeAt"), ("freeAt=2999-01-01T00:00:00", "freeAt"),
    ("freeAt=9999-12-31T23:59:59Z", "freeAt"),
    ("freeAt=1700000000", "freeAt"), ("freeMinutes=0", "freeMinutes"), ("limit=51", "limit"), ("limit=-1", "limit"),
    ("offset=5", "offset"), ("q=a&q=b", "q"),
]  # fmt: skip


async def test_parameters_that_cannot_be_are_refused_by_name(door: Door) -> None:
    for query, field in PARAMETERS:
        assert (await door.get(f"/barbers/search?{query}")).refused_fields == [field], query
    assert (await door.get("/barbers/search?lat=90&lng=180&radiusKm=500")).data == []


def written(document: object) -> str:
    return urlsafe_b64encode(orjson.dumps(document)).decode()


CURSORS = [
    "x", "====", "a.b", "-", "A" * 201, written(None), written([]), written([1, 2, 3]), written({"a": 1}),
    written([1e400, 1, "bb_1"]), written(["now", 1, "bb_1"]), written([0, 1, "bb_1"]), written([2**63, 1, "bb_1"]),
    written([-(2**63), 1, "bb_1"]), written([0, "x", "bb_1"]), written([0, 0, "a\x00b"]), written([0, 0, "'--"]),
]  # fmt: skip


async def test_cursors_of_ones_own_making_are_refused(door: Door) -> None:
    for cursor in CURSORS:
        assert (await door.get(f"/barbers/search?cursor={quote(cursor)}")).refused_fields == ["cursor"], cursor
    for cursor in ("a%00b", "%27--", "x" * 65):
        path = f"/barbers/{door.shop.barbers[0]}/reviews?cursor={cursor}"
        assert (await door.get(path)).refused_fields == ["cursor"], cursor


@examples(40)
@given(text=st.text(max_size=90))
async def test_any_text_is_answered(door: Door, text: str) -> None:
    escaped = quote(text.encode("utf-8", "surrogatepass"))
    answer = await door.get(f"/barbers/search?q={escaped}&service={escaped}")
    assert answer.status == 200 or set(answer.refused_fields) <= {"q", "service"}


async def test_a_review_is_told_as_it_was_written_and_never_read_as_anything_else(door: Door) -> None:
    dice = random.Random(3)  # noqa: S311 - a test's
    for number, text in enumerate(dice.sample(NASTY, 6)):
        [booking] = await door.shop.fill(door.node, 1, first=number)
        await send(door.node, door.shop.staff[0], type="start", bookingId=booking)
        await send(door.node, door.shop.staff[0], type="complete", bookingId=booking)
        body = {"rating": 3, "review": text}
        answer = await door.post(f"/bookings/{booking}/rate", customer(number), body)
        assert answer.data["text"] == text.strip()
        [shown, *_] = (await door.get(f"/barbers/{door.shop.barbers[0]}/reviews")).data
        assert shown["text"] == text.strip()
        said = await door.put(f"/reviews/{shown['reviewId']}/answer", ADMIN, {"text": text})
        assert said.data["answer"]["text"] == text.strip()


async def test_a_review_names_neither_booking_nor_customer(door: Door) -> None:
    [booking] = await door.shop.fill(door.node, 1)
    await send(door.node, door.shop.staff[0], type="start", bookingId=booking)
    await send(door.node, door.shop.staff[0], type="complete", bookingId=booking)
    await door.post(f"/bookings/{booking}/rate", customer(0), {"rating": 3})
    told = str((await door.get(f"/barbers/{door.shop.barbers[0]}/reviews")).body)
    assert booking not in told
    assert customer(0).id not in told
    assert "Customer 0" not in told
