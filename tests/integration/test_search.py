"""Searching for a barber: the same as looking through everybody, never stale, pages that stay right."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from barberpro.domain.find import Find, wanted_of
from barberpro.protocol.actors import SYSTEM
from barberpro.protocol.find import SearchQuery
from barberpro.queue.estimate import InChair, PaceEstimator, Wait
from barberpro.queue.fold import QueueState, ShopState
from barberpro.queue.pace import NEW_BARBER
from barberpro.server.node import Node, NodeOptions
from barberpro.server.search_index import SearchIndex
from barberpro.storage.cache import Cache
from barberpro.storage.folding import keys, wanted
from barberpro.storage.primaries import Primaries
from barberpro.storage.search import After, Found, Wanted, kilometres, search
from tests.fuzz.effort import examples
from tests.model.calendar import local_noon_zone
from tests.support.queries import queries
from tests.support.rest import Door, rest_door
from tests.support.shops import Json, TestShop, customer, send
from tests.support.towns import MIDDLE, Townsman, find_of, kilometres_between, put_place, town
from tests.support.whole_server import whole_server

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NOON: Final = datetime.now(UTC).replace(hour=6, minute=30, second=0, microsecond=0)
NEAR: Final = f"lat={MIDDLE[0]}&lng={MIDDLE[1]}"
_EDGE_KM: Final = 1e-6
"""Nobody in the town stands so near to the edge of a circle, or as far as another, but in one shop."""


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options) as door:
        await put_place(door.node, door.shop.shop_id, MIDDLE, None)
        yield door


# The same as looking through everybody ---------------------------------------------------------------------------


def line_of(state: ShopState, barber_id: str, at: datetime) -> tuple[str, Wait | None]:
    """The line as the rooms of its queue tell it at that moment."""
    queue = state.queues.get(barber_id)
    if queue is None or queue.doc["status"] == "closed":
        return "closed", None
    people = ([queue.next] if queue.next else []) + queue.order()
    ahead = [state.bookings[who]["minutes"] for who in people]
    paused = queue.doc["status"] == "paused"
    waits = PaceEstimator().waits(queue.record.pace, _chair(state, queue, at), ahead, paused=paused)
    return queue.doc["status"], waits[-1]


def _chair(state: ShopState, queue: QueueState, at: datetime) -> InChair | None:
    if queue.serving is None:
        return None
    serving = state.bookings[queue.serving]
    return InChair(serving["minutes"], max(0.0, (at.timestamp() - serving["startedAt"] / 1000) / 60))


def is_open(person: Townsman, at: datetime) -> bool:
    if person.hours is None:
        return True
    local = at.astimezone(ZoneInfo(person.zone))
    clock = local.strftime("%H:%M")
    return any(start <= clock < end for start, end in person.hours.get(_DAYS[local.weekday()], []))


def is_open_for(person: Townsman, at: datetime, minutes: int) -> bool:
    """In one piece, on one day."""
    if person.hours is None:
        return True
    begins, ends = (moment.astimezone(ZoneInfo(person.zone)) for moment in (at, at + timedelta(minutes=minutes)))
    until = "24:00" if ends.date() > begins.date() else f"{ends:%H:%M:%S}"
    spans = person.hours.get(_DAYS[begins.weekday()], [])
    return any(f"{start}:00" <= f"{begins:%H:%M:%S}" and until <= f"{end}:00" for start, end in spans)


def has(typed: Sequence[Sequence[int]], *texts: str) -> bool:
    """Words are found as tests/unit/test_folding.py says."""
    known = set(keys(*texts))
    return all(known.intersection(asked) for asked in typed)


def average(person: Townsman) -> float:
    return sum(person.rated) / len(person.rated) if person.rated else 0.0


async def looked_through(node: Node, people: list[Townsman], asked: Wanted, at: datetime) -> list[str]:
    """Everybody who fits, in order, found without any index."""
    fitting: list[tuple[float, str]] = []
    for person in people:
        status, wait = line_of(await node.views.shop(person.shop_id), person.barber_id, at)
        away = kilometres_between(asked.place, person.place) if asked.place and person.place else None
        keep = (
            (asked.place is None or (away is not None and away <= asked.radius_km))
            and has(asked.words, person.name, person.shop, *person.services)
            and has(asked.offers, *person.services)
            and (not asked.open_now or (status == "open" and is_open(person, at)))
            and (asked.free_at is None or is_open_for(person, asked.free_at, asked.free_minutes))
            and (asked.least_rating is None or (bool(person.rated) and average(person) >= asked.least_rating))
        )
        minutes = float(wait.p50_minutes) if wait is not None else 1e6
        by = {"distance": away or 0.0, "wait": minutes, "rating": -average(person)}[asked.sort]
        if keep:
            fitting.append((round(by, 7), person.barber_id))
    return [barber_id for _, barber_id in sorted(fitting)]


async def all_pages(node: Node, asked: Wanted) -> tuple[list[str], Found]:
    """What all pages together name, and the first of them."""
    first = page = await search(node.pool, asked)
    named: list[str] = []
    while True:
        rows = page.rows[: asked.limit]
        named += [row["barber_id"] for row in rows]
        if len(page.rows) <= asked.limit:
            return named, first
        after = After(first.moment, rows[-1]["key"], rows[-1]["barber_id"])
        page = await search(node.pool, replace(asked, after=after))


places = st.none() | st.tuples(*(st.floats(middle - 0.2, middle + 0.2) for middle in MIDDLE))
typed = st.none() | st.sampled_from(
    ["rajesh", "sandip", "laxmi", "jose", "mohamed", "ravi", "royal", "nai dukan", "suresh haircut", "zzz"]
)
asked_for = st.fixed_dictionaries(
    {},
    optional={
        "q": typed,
        "service": st.none() | st.sampled_from(["haircut", "hair", "sahve", "beard", "color"]),
        "open_now": st.booleans(),
        # At noon in Kolkata, so that it is on one day in all three zones.
        "free_at": st.sampled_from([1, 2, 3, 4, 5, 6, 7]).map(lambda days: _NOON + timedelta(days=days)),
        "free_minutes": st.sampled_from([5, 30, 240]),
        "min_rating": st.sampled_from([1.0, 2.5, 4.0, 5.0]),
        "radius_km": st.sampled_from([1.0, 5.0, 12.0, 500.0]),
        "sort": st.sampled_from(["distance", "wait", "rating"]),
        "limit": st.sampled_from([1, 3, 20, 50]),
    },
)


@pytest.fixture
async def people(node: Node) -> list[Townsman]:
    """A town that is searched."""
    people = await town(node, shops=16)
    await SearchIndex(node.pool).refresh()
    return people


def query_of(place: tuple[float, float] | None, fields: dict[str, Any]) -> Wanted:
    """As the door takes it. Without a place nothing that needs one is asked for."""
    if place is None:
        fields = {name: value for name, value in fields.items() if name not in {"radius_km", "sort"}}
    else:
        fields = fields | {"lat": round(place[0], 4), "lng": round(place[1], 4)}
        if fields.get("sort") == "wait":
            fields["radius_km"] = min(fields.get("radius_km", 10.0), 50.0)
    return wanted_of(SearchQuery.model_construct(**fields))


@examples(100)
@given(place=places, fields=asked_for)
async def test_a_search_finds_what_looking_through_everybody_finds(
    node: Node, people: list[Townsman], place: tuple[float, float] | None, fields: dict[str, Any]
) -> None:
    asked = query_of(place, fields)
    named, first = await all_pages(node, asked)
    assert named == await looked_through(node, people, asked, first.as_of)


async def test_the_distance_told_is_that_of_the_haversine_formula(node: Node, people: list[Townsman]) -> None:
    places = {person.barber_id: person.place for person in people}
    found = await search(node.pool, Wanted("distance", 50, MIDDLE, 100.0))
    assert len(found.rows) > 20
    for row in found.rows:
        place = places[row["barber_id"]]
        assert place is not None
        assert abs(kilometres(row["chord"]) - kilometres_between(MIDDLE, place)) < _EDGE_KM


async def test_the_database_tells_the_same_waits_as_the_estimator(node: Node) -> None:
    estimator = PaceEstimator()
    cases = [
        (chair, elapsed, line, paused)
        for chair, elapsed in ((None, 0.0), (20, 0.0), (20, 7.5), (20, 19.0), (45, 300.0), (10, 0.01))
        for line in ([], [20], [10, 45, 30], [20] * 40)
        for paused in (False, True)
    ]
    for pace in (NEW_BARBER, replace(NEW_BARBER, ratio=1.7), replace(NEW_BARBER, spread=0.1, doubt=0.02)):
        for chair, elapsed, line, paused in cases:
            seat = InChair(chair, elapsed) if chair is not None else None
            asked = estimator.waits(pace, seat, line, paused=paused)[-1]
            outlook = estimator.outlook(pace, chair, line, paused=paused)
            lasted = elapsed if chair is not None else None
            row = await node.pool.fetchrow(
                "SELECT * FROM wait_of($1, $2, $3, $4, $5)",
                outlook.mean, outlook.variance, outlook.expected, outlook.square, lasted,
            )  # fmt: skip
            assert row is not None
            assert Wait(row["p50"], row["p90"]) == asked, (pace, chair, elapsed, line, paused)


# Never stale -----------------------------------------------------------------------------------------------------


async def test_what_happens_is_found_at_the_next_look(door: Door) -> None:
    node, shop, index = door.node, door.shop, SearchIndex(door.node.pool)

    async def waiting() -> list[int]:
        await index.refresh()
        rows = (await search(node.pool, Wanted("wait", 10))).rows
        assert [row["p50"] for row in rows] == sorted(row["p50"] for row in rows)
        by_barber = {row["barber_id"]: row["waiting"] for row in rows}
        return [by_barber[barber] for barber in shop.barbers]

    assert await waiting() == [0, 0]
    [booking] = await shop.fill(node, 1)
    assert await waiting() == [1, 0]
    await send(node, SYSTEM, type="transfer", bookingId=booking, toBarberId=shop.barbers[1])
    assert await waiting() == [0, 1]
    await send(node, SYSTEM, type="start", bookingId=booking)
    assert await waiting() == [0, 0]


async def test_a_change_of_the_catalogue_is_found_at_the_next_look(door: Door) -> None:
    node, shop, index = door.node, door.shop, SearchIndex(door.node.pool)

    async def found(text: str) -> set[str]:
        await index.refresh()
        return {row["barber_id"] for row in (await search(node.pool, Wanted("rating", 10, words=wanted(text)))).rows}

    assert await found("gurpreet") == set()
    await node.pool.execute("UPDATE barbers SET name = 'Gurpreet' WHERE barber_id = $1", shop.barbers[0])
    assert await found("gurpreet") == {shop.barbers[0]}
    await node.pool.execute("UPDATE services SET name = 'Mundan' WHERE shop_id = $1", shop.shop_id)
    assert await found("mundan") == set(shop.barbers)
    await node.pool.execute("UPDATE barbers SET active = false WHERE barber_id = $1", shop.barbers[0])
    assert await found("mundan") == {shop.barbers[1]}


async def test_a_search_brings_up_to_date_what_nobody_has_for_seconds(door: Door) -> None:
    await door.shop.fill(door.node, 1)
    answer = await door.get(f"/barbers/search?{NEAR}&sort=wait")
    assert [row["waitingCount"] for row in answer.data] == [0, 1]
    as_of = datetime.fromisoformat(answer.body["meta"]["asOf"])
    assert datetime.now(UTC) - as_of < timedelta(seconds=60)  # a noisy machine's, not the epoch


async def test_an_answer_is_kept_in_redis_until_it_is_five_seconds_old(node: Node, redis_prefix: str) -> None:
    shop = await TestShop.create(node)
    await put_place(node, shop.shop_id, MIDDLE, None)
    find, asked = find_of(node, redis_prefix), SearchQuery(lat=MIDDLE[0], lng=MIDDLE[1], sort="wait")
    with queries("req_1") as sent, structlog.contextvars.bound_contextvars(request_id="req_1"):
        first = await find.search(asked)
        began = len(sent)
        again = await find.search(asked)
        assert again == first or len(sent) > began  # on a machine that stood still meanwhile it was too old
    redis = node.redis.at(redis_prefix)
    [key] = [key async for key in redis.scan_iter(match=f"{redis_prefix}:find:*")] or [None]
    if key is not None:
        assert 0 < await redis.pttl(key) <= 5000
        assert b"12.97" not in key


async def test_without_redis_a_search_is_answered_all_the_same(node: Node, redis_prefix: str) -> None:
    shop = await TestShop.create(node)
    nowhere = Primaries("unix:///nowhere/redis.socket", 64)
    find = Find(node.pool, Cache(nowhere, redis_prefix, "find"), SearchIndex(node.pool).refresh)
    assert {row["barberId"] for row in (await find.search(SearchQuery())).rows} == set(shop.barbers)
    await nowhere.aclose()


async def test_two_nodes_that_look_at_once_do_not_disturb_each_other(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    one, other = SearchIndex(node.pool), SearchIndex(node.pool)
    for number in range(3):
        await shop.fill(node, 1, first=number)
        await asyncio.gather(one.refresh(), other.refresh(), one.refresh(wait=False))
    query = "SELECT waiting, since, until FROM barber_lines WHERE barber_id = $1 ORDER BY since"
    lines = await node.pool.fetch(query, shop.barbers[0])
    assert [line["waiting"] for line in lines] == [1, 2, 3]
    assert all(before["until"] == after["since"] for before, after in itertools.pairwise(lines))


# Pages -----------------------------------------------------------------------------------------------------------


async def test_pages_by_wait_name_everybody_once_while_the_lines_change(door: Door) -> None:
    node, index = door.node, SearchIndex(door.node.pool)
    shops = [door.shop, *[await TestShop.create(node) for _ in range(4)]]
    for number, shop in enumerate(shops):
        await put_place(node, shop.shop_id, MIDDLE, None)
        if shop is not door.shop:
            await shop.open(node)
        await shop.fill(node, number, first=100 * number)
    await index.refresh()
    named: list[str] = []
    cursor: str | None = ""
    turn = itertools.count(1000)
    while cursor is not None:
        answer = await door.get(f"/barbers/search?{NEAR}&sort=wait&limit=2{cursor and '&cursor=' + cursor}")
        named += [row["barberId"] for row in answer.data]
        cursor = answer.body["meta"]["nextCursor"]
        # The best becomes the worst, and one of the worst the best.
        for shop in shops:
            await send(node, customer(next(turn)), **shop.join(next(turn) % 2))
        await index.refresh()
    assert len(named) == len(set(named)) == 10
    assert set(named) == {barber for shop in shops for barber in shop.barbers}


async def test_figures_of_later_pages_are_new_ones(door: Door) -> None:
    node, index = door.node, SearchIndex(door.node.pool)
    await index.refresh()
    first = await door.get(f"/barbers/search?{NEAR}&sort=wait&limit=1")
    [later] = set(door.shop.barbers) - {first.data[0]["barberId"]}
    await send(node, customer(1), **door.shop.join(door.shop.barbers.index(later)))
    await index.refresh()
    second = await door.get(f"/barbers/search?{NEAR}&sort=wait&limit=1&cursor={first.body['meta']['nextCursor']}")
    assert [(row["barberId"], row["waitingCount"]) for row in second.data] == [(later, 1)]


# What is told ----------------------------------------------------------------------------------------------------


async def test_a_barber_is_told_with_line_services_place_and_ratings(door: Door) -> None:
    barber = door.shop.barbers[0]
    await put_place(door.node, door.shop.shop_id, MIDDLE, None)
    await SearchIndex(door.node.pool).refresh()
    answer = await door.get(f"/barbers/{barber}")
    expected = {
        "barberId": barber,
        "barberName": "Barber 0",
        "photoUrl": None,
        "shopId": door.shop.shop_id,
        "shopName": "The Shop",
        "place": {"latitude": MIDDLE[0], "longitude": MIDDLE[1]},
        "queueStatus": "open",
        "openNow": True,
        "waitingCount": 0,
        "estimatedWait": answer.data["estimatedWait"],
        "rating": {"average": None, "count": 0},
        "currency": "INR",
        "services": [{"serviceId": door.shop.service, "name": "Cut", "price": "250.00", "durationMinutes": 20}],
    }
    assert answer.data == expected
    room = (await door.get(f"/queue/{barber}")).data
    assert room["counts"]["waiting"] == 0
    found = await door.get(f"/barbers/search?lat={MIDDLE[0] + 0.01}&lng={MIDDLE[1]}&radiusKm=2")
    distance = kilometres_between((round(MIDDLE[0] + 0.01, 4), MIDDLE[1]), MIDDLE)
    assert [row.pop("distanceKm") for row in found.data] == [round(distance, 3)] * 2
    assert expected in found.data


async def test_who_has_an_appointment_then_is_not_free(door: Door) -> None:
    at = (datetime.now(UTC) + timedelta(days=10)).replace(hour=12, minute=0, second=0, microsecond=0)
    when = {"bookingDate": at.date().isoformat(), "preferredTime": "12:00"}
    assert (await door.post("/bookings", customer(1), door.booking_body(0, **when))).status == 201

    async def free(minutes_off: int, lasting: int) -> set[str]:
        moment = (at + timedelta(minutes=minutes_off)).isoformat().replace("+00:00", "Z")
        rows = (await door.get(f"/barbers/search?freeAt={moment}&freeMinutes={lasting}")).data
        return {row["barberId"] for row in rows}

    both, other = set(door.shop.barbers), {door.shop.barbers[1]}
    told = [await free(*case) for case in ((0, 20), (-10, 20), (10, 5), (-20, 20), (20, 60))]
    assert told == [other, other, other, both, both]


async def test_who_has_somebody_in_the_line_for_their_appointment_is_not_free_then(door: Door) -> None:
    node, now = door.node, datetime.now(UTC)
    shop = await TestShop.create(node, zone=local_noon_zone(now))
    await shop.open(node)
    at = (now + timedelta(hours=1)).replace(microsecond=0)
    line = {"barberId": shop.barbers[0], "serviceIds": [shop.service]}
    booking = (await send(node, customer(1), type="schedule", at=at, **line)).data["booking"]["bookingId"]

    async def free() -> set[str]:
        wanted = Wanted("rating", 50, free_at=at, free_minutes=20)
        await SearchIndex(node.pool).refresh()
        return {row["barber_id"] for row in (await search(node.pool, wanted)).rows}.intersection(shop.barbers)

    await send(node, shop.staff[0], type="check_in", bookingId=booking)
    assert await free() == {shop.barbers[1]}
    await send(node, shop.staff[0], type="no_show", bookingId=booking)
    assert await free() == set(shop.barbers)


_WEEK: Final = {"tue": [["09:00", "12:00"], ["14:00", "24:00"]]}
_CALENDAR: Final = {
    "shifts": {"tue": [["10:00", "20:00"]]}, "breaks": {"tue": [["13:00", "13:30"]]}, "exceptions": [], "daysOff": [],
}  # fmt: skip
_OFF: Final[Json] = {"shifts": None, "breaks": {}, "exceptions": [], "daysOff": ["2030-01-01"]}
_ODD: Final = {**_CALENDAR, "exceptions": [{"date": "2030-01-01", "shifts": [["13:00", "13:30"]]}]}


@pytest.mark.parametrize(
    ("calendar", "opening", "clock", "minutes", "works"),
    [
        (None, None, "03:00", 600, True),
        (None, None, "20:00", 241, False),  # past midnight
        (None, None, "20:00", 240, True),
        (None, _WEEK, "09:00", 180, True),
        (None, _WEEK, "09:00", 181, False),
        (None, _WEEK, "23:00", 60, True),
        (None, {}, "09:00", 5, False),
        (_CALENDAR, _WEEK, "09:30", 30, False),
        (_CALENDAR, _WEEK, "12:30", 30, True),
        (_CALENDAR, _WEEK, "12:30", 31, False),
        (_CALENDAR, _WEEK, "13:30", 390, True),
        (_OFF, _WEEK, "09:00", 5, False),
        (_ODD, _WEEK, "13:00", 30, True),
        (_ODD, _WEEK, "12:00", 30, False),
    ],
)
async def test_a_barber_works_by_the_calendar_or_else_while_the_shop_is_open(
    node: Node, calendar: Json | None, opening: Json | None, clock: str, minutes: int, works: bool
) -> None:
    """On a Tuesday in Berlin."""
    documents = [orjson.dumps(each).decode() if each is not None else None for each in (calendar, opening)]
    at = datetime.fromisoformat(f"2030-01-01T{clock}:00+01:00")
    query = "SELECT works_at($1::text::jsonb, $2::text::jsonb, 'Europe/Berlin', $3, $4)"
    assert await node.pool.fetchval(query, *documents, at, minutes) is works


async def test_a_barber_who_is_not_there_is_not_found(door: Door) -> None:
    await door.node.pool.execute("UPDATE barbers SET active = false WHERE barber_id = $1", door.shop.barbers[0])
    for barber in ("bb_nobody", door.shop.barbers[0], "a%00b"):
        assert (await door.get(f"/barbers/{barber}")).code == "NOT_FOUND"


async def test_a_server_keeps_up_by_itself(options: NodeOptions, tmp_path: Path) -> None:
    async with whole_server(options, tmp_path) as server:
        await put_place(server.node, server.shop.shop_id, MIDDLE, None)
        query = f"/api/v1/barbers/search?{NEAR}&sort=wait"
        joined = False
        async with asyncio.timeout(60):
            while True:  # until it is told; by then the loop has looked
                async with server.client.get(query) as response:
                    body = await response.json()
                waiting = sorted(row["waitingCount"] for row in body["data"])
                if waiting == [0, 1]:
                    return
                if waiting == [0, 0] and not joined:
                    await server.shop.fill(server.node, 1)
                    joined = True
                await asyncio.sleep(0.1)
