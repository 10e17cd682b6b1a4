"""When barbers work, over REST: told, changed, kept to, and shown as slots."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from barberpro.domain.hours import DAYS
from barberpro.protocol.actors import Actor
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Ruling
from barberpro.server.node import Node, NodeOptions
from tests.model.calendar import local_noon_zone
from tests.support.faults import lose_memory
from tests.support.rest import Answer, Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, code_of, customer, new_id, refusal, send

ZONE = "America/New_York"
MINE = "/barbers/me/availability"
NINE_TO_FIVE = {"shifts": {day: [["09:00", "17:00"]] for day in DAYS}}
NOTHING: Json = {day: [] for day in DAYS}
HERE = datetime.now(ZoneInfo(ZONE)).date()
DAY = (HERE + timedelta(days=30)).isoformat()
NEXT_DAY = (HERE + timedelta(days=31)).isoformat()


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options, zone=ZONE) as door:
        yield door


async def changed(door: Door, **fields: object) -> Any:  # noqa: ANN401 - any JSON
    return (await door.patch(MINE, door.shop.staff[0], fields)).data


async def book(door: Door, who: Actor, clock: str, day: str = DAY, **headers: str) -> Answer:
    body = door.booking_body(bookingDate=day, preferredTime=clock)
    return await door.post("/bookings", who, body, **headers)


async def booked(door: Door, who: Actor, clock: str, day: str = DAY) -> str:
    return str((await book(door, who, clock, day)).data["booking"]["bookingId"])


async def slots(door: Door, day: str = DAY, more: str = "") -> list[str]:
    rows = (await door.get(f"/barbers/{door.shop.barbers[0]}/slots?date={day}{more}")).data
    return [row["preferredTime"] for row in rows]


def instant(clock: str, day: str = DAY) -> datetime:
    there = datetime.combine(datetime.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(ZONE))
    return there.astimezone(UTC)


def wire(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


# Told and changed --------------------------------------------------------------------------------------------------


async def test_a_barber_without_a_calendar_has_an_empty_one(door: Door) -> None:
    assert (await door.get(MINE, door.shop.staff[0])).data == {
        "barberId": door.shop.barbers[0],
        "timeZone": ZONE,
        "shifts": None,
        "breaks": NOTHING,
        "exceptions": [],
        "daysOff": [],
        "revision": 0,
        "conflicts": [],
    }


async def test_what_is_given_replaces_what_was_and_the_rest_stays(door: Door) -> None:
    await changed(door, **NINE_TO_FIVE, daysOff=[DAY])
    told = await changed(door, breaks={"mon": [["12:00", "12:30"]]}, daysOff=[NEXT_DAY])
    assert (told["shifts"], told["daysOff"]) == (NINE_TO_FIVE["shifts"], [NEXT_DAY])
    assert told["breaks"] == NOTHING | {"mon": [["12:00", "12:30"]]}
    assert told["revision"] == 2
    assert (await door.get(MINE, door.shop.staff[0])).data == told
    assert (await door.get(MINE, door.shop.staff[1])).data["revision"] == 0
    assert (await changed(door, shifts=None))["shifts"] is None


async def test_the_same_change_again_changes_nothing(door: Door) -> None:
    first = await changed(door, **NINE_TO_FIVE, revision=0)
    assert await changed(door, **NINE_TO_FIVE, revision=0) == first
    stale = await door.patch(MINE, door.shop.staff[0], {"daysOff": [DAY], "revision": 0})
    assert (stale.status, stale.code) == (409, "STALE_STATE")
    notes = await door.node.pool.fetch("SELECT object_id FROM audit_entries WHERE action = 'calendar.changed'")
    assert [row["object_id"] for row in notes] == [door.shop.barbers[0]]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"shifts": {"mon": [["09:00", "08:00"]]}}, "shifts.mon"),
        ({"shifts": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "shifts.mon"),
        ({"shifts": {"mon": [["9:00", "12:00"]]}}, "shifts.mon.0.0"),
        ({"shifts": {"mon": [["09:00"]]}}, "shifts.mon.0"),
        ({"shifts": {"someday": []}}, "shifts.someday"),
        ({"breaks": None}, "breaks"),
        ({"exceptions": [{"date": "2027-02-30", "shifts": []}]}, "exceptions.0.date"),
        ({"exceptions": [{"date": DAY, "shifts": [["10:00", "10:00"]]}]}, "exceptions.0.shifts"),
        ({"exceptions": [{"date": DAY, "shifts": []}, {"date": DAY, "shifts": [["10:00", "11:00"]]}]}, "exceptions"),
        ({"daysOff": ["soon"]}, "daysOff.0"),
        ({"days_off": []}, "days_off"),
        ({"revision": -1}, "revision"),
        ({"hours": {}}, "hours"),
    ],
)
async def test_a_bad_field_of_a_calendar_is_refused_by_name(door: Door, body: Json, refused: str) -> None:
    answer = await door.patch(MINE, door.shop.staff[0], body)
    assert answer.refused_fields == [refused]
    assert (await door.get(MINE, door.shop.staff[0])).data["revision"] == 0


# Kept to -----------------------------------------------------------------------------------------------------------


async def test_an_appointment_outside_of_the_shifts_is_refused_by_the_field_that_says_so(door: Door) -> None:
    await changed(door, **NINE_TO_FIVE, breaks={day: [["12:00", "13:00"]] for day in DAYS}, daysOff=[DAY])
    for clock, day, path, free in (
        ("16:45", NEXT_DAY, "preferredTime", None),
        ("08:00", NEXT_DAY, "preferredTime", instant("09:00", NEXT_DAY)),
        ("11:50", NEXT_DAY, "preferredTime", instant("13:00", NEXT_DAY)),
        ("10:00", DAY, "bookingDate", instant("09:00", NEXT_DAY)),
    ):
        answer = await book(door, customer(1), clock, day)
        assert (answer.status, answer.code) == (409, "BARBER_UNAVAILABLE")
        error = answer.body["error"]
        [field] = error["details"]["fields"]
        assert field["path"] == path
        assert error["message"] == f"{path}: {field['problem']}"
        if free is not None:
            assert error["details"]["nextAvailableTime"] == wire(free)
    assert (await book(door, customer(1), "16:40", NEXT_DAY)).status == 201


async def test_staff_keep_to_it_as_well_and_so_does_a_move(door: Door) -> None:
    await changed(door, **NINE_TO_FIVE)
    assert (await book(door, door.shop.staff[0], "08:00")).code == "BARBER_UNAVAILABLE"
    path = f"/bookings/{await booked(door, customer(1), '10:00')}"
    moved = await door.patch(path, customer(1), {"bookingDate": DAY, "preferredTime": "17:00"})
    assert moved.code == "BARBER_UNAVAILABLE"
    moved = await door.patch(path, customer(1), {"bookingDate": DAY, "preferredTime": "10:10"})  # onto itself
    assert moved.status == 200


async def test_the_next_free_time_is_after_what_is_taken(door: Door) -> None:
    await changed(door, **NINE_TO_FIVE)
    await booked(door, customer(1), "09:00")
    refused = await book(door, customer(2), "08:00")
    assert refused.body["error"]["details"]["nextAvailableTime"] == wire(instant("09:30"))


async def test_a_repetition_is_answered_as_at_first_whatever_the_calendar_says_by_now(door: Door) -> None:
    key = new_id()
    first = await book(door, customer(1), "10:00", Idempotency_Key=key)
    await changed(door, daysOff=[DAY])
    again = await book(door, customer(1), "10:00", Idempotency_Key=key)
    assert (again.status, again.data) == (200, {**first.data, "replayed": True})


# A change and the appointments that were there -----------------------------------------------------------------------


async def test_a_change_tells_of_the_appointments_that_conflict_with_it(door: Door) -> None:
    early, late = await booked(door, customer(1), "10:00"), await booked(door, customer(2), "16:50")
    off, fine = await booked(door, customer(3), "12:00", NEXT_DAY), await booked(door, customer(4), "12:00")
    away = {"breaks": {day: [["09:30", "10:10"]] for day in DAYS}, "daysOff": [NEXT_DAY]}
    told = await changed(door, **NINE_TO_FIVE, **away)
    conflicts = [(each["bookingId"], each["problem"]) for each in told["conflicts"]]
    assert conflicts == [(early, "break"), (late, "outside_shifts"), (off, "day_off")]
    assert told["conflicts"][0] == {
        "bookingId": early,
        "startsAt": wire(instant("10:00")),
        "endsAt": wire(instant("10:20")),
        "customerName": "Customer 1",
        "problem": "break",
    }
    await door.patch(f"/bookings/{early}", customer(1), {"status": "cancelled"})
    assert (await door.get(MINE, door.shop.staff[0])).data["conflicts"] == told["conflicts"][1:]
    assert (await door.get(f"/bookings/{fine}", customer(4))).data["status"] == "scheduled"


async def test_nothing_is_booked_by_a_calendar_that_has_changed_since(door: Door, options: NodeOptions) -> None:
    """A door that has read the old one, and asks only now: refused, also when Redis has lost its memory."""
    node, shop = door.node, door.shop
    wanted = {"type": "schedule", "barberId": shop.barbers[0], "serviceIds": [shop.service], "at": instant("10:00")}
    await changed(door, daysOff=[DAY])
    assert await code_of(send(node, customer(1), **wanted, calendar=Ruling(revision=0))) is ErrorCode.STALE_STATE
    await lose_memory(node.redis, options.prefix)
    assert await code_of(send(node, customer(1), **wanted, calendar=Ruling(revision=0))) is ErrorCode.STALE_STATE
    await send(node, customer(1), **wanted, calendar=Ruling(revision=1))


async def test_every_appointment_that_was_taken_beside_a_change_is_in_its_answer(door: Door) -> None:
    """Whoever comes in while the day is taken off is refused, or told of: never neither."""
    clocks = [f"{hour:02d}:{minute:02d}" for hour in range(8, 20) for minute in (0, 20, 40)]
    answers, told = await asyncio.gather(
        asyncio.gather(*(book(door, customer(number), clock) for number, clock in enumerate(clocks))),
        changed(door, daysOff=[DAY]),
    )
    made = {answer.data["booking"]["bookingId"] for answer in answers if answer.status == 201}
    refused = {answer.code for answer in answers if answer.status != 201}
    assert {each["bookingId"] for each in told["conflicts"]} == made
    assert refused <= {"BARBER_UNAVAILABLE", "STALE_STATE"}


# Slots -------------------------------------------------------------------------------------------------------------


async def test_slots_are_what_can_be_booked(door: Door) -> None:
    await changed(door, shifts={day: [["09:00", "10:00"]] for day in DAYS})
    assert await slots(door) == ["09:00", "09:15", "09:30"]
    for number, clock in enumerate(("09:00", "09:15", "09:30")):
        status = (await book(door, customer(number), clock)).status
        assert status == (409 if clock == "09:15" else 201)
    assert await slots(door) == []
    assert await slots(door, NEXT_DAY) == ["09:00", "09:15", "09:30"]


async def test_a_slot_says_what_to_book_and_when_it_is(door: Door) -> None:
    await changed(door, **NINE_TO_FIVE)
    answer = await door.get(f"/barbers/{door.shop.barbers[0]}/slots?date={DAY}&serviceIds={door.shop.service}")
    assert answer.data[0] == {
        "bookingDate": DAY,
        "preferredTime": "09:00",
        "startsAt": wire(instant("09:00")),
        "endsAt": wire(instant("09:20")),
    }
    meta = {name: answer.body["meta"][name] for name in ("date", "timeZone", "durationMinutes", "nextCursor")}
    assert meta == {"date": DAY, "timeZone": ZONE, "durationMinutes": 20, "nextCursor": None}


async def test_the_time_of_somebody_who_has_checked_in_is_no_slot(options: NodeOptions) -> None:
    now = datetime.now(UTC)
    async with rest_door(options, zone=local_noon_zone(now)) as door:
        node, shop, soon = door.node, door.shop, now + timedelta(minutes=40)
        day = soon.astimezone(ZoneInfo(local_noon_zone(now))).date().isoformat()
        wanted = {"type": "schedule", "barberId": shop.barbers[0], "serviceIds": [shop.service], "at": soon}
        free = await slots(door, day)
        here = (await send(node, customer(0), **wanted)).data["booking"]["bookingId"]
        left = await slots(door, day)
        await send(node, shop.staff[0], type="check_in", bookingId=here)
        assert set(await slots(door, day)) == set(left) < set(free)


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("", "date"),
        ("?date=tomorrow", "date"),
        ("?date=2027-02-29", "date"),
        ("?date=2027-02-28&serviceIds=sv_unknown", "serviceIds.0"),
        ("?date=2027-02-28&services=sv_1", "services"),
    ],
)
async def test_a_bad_parameter_of_slots_is_refused_by_name(door: Door, query: str, refused: str) -> None:
    answer = await door.get(f"/barbers/{door.shop.barbers[0]}/slots{query}")
    assert answer.refused_fields == [refused]


async def test_a_barber_whom_nobody_knows_has_no_slots(door: Door) -> None:
    for barber in ("bb_nobody", "a b"):
        answer = await door.get(f"/barbers/{barber}/slots?date={DAY}")
        assert (answer.status, answer.body["error"]["details"]) == (404, {"resource": "barber"})


# Moved and called off ------------------------------------------------------------------------------------------------


async def test_a_customer_moves_and_cancels_in_good_time_and_staff_at_any(node: Node) -> None:
    shop = await TestShop.create(node, change_notice_minutes=120)
    for minutes, late in ((180, False), (60, True)):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        wanted = {"type": "schedule", "barberId": shop.barbers[0], "serviceIds": [shop.service]}
        for change in ({"type": "reschedule", "at": at + timedelta(days=1)}, {"type": "cancel"}):
            booking = (await send(node, customer(1), **wanted, at=at)).data["booking"]["bookingId"]
            changing = {**change, "bookingId": booking}
            if late:
                refused = await refusal(send(node, customer(1), **changing))
                assert refused.code is ErrorCode.INVALID_TRANSITION
                assert refused.details == {
                    "bookingId": booking,
                    "status": "scheduled",
                    "problem": "too_late",
                    "noticeMinutes": 120,
                }
                await send(node, shop.staff[0], **changing)
            else:
                await send(node, customer(1), **changing)
            if change["type"] == "reschedule":
                await send(node, ADMIN, type="cancel", bookingId=booking)
