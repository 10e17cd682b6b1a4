"""The ledger: written with the event, by hand, and only ever added to."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import pytest

from barberpro.domain.money import Request, record
from barberpro.protocol.money import RecordPayment
from barberpro.server.node import NodeOptions
from tests.support.money import earned, ledger, rows, visit
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, VIA, TestShop, customer, new_id, refusal, send

CASH = {"method": "cash", "amount": "250.00"}


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def test_what_is_paid_at_complete_stands_in_the_ledger_with_the_event(door: Door) -> None:
    booking_id = await visit(door, 1, {"method": "upi", "amount": "250", "tip": "20.5"})
    tip, charged = await ledger(door)
    assert charged | {"at": "", "paymentId": ""} == {
        "paymentId": "",
        "kind": "charge",
        "purpose": "service",
        "shopId": door.shop.shop_id,
        "barberId": door.shop.barbers[0],
        "bookingId": booking_id,
        "method": "upi",
        "amount": "250.00",
        "currency": "INR",
        "ofPaymentId": None,
        "reason": None,
        "at": "",
        "recordedBy": door.shop.staff[0].id,
        "recordedByRole": "barber",
    }
    assert (tip["kind"], tip["purpose"], tip["amount"], tip["at"]) == ("tip", "tip", "20.50", charged["at"])
    ended = await door.get(f"/bookings/{booking_id}", door.shop.staff[0])
    assert charged["at"] == ended.data["endedAt"]


async def test_advance_charges_the_one_who_leaves_and_a_repetition_charges_nothing(door: Door) -> None:
    node, shop = door.node, door.shop
    first, second = await shop.fill(node, 2)
    await send(node, shop.staff[0], type="start", bookingId=first)
    command = {"commandId": new_id(), "type": "advance", "barberId": shop.barbers[0], "payment": CASH}
    for _ in range(2):
        await send(node, shop.staff[0], **command)
    await send(node, shop.staff[0], type="complete", bookingId=second)
    assert [(line["bookingId"], line["amount"]) for line in await ledger(door)] == [(first, "250.00")]


async def test_a_payment_that_would_be_nobodys_is_refused_and_not_dropped(door: Door) -> None:
    node, shop = door.node, door.shop
    await shop.fill(node, 1)
    command = {"type": "advance", "barberId": shop.barbers[0]}
    refused = await refusal(send(node, shop.staff[0], **command, payment=CASH))
    assert (refused.code, refused.details) == (
        "INVALID_TRANSITION",
        {"barberId": shop.barbers[0], "problem": "nobody_serving"},
    )
    await send(node, shop.staff[0], **command)
    await send(node, shop.staff[0], **command, payment=CASH)
    assert [line["amount"] for line in await ledger(door)] == ["250.00"]


async def test_a_visit_that_is_over_within_one_batch_is_charged_in_its_currency(door: Door) -> None:
    node, shop = door.node, door.shop
    staff = shop.staff[0]

    async def quick(number: int) -> None:
        await shop.fill(node, 1, 0, number)

    await asyncio.gather(*(quick(number) for number in range(12)))
    await send(node, staff, type="start", barberId=shop.barbers[0])
    commands = [send(node, staff, type="advance", barberId=shop.barbers[0], payment=CASH) for _ in range(12)]
    await asyncio.gather(*commands)
    lines = await ledger(door)
    assert len({line["bookingId"] for line in lines}) == len(lines) == 12
    assert {(line["amount"], line["currency"]) for line in lines} == {("250.00", "INR")}


async def test_nothing_in_the_ledger_can_be_changed_or_taken_away(door: Door) -> None:
    await visit(door, 1, CASH)
    for statement in (
        "UPDATE payment_ledger SET amount = 1",
        "DELETE FROM payment_ledger",
        "TRUNCATE payment_ledger",
        "UPDATE payment_ledger SET amount = 1 WHERE false",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await door.node.pool.execute(statement)


async def test_a_payment_is_recorded_afterwards_once_for_each_key(door: Door) -> None:
    booking_id, staff = await visit(door, 1), door.shop.staff[0]
    body = {"method": "card", "amount": "240.00", "tip": "10.00"}
    path = f"/payments/{booking_id}/record"
    first = await door.post(path, staff, body, Idempotency_Key="key-1")
    assert (first.status, first.data["replayed"]) == (201, False)
    assert [line["kind"] for line in first.data["payments"]] == ["charge", "tip"]
    again = await door.post(path, staff, body, Idempotency_Key="key-1")
    assert (again.status, again.data) == (200, {**first.data, "replayed": True})
    other = await door.post(path, staff, {**body, "amount": "241.00"}, Idempotency_Key="key-1")
    assert other.code == "IDEMPOTENCY_MISMATCH"
    assert len(await rows(door)) == 2
    await door.post(path, staff, body)
    assert len(await rows(door)) == 4


async def test_twenty_at_once_with_one_key_record_one_payment(door: Door) -> None:
    booking_id, staff = await visit(door, 1), door.shop.staff[0]
    path = f"/payments/{booking_id}/record"
    answers = await asyncio.gather(*(door.post(path, staff, CASH, Idempotency_Key="key-1") for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.data["payments"][0]["paymentId"] for answer in answers}) == 1
    assert len(await rows(door)) == 1


async def test_a_part_is_given_back_and_then_the_rest(door: Door) -> None:
    await visit(door, 1, CASH)
    [paid] = await ledger(door)
    path, staff = f"/payments/{paid['paymentId']}/refund", door.shop.staff[1]
    [part] = (await door.post(path, staff, {"amount": "100.00", "reason": "too short"})).data["payments"]
    assert (part["kind"], part["amount"], part["method"], part["ofPaymentId"], part["reason"]) == (
        "refund",
        "-100.00",
        "cash",
        paid["paymentId"],
        "too short",
    )
    [rest] = (await door.post(path, staff, {"method": "upi"})).data["payments"]
    assert (rest["amount"], rest["method"]) == ("-150.00", "upi")
    assert (await door.post(path, staff, {})).code == "INVALID_TRANSITION"
    assert (await earned(door))["total"] == "0.00"


async def test_a_correction_writes_down_the_difference(door: Door) -> None:
    await visit(door, 1, {"method": "cash", "amount": "2500.00"})
    [paid] = await ledger(door)
    path, staff = f"/payments/{paid['paymentId']}/correct", door.shop.staff[0]
    [line] = (await door.post(path, staff, {"amount": "250.00", "reason": "a nought too many"})).data["payments"]
    assert (line["kind"], line["amount"]) == ("correction", "-2250.00")
    again = await door.post(path, staff, {"amount": "250.00", "reason": "as I said"})
    assert again.refused_fields == ["amount"]
    [line] = (await door.post(path, staff, {"amount": "260.00", "reason": "it was this"})).data["payments"]
    assert line["amount"] == "10.00"
    sums = await earned(door)
    assert (sums["charges"], sums["corrections"], sums["total"]) == ("2500.00", "-2240.00", "260.00")
    assert (await door.get(f"/admin/audit?objectId={line['paymentId']}", ADMIN)).data[0][
        "action"
    ] == "payment.corrected"


async def test_lists_are_filtered_and_paged(door: Door) -> None:
    for number in range(5):
        await visit(door, number, {"method": ("cash", "card")[number % 2], "amount": "1.00", "tip": "1"}, number % 2)
    every = await ledger(door)
    assert len(every) == 10
    assert [line["at"] for line in every] == sorted((line["at"] for line in every), reverse=True)
    one = every[0]
    for query, wanted in (
        ("kind=tip", [line for line in every if line["kind"] == "tip"]),
        ("method=card", [line for line in every if line["method"] == "card"]),
        (f"barberId={door.shop.barbers[1]}", [line for line in every if line["barberId"] == door.shop.barbers[1]]),
        (f"bookingId={one['bookingId']}", [line for line in every if line["bookingId"] == one["bookingId"]]),
        (f"to={one['at']}", [line for line in every if line["at"] < one["at"]]),
        (f"from={one['at']}", [line for line in every if line["at"] >= one["at"]]),
        ("kind=tip&method=upi", []),
    ):
        assert await ledger(door, query) == wanted, query
    for path in ("/payments", "/admin/payments"):
        seen, query = [], "limit=3"
        while query:
            page = await door.get(f"{path}?{query}", ADMIN)
            seen += page.data
            cursor = page.body["meta"]["nextCursor"]
            query = f"limit=3&cursor={cursor}" if cursor else ""
        assert seen == every


async def test_what_cannot_be_searched_for_is_refused_by_name(door: Door) -> None:
    for query in ("kind=gift", "method=shells", "from=2026-01-01", "cursor=x", "limit=0", "bookingId=a%00", "x=1"):
        assert (await door.get(f"/payments?{query}", ADMIN)).refused_fields == [query.partition("=")[0]]


async def test_what_does_not_add_up_is_listed(door: Door) -> None:
    node, staff = door.node, door.shop.staff[0]
    unpaid = await visit(door, 1)
    await visit(door, 2, CASH)
    short = await visit(door, 3, {"method": "card", "amount": "200.00", "tip": "50.00"})
    free = await visit(door, 4, {"method": "cash", "amount": "0"})
    [gone] = await door.shop.fill(node, 1, 0, 5)
    await door.post(f"/payments/{gone}/record", staff, CASH)
    await send(node, customer(5), type="cancel", bookingId=gone)
    answer = await door.get("/payments/reconciliation", staff)
    found = {each["bookingId"]: (each["problem"], each["paid"], each["difference"]) for each in answer.data}
    assert found == {
        unpaid: ("unpaid", "0.00", "-250.00"),
        short: ("difference", "200.00", "-50.00"),
        free: ("difference", "0.00", "-250.00"),
        gone: ("no_visit", "250.00", "250.00"),
    }
    assert answer.body["meta"]["timeZone"] == "Etc/UTC"
    [only] = (await door.get("/payments/reconciliation?problem=unpaid", staff)).data
    assert only == {
        "bookingId": unpaid,
        "problem": "unpaid",
        "barberId": door.shop.barbers[0],
        "status": "completed",
        "currency": "INR",
        "price": "250.00",
        "paid": "0.00",
        "difference": "-250.00",
        "endedAt": only["endedAt"],
    }
    seen, query = [], "limit=1"
    while query:
        page = await door.get(f"/payments/reconciliation?{query}", staff)
        seen += [each["bookingId"] for each in page.data]
        cursor = page.body["meta"]["nextCursor"]
        query = f"limit=1&cursor={cursor}" if cursor else ""
    assert seen == [each["bookingId"] for each in answer.data]
    yesterday = await door.get("/payments/reconciliation?from=2026-01-01&to=2026-01-02", staff)
    assert yesterday.data == []


async def test_a_visit_that_costs_nothing_adds_up_without_a_payment(door: Door) -> None:
    node = door.node
    shop = await TestShop.create(node, barbers=1)
    await node.pool.execute("UPDATE services SET price = 0 WHERE shop_id = $1", shop.shop_id)
    node.catalogue.forget(shop.shop_id)
    await shop.open(node)
    free = Door(node, shop, door.client, door.gate)
    booking_id = await visit(free, 1)
    assert (await free.get("/payments/reconciliation", shop.staff[0])).data == []
    await free.post(f"/payments/{booking_id}/record", shop.staff[0], CASH)
    [found] = (await free.get("/payments/reconciliation", shop.staff[0])).data
    assert (found["problem"], found["difference"]) == ("difference", "250.00")


async def test_a_payment_made_right_no_longer_shows_up(door: Door) -> None:
    booking_id, staff = await visit(door, 1, {"method": "cash", "amount": "2500.00"}), door.shop.staff[0]
    [paid] = await ledger(door)
    await door.post(f"/payments/{paid['paymentId']}/correct", staff, {"amount": "250.00", "reason": "a nought"})
    assert (await door.get("/payments/reconciliation", staff)).data == []
    one_more = RecordPayment(method="cash", amount="1.00")
    await record(door.node.pool, Request(staff, VIA, new_id()), booking_id, one_more)
    [found] = (await door.get("/payments/reconciliation", staff)).data
    assert (found["problem"], found["difference"]) == ("difference", "1.00")


@pytest.mark.parametrize(("currency", "price", "shown", "refused"), [
    ("JPY", "3000", "3000", "1.5"), ("KWD", "5.500", "5.500", "1.0001"), ("INR", "250.00", "250.00", "1.125"),
])  # fmt: skip
async def test_a_currency_has_its_own_number_of_decimals(
    door: Door, currency: str, price: str, shown: str, refused: str
) -> None:
    node = door.node
    shop = await TestShop.create(node, barbers=1)
    await node.pool.execute("UPDATE shops SET currency = $2 WHERE shop_id = $1", shop.shop_id, currency)
    await node.pool.execute("UPDATE services SET price = $2 WHERE shop_id = $1", shop.shop_id, Decimal(price))
    node.catalogue._forget(node.catalogue._shops[shop.shop_id])  # it would be asked for again in some seconds
    own = Door(node, shop, door.client, door.gate)
    await shop.open(node)
    [booking_id] = await shop.fill(node, 1)
    await send(node, shop.staff[0], type="start", bookingId=booking_id)
    path = f"/queue/{booking_id}/status"
    for field in ("amount", "tip"):
        payment = {"method": "cash", "amount": price, field: refused}
        answer = await own.patch(path, shop.staff[0], {"status": "completed", "payment": payment})
        assert answer.refused_fields == [f"payment.{field}"]
    done = await own.patch(path, shop.staff[0], {"status": "completed", "payment": {"method": "cash", "amount": price}})
    assert done.status == 200
    assert (await own.get(f"/bookings/{booking_id}", shop.staff[0])).data["totalPrice"] == shown
    [line] = await ledger(own)
    assert (line["amount"], line["currency"]) == (shown, currency)
    assert (await earned(own))["total"] == shown
    again = await own.post(f"/payments/{line['paymentId']}/refund", shop.staff[0], {"amount": refused})
    assert again.refused_fields == ["amount"]
    assert (await own.get("/payments/reconciliation", shop.staff[0])).data == []
