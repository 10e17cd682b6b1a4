"""Money: more given back than was paid, twice, of another shop; amounts that are none; formulas in a report."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import asyncpg
import pytest

from barberpro.protocol.actors import Actor
from barberpro.server.node import NodeOptions
from tests.support.callers import Scene, scene
from tests.support.money import add_booking, ledger, rows
from tests.support.rest import Door
from tests.support.shops import ADMIN, TestShop, customer, send

PAID: Final = {"method": "cash", "amount": "250.00", "tip": "20.00"}
NO_AMOUNTS: Final[list[Any]] = [
    "-1", "-0.01", "+1", "NaN", "nan", "Infinity", "-Infinity", "inf", "1e308", "1E3", "1e-3", "0x10", "1_000", "1,000",
    "1.", ".5", "", " 1", "1 ", "1\n", "1.2345", "1234567890", "9" * 400, "\uff11\uff12", "\u0663", "1.0.0", "--1",
    "1/2", "null", 250, 250.0, 1e308, -1, True, None, [], {}, ["250.00"], {"amount": "250.00"},
]  # fmt: skip
INSERT: Final = """
    INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency,
                                of_payment_id, actor_id, actor_role)
    VALUES ('pm_1', $1, $2, 'sh_1', 'bb_1', 'bk_1_1', 'cash', $3::text::numeric, 'INR', $4, 'us_1', 'barber')
"""


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        yield each


@pytest.fixture
def door(stage: Scene) -> Door:
    return stage.door


async def paid(door: Door) -> dict[str, str]:
    """A visit that was paid for: the ids of its charge and its tip, by kind."""
    booking_id = await add_booking(door, door.shop.barbers[1])
    answer = await door.post(f"/payments/{booking_id}/record", door.shop.staff[1], PAID)
    return {line["kind"]: line["paymentId"] for line in answer.data["payments"]}


async def total(door: Door) -> Decimal:
    return sum((row["amount"] for row in await rows(door)), Decimal(0))


async def test_no_more_than_was_paid_is_given_back(door: Door) -> None:
    payment_id = (await paid(door))["charge"]
    path, staff = f"/payments/{payment_id}/refund", door.shop.staff[0]
    refused = await door.post(path, staff, {"amount": "250.01"})
    assert (refused.code, refused.status) == ("INVALID_TRANSITION", 409)
    assert refused.body["error"]["details"] == {"paymentId": payment_id, "kind": "charge", "refundable": "250.00"}
    assert (await door.post(path, staff, {"amount": "200.00"})).status == 201
    for amount in ("50.01", "200.00", "999999999.99"):
        assert (await door.post(path, staff, {"amount": amount})).code == "INVALID_TRANSITION"
    assert await total(door) == Decimal("70.00")


async def test_forty_refunds_at_once_give_back_once(door: Door) -> None:
    path = f"/payments/{(await paid(door))['charge']}/refund"
    answers = await asyncio.gather(*(door.post(path, door.shop.staff[n % 2], {}) for n in range(40)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 39
    assert await total(door) == Decimal("20.00")


async def test_parts_at_once_add_up_to_no_more_than_was_paid(door: Door) -> None:
    path = f"/payments/{(await paid(door))['charge']}/refund"
    answers = await asyncio.gather(*(door.post(path, ADMIN, {"amount": "30.00"}) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] * 8 + [409] * 12
    assert await total(door) == Decimal("30.00")


async def test_a_refund_that_is_sent_again_gives_back_once(door: Door) -> None:
    path = f"/payments/{(await paid(door))['charge']}/refund"
    answers = await asyncio.gather(
        *(door.post(path, ADMIN, {"amount": "30.00"}, Idempotency_Key="again") for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert await total(door) == Decimal("240.00")


async def test_one_key_is_not_good_for_two_payments(door: Door) -> None:
    ids = await paid(door)
    answers = [
        await door.post(f"/payments/{ids[kind]}/refund", ADMIN, {"amount": "1.00"}, Idempotency_Key="key")
        for kind in ("charge", "tip")
    ]
    assert [answer.status for answer in answers] == [201, 409]
    assert answers[1].code == "IDEMPOTENCY_MISMATCH"


async def test_one_key_is_not_good_for_a_refund_and_then_for_a_payment(door: Door) -> None:
    charge = (await paid(door))["charge"]
    before = await rows(door)
    refund, record = f"/payments/{charge}/refund", f"/payments/{before[0]['booking_id']}/record"
    first = await door.post(refund, ADMIN, {"amount": "1.00"}, Idempotency_Key="key")
    other = await door.post(record, ADMIN, {"method": "cash", "amount": "1.00"}, Idempotency_Key="key")
    assert other.code == "IDEMPOTENCY_MISMATCH"
    again = await door.post(refund, ADMIN, {"amount": "1.00"}, Idempotency_Key="key")
    assert (again.status, again.data) == (200, {**first.data, "replayed": True})
    asked = [(refund, {"amount": "2.00"}), (record, {"method": "cash", "amount": "2.00"})] * 5
    await asyncio.gather(*(door.post(path, ADMIN, body, Idempotency_Key="both") for path, body in asked))
    assert len(await rows(door)) == len(before) + 2


async def test_a_refund_cannot_be_given_back_nor_put_right(door: Door) -> None:
    ids = await paid(door)
    [line] = (await door.post(f"/payments/{ids['charge']}/refund", ADMIN, {"amount": "1.00"})).data["payments"]
    for path, body in (("refund", {}), ("correct", {"amount": "9.00", "reason": "so"})):
        assert (await door.post(f"/payments/{line['paymentId']}/{path}", ADMIN, body)).code == "INVALID_TRANSITION"


async def test_a_correction_cannot_take_away_what_was_given_back(door: Door) -> None:
    ids = await paid(door)
    await door.post(f"/payments/{ids['charge']}/refund", ADMIN, {"amount": "100.00"})
    path = f"/payments/{ids['charge']}/correct"
    refused = await door.post(path, ADMIN, {"amount": "99.99", "reason": "so"})
    assert (refused.code, refused.body["error"]["details"]["refunded"]) == ("INVALID_TRANSITION", "100.00")
    assert (await door.post(path, ADMIN, {"amount": "100.00", "reason": "so"})).status == 201
    assert (await door.post(f"/payments/{ids['charge']}/refund", ADMIN, {})).code == "INVALID_TRANSITION"


async def test_corrections_and_refunds_at_once_leave_no_payment_below_nothing(door: Door) -> None:
    ids = await paid(door)
    refunds = [door.post(f"/payments/{ids['charge']}/refund", ADMIN, {"amount": "100.00"}) for _ in range(5)]
    corrections = [
        door.post(f"/payments/{ids['charge']}/correct", ADMIN, {"amount": amount, "reason": "so"})
        for amount in ("0", "90.00", "150.00")
    ]
    await asyncio.gather(*refunds, *corrections)
    assert await total(door) >= Decimal("20.00")


def _others(stage: Scene) -> list[Actor | None]:
    """Who has no business with the shop's money, and somebody who claims to be a member of it as a customer."""
    strangers = [stage.callers[name] for name in ("barber2", "owner", "ticket", "door", "display", "kiosk", "nobody")]
    return [*strangers, replace(customer(8), shop_ids=frozenset({stage.door.shop.shop_id}))]


async def test_the_money_of_another_shop_is_neither_seen_nor_moved(stage: Scene, door: Door) -> None:
    ids = await paid(door)
    before = await rows(door)
    for who in _others(stage):
        for path, body in (
            (f"/payments/{ids['charge']}/refund", {}),
            (f"/payments/{ids['charge']}/correct", {"amount": "1.00", "reason": "mine"}),
            (f"/payments/{stage.booking}/record", {"method": "cash", "amount": "1.00"}),
        ):
            assert (await door.post(path, who, body)).status in {401, 403, 404}, (who, path)
        for path in ("/payments", "/payments/reconciliation"):
            answer = await door.get(f"{path}?shopId={door.shop.shop_id}", who)
            assert answer.status in {401, 403, 404}, (who, path)
        for path in ("/admin/payments", "/admin/bookings", "/admin/analytics", "/admin/jobs"):
            assert (await door.get(path, who)).status in {401, 403}
    stranger = stage.callers["barber2"]
    assert await ledger(door, who=stranger) == []
    assert await ledger(door, f"barberId={door.shop.barbers[1]}", stranger) == []
    assert await rows(door) == before


async def test_a_stranger_is_told_the_same_of_a_payment_that_is_there_and_one_that_is_not(
    stage: Scene, door: Door
) -> None:
    ids, stranger = await paid(door), stage.callers["barber2"]
    told = [
        (await door.post(f"/payments/{payment_id}/refund", stranger, {"amount": "0"})).body["error"]
        for payment_id in (ids["charge"], "pm_none_1", "a%00b", "x" * 65)
    ]
    assert told[0]["code"] == "NOT_FOUND"
    assert [error == told[0] for error in told] == [True] * 4


async def test_an_amount_that_is_none_is_refused_everywhere(stage: Scene, door: Door) -> None:
    ids, staff = await paid(door), door.shop.staff[0]
    [booking_id] = await door.shop.fill(door.node, 1, 0, 9)
    before = await rows(door)
    for amount in NO_AMOUNTS:
        for path, field, body in (
            (f"/payments/{booking_id}/record", "amount", {"method": "cash", "amount": amount}),
            (f"/payments/{booking_id}/record", "tip", {"method": "cash", "amount": "1.00", "tip": amount}),
            (f"/payments/{ids['charge']}/refund", "amount", {"amount": amount}),
            (f"/payments/{ids['charge']}/correct", "amount", {"amount": amount, "reason": "so"}),
        ):
            if amount is None and (field == "tip" or path.endswith("refund")):
                continue  # as if it were not given
            answer = await door.post(path, staff, body)
            assert answer.refused_fields == [field], (path, amount)
        payment = {"method": "cash", "amount": amount}
        answer = await door.patch(f"/queue/{stage.booking}/status", staff, {"status": "completed", "payment": payment})
        assert answer.refused_fields == ["payment.amount"], amount
    for amount in ("1.001", "0.125"):
        answer = await door.post(f"/payments/{booking_id}/record", staff, {"method": "cash", "amount": amount})
        assert answer.refused_fields == ["amount"]
    nothing = await door.post(f"/payments/{ids['charge']}/refund", staff, {"amount": "0.00"})
    assert nothing.refused_fields == ["amount"]
    assert await rows(door) == before


async def test_numbers_that_json_does_not_have_are_no_amounts(door: Door) -> None:
    [booking_id] = await door.shop.fill(door.node, 1, 0, 9)
    for raw in (b"NaN", b"Infinity", b"-Infinity", b"1e309", b"-0", b"1e308", b"01"):
        body = b'{"method": "cash", "amount": ' + raw + b"}"
        answer = await door.post(f"/payments/{booking_id}/record", ADMIN, body)
        assert answer.status == 400, raw
    assert await rows(door) == []


async def test_methods_and_fields_that_are_none_are_refused_by_name(door: Door) -> None:
    [booking_id] = await door.shop.fill(door.node, 1, 0, 9)
    path, body = f"/payments/{booking_id}/record", {"method": "cash", "amount": "1.00"}
    for more in (
        {"method": "cheque"}, {"method": "CASH"}, {"currency": "USD"}, {"kind": "refund"}, {"barberId": "bb_1"},
        {"at": "2020-01-01T00:00:00Z"}, {"shopId": "sh_1"}, {"amount_": "1"},
    ):  # fmt: skip
        assert (await door.post(path, ADMIN, {**body, **more})).refused_fields == [next(iter(more))]
    assert await rows(door) == []


async def test_the_database_itself_refuses_lines_that_cannot_be(door: Door) -> None:
    charge = (await paid(door))["charge"]
    for kind, purpose, amount, of_payment in (
        ("charge", "service", "-1", None), ("charge", "tip", "1", None), ("tip", "tip", "0", None),
        ("charge", "service", "NaN", None), ("charge", "service", "Infinity", None),
        ("charge", "service", "1e13", None), ("charge", "service", "0.00001", None),
        ("charge", "service", "1", charge), ("refund", "service", "-1", None), ("refund", "service", "1", charge),
        ("correction", "service", "0", charge), ("gift", "service", "1", None),
    ):  # fmt: skip
        with pytest.raises(asyncpg.CheckViolationError):
            await door.node.pool.execute(INSERT, kind, purpose, amount, of_payment)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await door.node.pool.execute(INSERT, "refund", "service", "-1", "pm_none")


async def test_a_guest_who_pays_has_no_part_in_what_is_written_down(stage: Scene, door: Door) -> None:
    """The payment at complete comes from staff alone."""
    command = {"type": "complete", "bookingId": stage.booking, "payment": PAID}
    for name in ("owner", "ticket", "barber2"):
        who = stage.callers[name]
        answer = await door.post("/queue/commands", who, {"commandId": f"c-{name}", **command})
        assert answer.status in {403, 404}
    assert await rows(door) == []


async def test_a_command_of_another_shop_cannot_be_taken_for_ones_own(stage: Scene, door: Door) -> None:
    """Keys are a shop's own: the same one in another shop is another."""
    other = Door(door.node, stage.other, door.client, door.gate)
    for own in (door, other):
        shop: TestShop = own.shop
        [booking_id] = await shop.fill(door.node, 1, 1, 11)
        answer = await own.post(
            f"/payments/{booking_id}/record", shop.staff[1], {"method": "cash", "amount": "5"}, Idempotency_Key="one"
        )
        assert answer.status == 201
        await send(door.node, customer(11), type="cancel", bookingId=booking_id)
    assert [row["shop_id"] for row in await rows(door)] == [door.shop.shop_id, stage.other.shop_id]
