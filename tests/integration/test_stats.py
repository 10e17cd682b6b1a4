"""Stats, analytics and the search of bookings: what was done, counted by what stands in Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from barberpro.queue import states
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.fold import ShopState
from barberpro.queue.promises import Promise, promises
from barberpro.queue.states import StateBuilder
from barberpro.server.node import NodeOptions
from tests.model.calendar import turn_day
from tests.support.money import visit
from tests.support.queries import queries
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, send


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def busy_day(door: Door) -> list[str]:
    """Nine bookings of the first barber: three served, one not there, one called off, one moved; three still wait."""
    node, shop, staff = door.node, door.shop, door.shop.staff[0]
    bookings = await shop.fill(node, 6)
    await send(node, staff, type="start", bookingId=bookings[0])
    await send(node, customer(4), type="step_back", bookingId=bookings[4], places=1)
    await send(node, staff, type="advance", barberId=shop.barbers[0], payment={"method": "cash", "amount": "250.00"})
    bookings += await shop.fill(node, 2, first=6)
    await send(node, staff, type="no_show", bookingId=bookings[2])
    await send(node, customer(5), type="cancel", bookingId=bookings[5])
    await send(node, staff, type="transfer", bookingId=bookings[6], toBarberId=shop.barbers[1])
    bookings += await shop.fill(node, 1, first=8)
    for _ in range(2):
        await send(node, staff, type="advance", barberId=shop.barbers[0])
    return bookings


async def events_of(door: Door) -> list[Json]:
    rows = await door.node.pool.fetch("SELECT data FROM queue_events ORDER BY shop_seq")
    return [orjson.loads(row["data"]) for row in rows]


async def test_promises_are_what_the_states_told_at_joining(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    bookings = await busy_day(door)
    events, told = await events_of(door), {}
    state, builder = ShopState(door.shop.shop_id), StateBuilder(PaceEstimator())
    for event in events:
        queue = state.apply(event)
        if event["type"] == "join":
            monkeypatch.setattr(states, "now_millis", lambda at=event["at"]: at)
            told[event["bookingId"]] = builder.line(state, queue).waits[event["bookingId"]]
    of_barber = [event for event in events if event["barberId"] == door.shop.barbers[0]]
    made = promises(of_barber, (), PaceEstimator())
    assert [promise.booking_id for promise in made] == [bookings[0], bookings[1], bookings[3]]
    assert [promise.told for promise in made] == [told[promise.booking_id] for promise in made]


async def test_who_changed_their_own_place_was_promised_nothing_of_the_new_one(door: Door) -> None:
    bookings = await busy_day(door)
    stats = (await door.get("/queue/stats", door.shop.staff[0])).data
    of_barber = [event for event in await events_of(door) if event["barberId"] == door.shop.barbers[0]]
    made = promises(of_barber, (), PaceEstimator())
    served = [promise.booking_id for promise in made]
    assert not {bookings[2], bookings[4], bookings[5], bookings[6]}.intersection(served)
    assert stats["waits"] == {
        "promised": len(made),
        "withinP50": len(made),  # all of them within the second
        "withinP90": len(made),
        "complete": True,
    }
    assert all(isinstance(promise, Promise) and promise.kept for promise in made)


async def test_a_barbers_day_is_counted(door: Door) -> None:
    await busy_day(door)
    today = datetime.now(UTC).date().isoformat()
    counted = {
        "completed": 3,
        "walkIns": 3,
        "appointments": 0,
        "cancelled": 1,
        "noShows": 0,  # until the day has ended they may be called back
        "serviceMinutes": 0,
        "plannedMinutes": 60,
        "averageWaitMinutes": 0.0,
    }
    stats = (await door.get("/queue/stats", door.shop.staff[0])).data
    waits = stats.pop("waits")
    assert waits["promised"] >= 3
    assert stats == {
        "period": "day",
        "from": today,
        "to": today,
        "timeZone": "Etc/UTC",
        "barberId": door.shop.barbers[0],
        **counted,
        "days": [{"date": today, **counted}],
    }
    month = (await door.get("/queue/stats?period=month", door.shop.staff[0])).data
    assert {name: month[name] for name in counted} == counted
    nothing = (await door.get("/queue/stats?date=2026-01-01", door.shop.staff[0])).data
    assert (nothing["completed"], nothing["averageWaitMinutes"], nothing["waits"]["promised"]) == (0, None, 0)


async def test_minutes_and_waits_are_measured(door: Door) -> None:
    await busy_day(door)
    # What time would have done.
    await door.node.pool.execute(
        "UPDATE bookings SET started_at = ended_at - interval '30 minutes',"
        " joined_at = ended_at - interval '90 minutes' WHERE status = 'completed'"
    )
    stats = (await door.get("/queue/stats", door.shop.staff[0])).data
    assert (stats["serviceMinutes"], stats["averageWaitMinutes"]) == (90, 60.0)


async def test_who_did_not_come_or_waited_in_vain_counts_for_their_day_though_its_turn_comes_after_it(
    door: Door,
) -> None:
    await busy_day(door)
    await turn_day(door.node, door.shop.shop_id)
    await door.shop.open(door.node)  # the first command of the new day: what is left of the old one ends now
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    own, all_shops = [
        [(await door.get(f"{path}?date={day}", who)).data for day in (yesterday, today)]
        for path, who in (("/queue/stats", door.shop.staff[0]), ("/admin/analytics", ADMIN))
    ]
    # Two stood in the first barber's line, and one in the second's. The one who was called off was so today.
    assert [(day["noShows"], day["cancelled"]) for day in own] == [(1, 2), (0, 1)]
    assert [(day["noShows"], day["cancelled"]) for day in all_shops] == [(1, 3), (0, 1)]


async def test_the_dashboard_tells_a_shop_or_all_of_them(door: Door) -> None:
    await busy_day(door)
    other = await TestShop.create(door.node, barbers=1)
    elsewhere = Door(door.node, other, door.client, door.gate)
    await other.open(door.node)
    await visit(elsewhere, 20, {"method": "card", "amount": "100.00"})
    own = (await door.get(f"/admin/analytics?shopId={door.shop.shop_id}", ADMIN)).data
    every = (await door.get("/admin/analytics?period=week", ADMIN)).data
    assert (own["completed"], every["completed"]) == (3, 4)
    assert (own["earnings"][0]["total"], every["earnings"][0]["total"]) == ("250.00", "350.00")
    assert (own["shopId"], every["shopId"], len(own["days"]), len(every["days"])) == (door.shop.shop_id, None, 1, 7)
    assert own["now"] == {"shops": 1, "barbers": 2, "openQueues": 2, "waiting": 3, "serving": 1, "scheduled": 0}
    assert every["now"] == {"shops": 2, "barbers": 3, "openQueues": 3, "waiting": 3, "serving": 1, "scheduled": 0}
    assert (await door.get("/admin/analytics?shopId=sh_none", ADMIN)).status == 404
    assert (await door.get("/admin/analytics?date=2026-01-01", ADMIN)).data["earnings"] == []


async def test_a_shop_has_its_waits_its_hours_and_its_services(door: Door) -> None:
    await busy_day(door)
    owner, hour = await door.shop.owner(door.node), datetime.now(UTC).hour
    own = (await door.get(f"/shops/{door.shop.shop_id}/analytics?period=week", owner)).data
    [first, second] = [
        promises([event for event in await events_of(door) if event["barberId"] == barber], (), PaceEstimator())
        for barber in door.shop.barbers
    ]
    told = {"promised": len(first + second), "withinP50": len(first + second), "withinP90": len(first + second)}
    days = own["waits"].pop("days")
    assert own["waits"] == {**told, "complete": True}
    assert {"date": datetime.now(UTC).date().isoformat(), **told} in days
    assert (len(days), sum(day["promised"] for day in days)) == (7, told["promised"])
    assert own["services"] == [{"name": "Cut", "completed": 3, "plannedMinutes": 60}]
    assert (len(own["arrivals"]), sum(own["arrivals"])) == (24, 9)
    assert own["arrivals"][hour] + own["arrivals"][hour - 1] == 9
    whole = (await door.get(f"/admin/analytics?period=week&shopId={door.shop.shop_id}", ADMIN)).data
    assert whole == {name: value for name, value in own.items() if name != "waits"}


async def test_people_come_by_the_clock_of_their_shop(database_url: str, redis_url: str, redis_prefix: str) -> None:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix), zone="Asia/Kathmandu") as door:
        await door.shop.fill(door.node, 2)
        # 12:20 in Nepal, which is 5 h 45 min ahead.
        joined = datetime.now(UTC).replace(hour=6, minute=35)
        await door.node.pool.execute("UPDATE bookings SET joined_at = $1", joined)
        asked = f"/admin/analytics?shopId={door.shop.shop_id}&period=month&date={joined.date()}"
        told = (await door.get(asked, ADMIN)).data
        assert [hour for hour, count in enumerate(told["arrivals"]) if count] == [12]


async def test_shops_are_listed_with_what_goes_on_there(door: Door) -> None:
    await busy_day(door)
    other = await TestShop.create(door.node, barbers=1)
    first = await door.get("/admin/shops?limit=1", ADMIN)
    [second] = (await door.get(f"/admin/shops?limit=1&cursor={first.body['meta']['nextCursor']}", ADMIN)).data
    assert (first.data[0]["shopId"], second["shopId"]) == (other.shop_id, door.shop.shop_id)
    assert {name: second[name] for name in ("barbers", "openQueues", "waiting", "serving")} == {
        "barbers": 2, "openQueues": 2, "waiting": 3, "serving": 1,
    }  # fmt: skip
    assert (await door.get("/admin/shops?name=the%20SH", ADMIN)).data == [first.data[0], second]
    assert (await door.get("/admin/shops?name=nowhere", ADMIN)).data == []


async def test_bookings_are_searched_and_paged(door: Door) -> None:
    bookings = await busy_day(door)
    every = (await door.get("/admin/bookings", ADMIN)).data
    assert {each["bookingId"] for each in every} == set(bookings)
    live = [each["endedAt"] is None for each in every]
    assert live == sorted(live, reverse=True)
    ended = [each["endedAt"] for each in every if each["endedAt"] is not None]
    assert ended == sorted(ended, reverse=True)
    seen, query = [], "limit=2"
    while query:
        page = await door.get(f"/admin/bookings?{query}", ADMIN)
        seen += page.data
        cursor = page.body["meta"]["nextCursor"]
        query = f"limit=2&cursor={cursor}" if cursor else ""
    assert seen == every
    first = ended[-1]
    for query, wanted in (
        (f"shopId={door.shop.shop_id}", every),
        ("shopId=sh_none", []),
        (f"barberId={door.shop.barbers[1]}", [each for each in every if each["barberId"] == door.shop.barbers[1]]),
        (f"customerId={customer(5).id}", [each for each in every if each["bookingId"] == bookings[5]]),
        (f"bookingId={bookings[3]}", [each for each in every if each["bookingId"] == bookings[3]]),
        ("status=completed", [each for each in every if each["status"] == "completed"]),
        ("status=waiting&kind=walk_in", [each for each in every if each["status"] == "waiting"]),
        ("kind=appointment", []),
        (f"from={first}", [each for each in every if each["endedAt"] is None or each["endedAt"] >= first]),
        (f"to={first}", []),
    ):
        assert (await door.get(f"/admin/bookings?{query}", ADMIN)).data == wanted, query
    [paid] = [each for each in every if each["paid"] != "0.00"]
    assert (paid["bookingId"], paid["paid"], paid["totalPrice"], paid["currency"]) == (
        bookings[0], "250.00", "250.00", "INR",
    )  # fmt: skip
    for query in ("status=gone", "kind=x", "from=now", "cursor=1", "limit=201", "shopId=a%20b", "name=x"):
        assert (await door.get(f"/admin/bookings?{query}", ADMIN)).refused_fields == [query.partition("=")[0]]


async def test_a_customers_bookings_are_found_without_a_look_at_each_barber(door: Door) -> None:
    booking_id = await visit(door, 1)
    await visit(door, 2)
    for name, value in (("customerId", customer(1).id), ("bookingId", booking_id)):
        with queries(name) as asked:
            found = (await door.call("GET", f"/admin/bookings?{name}={value}", ADMIN, X_Request_Id=name)).data
        assert [each["bookingId"] for each in found] == [booking_id]
        assert "FROM barbers" not in asked[-1]  # they are joined to what was found, for their names


async def test_a_week_of_bookings_is_found_by_when_they_ended(door: Door) -> None:
    await visit(door, 1)
    [booking] = (await door.get("/admin/bookings", ADMIN)).data
    at = datetime.fromisoformat(booking["endedAt"])
    after, before = (at + timedelta(seconds=1)).isoformat()[:19], (at - timedelta(seconds=1)).isoformat()[:19]
    for query, count in ((f"from={before}Z&to={after}Z", 1), (f"from={after}Z", 0), (f"to={before}Z", 0)):
        assert len((await door.get(f"/admin/bookings?{query}", ADMIN)).data) == count
