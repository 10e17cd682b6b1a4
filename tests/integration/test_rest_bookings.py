"""Bookings over REST: made, changed, looked at; by those who may, and by those who may not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import NodeOptions
from tests.support.rest import Answer, Door, rest_door
from tests.support.shops import ADMIN, Json, TestShop, customer, new_id, send

STRANGER = customer(99)
ZONE = "America/New_York"


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options, zone=ZONE) as door:
        yield door


def in_days(days: int) -> str:
    return (datetime.now(ZoneInfo(ZONE)).date() + timedelta(days=days)).isoformat()


async def joined(door: Door, number: int = 1, barber: int = 0, **fields: object) -> str:
    answer = await door.post("/bookings", customer(number), door.booking_body(barber, **fields))
    return str(answer.data["booking"]["bookingId"])


async def scheduled(door: Door, who: Actor, clock: str = "10:00") -> Answer:
    body = door.booking_body(bookingDate=in_days(30), preferredTime=clock)
    return await door.post("/bookings", who, body)


# Made ------------------------------------------------------------------------------------------------------------


async def test_a_customer_joins_and_is_told_where_to_look(door: Door) -> None:
    answer = await door.post("/bookings", customer(1), door.booking_body(notes="short, please"))
    booking = answer.data["booking"]
    assert answer.status == 201
    assert answer.headers["Location"] == f"/api/v1/bookings/{booking['bookingId']}"
    assert (booking["tokenNumber"], booking["status"], booking["position"]) == (1, "next", 1)
    assert answer.data["queue"]["barberId"] == door.shop.barbers[0]
    assert answer.data["replayed"] is False


async def test_the_same_key_gives_the_same_booking_and_says_so(door: Door) -> None:
    key = new_id()
    first = await door.post("/bookings", customer(1), door.booking_body(), Idempotency_Key=key)
    again = await door.post("/bookings", customer(1), door.booking_body(), Idempotency_Key=key)
    assert (first.status, again.status) == (201, 200)
    assert again.data == {**first.data, "replayed": True}


async def test_the_same_key_with_other_content_is_refused(door: Door) -> None:
    key = new_id()
    await door.post("/bookings", customer(1), door.booking_body(), Idempotency_Key=key)
    other = await door.post("/bookings", customer(1), door.booking_body(notes="x"), Idempotency_Key=key)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")


async def test_without_a_key_a_repetition_is_a_second_booking_and_refused_as_one(door: Door) -> None:
    await joined(door)
    again = await door.post("/bookings", customer(1), door.booking_body())
    assert (again.status, again.code) == (409, "ALREADY_IN_QUEUE")


async def test_a_key_that_was_made_up_is_told_and_repeats_the_command(door: Door) -> None:
    first = await door.post("/bookings", customer(1), door.booking_body())
    key = first.headers["Idempotency-Key"]
    again = await door.post("/bookings", customer(1), door.booking_body(), Idempotency_Key=key)
    assert again.data == {**first.data, "replayed": True}


async def test_a_key_that_is_no_id_is_refused_by_name(door: Door) -> None:
    for key in ("", "a b", "x" * 65):
        answer = await door.post("/bookings", customer(1), door.booking_body(), Idempotency_Key=key)
        assert answer.refused_fields == ["Idempotency-Key"]


async def test_staff_take_in_a_walk_in_by_name(door: Door) -> None:
    body = door.booking_body(customer={"name": "Asha", "phone": "+91 98450 00000"})
    booking_id = (await door.post("/bookings", door.shop.staff[0], body)).data["booking"]["bookingId"]
    shown = await door.get(f"/bookings/{booking_id}", door.shop.staff[1])
    assert shown.data["customerName"] == "Asha"
    assert "98450" not in str(shown.body)
    assert "sealed" not in str(shown.body)


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"barberId": None}, "barberId"),
        ({"serviceIds": []}, "serviceIds"),
        ({"serviceIds": ["sv_twice", "sv_twice"]}, "serviceIds"),
        ({"serviceIds": ["sv_unknown"]}, "serviceIds.0"),
        ({"services": []}, "services"),
        ({"commandId": "c1"}, "commandId"),
        ({"type": "open"}, "type"),
        ({"customer": {"name": "A", "age": 3}}, "customer.age"),
        ({"bookingDate": "2030-01-01"}, "preferredTime"),
        ({"preferredTime": "10:00"}, "bookingDate"),
        ({"bookingDate": "soon", "preferredTime": "10:00"}, "bookingDate"),
        ({"bookingDate": "2030-01-01", "preferredTime": "10:00", "at": 1}, "at"),
        ({"bookingDate": "2020-01-01", "preferredTime": "10:00"}, "preferredTime"),  # long past
    ],
)
async def test_a_bad_field_of_a_new_booking_is_refused_by_name(door: Door, change: Json, refused: str) -> None:
    answer = await door.post("/bookings", customer(1), {**door.booking_body(), **change})
    assert answer.refused_fields == [refused]


async def test_a_booking_with_a_barber_whom_nobody_knows_is_not_found(door: Door) -> None:
    for more in ({}, {"bookingDate": in_days(3), "preferredTime": "10:00"}):
        body = {**door.booking_body(), "barberId": "bb_nobody", **more}
        answer = await door.post("/bookings", customer(1), body)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"resource": "queue"})


async def test_nobody_books_without_a_token(door: Door) -> None:
    assert (await door.post("/bookings", None, {"bad": "body"})).status == 401


# Appointments ----------------------------------------------------------------------------------------------------


async def test_an_appointment_is_at_the_shops_own_time(door: Door) -> None:
    answer = await scheduled(door, customer(1), "10:30")
    assert answer.status == 201
    assert answer.data["booking"]["status"] == "scheduled"
    shown = (await door.get(f"/bookings/{answer.data['booking']['bookingId']}", customer(1))).data
    at = datetime.fromisoformat(shown["appointmentAt"]).astimezone(ZoneInfo(ZONE))
    assert (at.date().isoformat(), f"{at:%H:%M}") == (in_days(30), "10:30")
    assert (shown["kind"], shown["tokenNumber"], shown["position"], shown["joinedAt"]) == ("appointment",) + (None,) * 3


async def test_two_appointments_cannot_overlap(door: Door) -> None:
    assert (await scheduled(door, customer(1), "10:00")).status == 201
    taken = await scheduled(door, customer(2), "10:10")
    assert (taken.status, taken.code) == (409, "SLOT_TAKEN")


async def test_an_appointment_gets_another_time(door: Door) -> None:
    booking_id = (await scheduled(door, customer(1))).data["booking"]["bookingId"]
    path, wanted = f"/bookings/{booking_id}", {"bookingDate": in_days(31), "preferredTime": "16:00"}
    assert (await door.patch(path, customer(1), wanted)).data["booking"]["status"] == "scheduled"
    at = datetime.fromisoformat((await door.get(path, customer(1))).data["appointmentAt"])
    assert f"{at.astimezone(ZoneInfo(ZONE)):%H:%M}" == "16:00"


async def test_another_time_that_does_not_exist_or_is_past_is_refused_by_name(door: Door) -> None:
    path = f"/bookings/{(await scheduled(door, customer(1))).data['booking']['bookingId']}"
    for day in ("2030-03-10", "2020-01-01"):  # the clocks go forward; long ago
        answer = await door.patch(path, customer(1), {"bookingDate": day, "preferredTime": "02:30"})
        assert answer.refused_fields == ["preferredTime"]
        # To whom the booking is not known, nothing about the shop's clocks is told.
        stranger = await door.patch(path, STRANGER, {"bookingDate": day, "preferredTime": "02:30"})
        assert stranger.status == 404


async def test_an_appointment_of_another_day_cannot_check_in_today(door: Door) -> None:
    path = f"/bookings/{(await scheduled(door, customer(1))).data['booking']['bookingId']}"
    answer = await door.patch(path, customer(1), {"status": "waiting"})
    assert (answer.status, answer.code) == (409, "INVALID_TRANSITION")


async def test_an_appointment_of_today_checks_in(options: NodeOptions) -> None:
    async with rest_door(options) as door:
        soon = datetime.now(UTC) + timedelta(minutes=2)
        if soon.date() != datetime.now(UTC).date():
            pytest.skip("the day is about to turn")
        body = door.booking_body(bookingDate=soon.date().isoformat(), preferredTime=f"{soon:%H:%M}")
        made = await door.post("/bookings", customer(1), body)
        path = f"/bookings/{made.data['booking']['bookingId']}"
        answer = await door.patch(path, customer(1), {"status": "waiting"})
        assert (answer.status, answer.data["booking"]["status"]) == (200, "next")
        history = (await door.get(f"{path}/history", customer(1))).data
        assert [entry["status"] for entry in history] == ["scheduled", "next"]


# Changed ---------------------------------------------------------------------------------------------------------


async def test_a_customer_cancels_with_a_reason(door: Door) -> None:
    path = f"/bookings/{await joined(door)}"
    answer = await door.patch(path, customer(1), {"status": "cancelled", "reason": "running late"})
    assert (answer.status, answer.data["booking"]["status"]) == (200, "cancelled")
    shown = (await door.get(path, customer(1))).data
    assert (shown["endReason"], shown["cancelledBy"], shown["position"]) == ("running late", "customer", None)


async def test_a_cancellation_repeated_with_its_key_is_the_same_one(door: Door) -> None:
    path, key = f"/bookings/{await joined(door)}", new_id()
    first = await door.patch(path, customer(1), {"status": "cancelled"}, Idempotency_Key=key)
    again = await door.patch(path, customer(1), {"status": "cancelled"}, Idempotency_Key=key)
    assert again.data == {**first.data, "replayed": True}
    other = await door.patch(path, customer(1), {"status": "cancelled"})
    assert (other.status, other.code) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, ["bookingDate", "preferredTime"]),
        ({"status": "serving"}, ["status"]),
        ({"status": ["cancelled"]}, ["status"]),
        ({"status": "cancelled", "bookingDate": "2030-01-01"}, ["bookingDate"]),
        ({"status": "waiting", "reason": "x"}, ["reason"]),
        ({"status": "cancelled", "bookingId": "bk_x_1"}, ["bookingId"]),
        ({"bookingDate": "2030-01-01", "preferredTime": "10:00", "notes": "x"}, ["notes"]),
    ],
)
async def test_any_other_change_of_a_booking_is_refused_by_name(door: Door, body: Json, refused: list[str]) -> None:
    path = f"/bookings/{await joined(door)}"
    assert (await door.patch(path, customer(1), body)).refused_fields == refused


# Looked at -------------------------------------------------------------------------------------------------------


async def test_a_booking_shows_its_place_and_what_it_is_of(door: Door) -> None:
    await joined(door, 1)
    booking_id = await joined(door, 2, notes="left side shorter")
    shown = (await door.get(f"/bookings/{booking_id}", customer(2))).data
    assert shown["services"] == [
        {"serviceId": door.shop.service, "name": "Cut", "price": "250.00", "durationMinutes": 20}
    ]
    expected = {
        "bookingId": booking_id,
        "shopId": door.shop.shop_id,
        "shopName": "The Shop",
        "barberId": door.shop.barbers[0],
        "barberName": "Barber 0",
        "tokenNumber": 2,
        "businessDate": in_days(0),
        "status": "waiting",
        "kind": "walk_in",
        "position": 2,
        "aheadCount": 1,
        "servingToken": None,
        "customerName": "Customer 2",
        "totalPrice": "250.00",
        "currency": "INR",
        "durationMinutes": 20,
        "notes": "left side shorter",
        "skipCount": 0,
        "startedAt": None,
        "payment": None,
    }
    assert {name: shown[name] for name in expected} == expected
    assert shown["joinedAt"].endswith("Z")
    wait = shown["estimatedWait"]
    assert 15 <= wait["p50Minutes"] == shown["estimatedWaitTime"] <= 20 < wait["p90Minutes"]


async def test_a_token_shows_how_the_line_goes(door: Door) -> None:
    await joined(door, 1)
    booking_id = await joined(door, 2)
    await send(door.node, door.shop.staff[0], type="advance", barberId=door.shop.barbers[0])
    shown = (await door.get(f"/bookings/{booking_id}/token", customer(2))).data
    assert 15 <= shown.pop("estimatedWait")["p50Minutes"] <= 20
    assert shown == {
        "bookingId": booking_id,
        "barberId": door.shop.barbers[0],
        "tokenNumber": 2,
        "businessDate": in_days(0),
        "status": "next",
        "position": 1,
        "aheadCount": 0,
        "servingToken": 1,
    }


async def test_a_completed_booking_shows_its_payment_and_no_place(door: Door) -> None:
    booking_id = await joined(door)
    staff, payment = door.shop.staff[0], {"method": "cash", "amount": "250.00"}
    await send(door.node, staff, type="start", bookingId=booking_id)
    await send(door.node, staff, type="complete", bookingId=booking_id, payment=payment)
    shown = (await door.get(f"/bookings/{booking_id}", customer(1))).data
    assert (shown["status"], shown["payment"]) == ("completed", payment)
    assert [shown[name] for name in ("position", "aheadCount", "estimatedWait", "servingToken")] == [None] * 4
    assert shown["startedAt"] <= shown["endedAt"]


@pytest.mark.parametrize("path", ["", "/token", "/history"])
async def test_a_booking_is_shown_to_those_whom_it_concerns_and_exists_for_nobody_else(door: Door, path: str) -> None:
    booking_id = await joined(door)
    other = await TestShop.create(door.node)
    guest = Actor("gt_1", Role.GUEST, booking_id=booking_id)
    display = Actor("ds_1", Role.DISPLAY, shop_ids=frozenset({door.shop.shop_id}))
    for who in (customer(1), *door.shop.staff, ADMIN, guest):
        assert (await door.get(f"/bookings/{booking_id}{path}", who)).status == 200
    wrong_guest = Actor("gt_2", Role.GUEST, booking_id=await joined(door, 2))
    for who in (STRANGER, *other.staff, wrong_guest, display):
        answer = await door.get(f"/bookings/{booking_id}{path}", who)
        assert (answer.status, answer.body["error"]["details"]) == (404, {"resource": "booking"})
    assert (await door.get(f"/bookings/{booking_id}{path}")).status == 401
    made_up = "bk_" + door.shop.shop_id.removeprefix("sh_") + "_0000"
    for nowhere in (made_up, "bk_noshop_0000", "nonsense"):
        assert (await door.get(f"/bookings/{nowhere}{path}", ADMIN)).status == 404


async def test_a_booking_is_changed_by_those_whom_it_concerns_and_exists_for_nobody_else(door: Door) -> None:
    booking_id = await joined(door)
    other = await TestShop.create(door.node)
    for who in (STRANGER, *other.staff, Actor("gt_2", Role.GUEST, booking_id="bk_x_1")):
        answer = await door.patch(f"/bookings/{booking_id}", who, {"status": "cancelled"})
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert (await door.patch(f"/bookings/{booking_id}", None, {"status": "cancelled"})).status == 401
    guest = Actor("gt_1", Role.GUEST, booking_id=booking_id)
    assert (await door.patch(f"/bookings/{booking_id}", guest, {"status": "cancelled"})).status == 200


async def test_a_booking_just_made_on_another_node_is_shown_with_its_place(door: Door, options: NodeOptions) -> None:
    await door.get(f"/queue/{door.shop.barbers[0]}")  # this node's view is loaded
    async with rest_door(options) as other:
        other.shop = door.shop
        booking_ids = [await joined(other, number) for number in range(5)]
        shown = await asyncio.gather(*(door.get(f"/bookings/{it}", ADMIN) for it in booking_ids))
        assert [answer.data["position"] for answer in shown] == [1, 2, 3, 4, 5]
