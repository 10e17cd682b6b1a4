"""Earnings and the ledger are one: whatever is paid, given back and put right, and on whatever day."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from barberpro.domain import money
from barberpro.domain.earnings import earnings_of
from barberpro.domain.money import Request
from barberpro.domain.periods import Period
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import new_barber_id
from barberpro.protocol.money import CorrectPayment, CurrencySums, RecordPayment, RefundPayment
from barberpro.server.node import NodeOptions
from barberpro.storage.ledger import sums_of_barber
from tests.fuzz.effort import examples
from tests.support.money import add_booking, add_charges, earned, visit
from tests.support.rest import Door, rest_door
from tests.support.shops import ADMIN, VIA, new_id


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


METHODS = st.sampled_from(["cash", "card", "upi"])
AMOUNTS = st.decimals(0, 500, places=2).map(str) | st.sampled_from(["0", "0.01", "999999999.99"])
RECORD = st.tuples(st.just("record"), METHODS, AMOUNTS, st.none() | AMOUNTS)
REFUND = st.tuples(st.just("refund"), st.integers(0, 9), st.none() | AMOUNTS, st.none() | METHODS)
CORRECT = st.tuples(st.just("correct"), st.integers(0, 9), AMOUNTS, st.none())
STEPS = st.lists(RECORD | REFUND | REFUND | CORRECT, max_size=12)


class Purse:
    """What should be in the ledger: the same rules, on plain numbers."""

    def __init__(self) -> None:
        self.payments: list[dict[str, Decimal]] = []
        self.ids: list[str] = []
        self.methods: list[str] = []
        self.sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.by_method: defaultdict[str, Decimal] = defaultdict(Decimal)

    def put(self, kind: str, purpose: str, method: str, amount: Decimal) -> None:
        for name in (kind, f"for {purpose}", "total"):
            self.sums[name] += amount
        self.by_method[method] += amount

    def equals(self, told: CurrencySums) -> bool:
        def same(text: str, amount: Decimal) -> bool:
            return Decimal(text) == amount

        return (
            same(told["charges"], self.sums["charge"])
            and same(told["tips"], self.sums["tip"])
            and same(told["refunds"], self.sums["refund"])
            and same(told["corrections"], self.sums["correction"])
            and same(told["forServices"], self.sums["for service"])
            and same(told["forTips"], self.sums["for tip"])
            and same(told["total"], self.sums["total"])
            and all(same(amount, self.by_method[method]) for method, amount in told["byMethod"].items())  # type: ignore[arg-type]  # mypy takes the values of a TypedDict for objects
        )


async def _record(door: Door, purse: Purse, booking_id: str, method: str, amount: str, tip: str | None) -> None:
    asked = RecordPayment.model_validate({"method": method, "amount": amount, "tip": tip})
    done = await money.record(door.node.pool, Request(ADMIN, VIA, new_id()), booking_id, asked)
    for line in done["payments"]:
        purse.ids.append(line["paymentId"])
        purse.methods.append(method)
        purse.payments.append(
            {"paid": Decimal(line["amount"]), "back": Decimal(0), "tip": Decimal(line["kind"] == "tip")}
        )
        purse.put(line["kind"], line["purpose"], method, Decimal(line["amount"]))
    assert len(done["payments"]) == (2 if tip is not None and Decimal(tip) > 0 else 1)


async def _refund(door: Door, purse: Purse, which: int, amount: str | None, method: str | None) -> None:
    payment = purse.payments[which]
    left = payment["paid"] - payment["back"]
    wanted = left if amount is None else Decimal(amount)
    asked = RefundPayment.model_validate({"amount": amount, "method": method})
    request = Request(ADMIN, VIA, new_id())
    if wanted <= 0 or wanted > left:
        with pytest.raises(BarberProError):
            await money.refund(door.node.pool, request, purse.ids[which], asked)
        return
    await money.refund(door.node.pool, request, purse.ids[which], asked)
    payment["back"] += wanted
    purse.put("refund", "tip" if payment["tip"] else "service", method or purse.methods[which], -wanted)


async def _correct(door: Door, purse: Purse, which: int, amount: str) -> None:
    payment, right = purse.payments[which], Decimal(amount)
    asked = CorrectPayment.model_validate({"amount": amount, "reason": "so it was"})
    request = Request(ADMIN, VIA, new_id())
    if right == payment["paid"] or right < payment["back"]:
        with pytest.raises(BarberProError):
            await money.correct(door.node.pool, request, purse.ids[which], asked)
        return
    await money.correct(door.node.pool, request, purse.ids[which], asked)
    purse.put("correction", "tip" if payment["tip"] else "service", purse.methods[which], right - payment["paid"])
    payment["paid"] = right


@examples(60)
@given(steps=STEPS)
@example(steps=[("record", "cash", "250.00", "20.00"), ("refund", 1, None, None), ("correct", 0, "0", None)])
async def test_whatever_is_paid_given_back_and_put_right_earnings_are_the_ledgers_sum(
    door: Door, steps: list[tuple[str, object, object, object]]
) -> None:
    barber_id, purse = new_barber_id(), Purse()
    booking_id = await add_booking(door, barber_id)
    for what, first, second, third in steps:
        if what == "record":
            await _record(door, purse, booking_id, str(first), str(second), third if third is None else str(third))
        elif purse.ids and isinstance(first, int):
            which, amount = first % len(purse.ids), second if second is None else str(second)
            if what == "refund":
                await _refund(door, purse, which, amount, third if third is None else str(third))
            else:
                await _correct(door, purse, which, str(amount))
    now = datetime.now(UTC)
    period = Period.around("month", now.date(), LOCAL["Etc/UTC"])
    told = earnings_of(await sums_of_barber(door.node.pool, barber_id, period.bounds()), list(period.days()), "INR")
    assert len(told) == 1
    assert purse.equals(told[0])
    summed = await door.node.pool.fetchval("SELECT sum(amount) FROM payment_ledger WHERE barber_id = $1", barber_id)
    assert Decimal(told[0]["total"]) == (summed or 0)
    assert sum(Decimal(day["total"]) for day in told[0]["days"]) == Decimal(told[0]["total"])


ZONES = [
    "America/New_York", "Europe/Berlin", "Australia/Sydney",
    "America/Santiago",  # changes at midnight itself
    "America/Havana",  # has one midnight twice
    "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/UTC",
]  # fmt: skip
LOCAL = {zone: ZoneInfo(zone) for zone in ZONES}
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
MINUTES = st.integers(-3 * 24 * 60, 40 * 24 * 60)


@examples(60)
@given(zone=st.sampled_from(ZONES), name=st.sampled_from(["day", "week", "month"]), day=DAYS, minutes=st.lists(MINUTES))
@example(zone="America/Santiago", name="day", day=date(2026, 9, 6), minutes=[179, 180, 239, 240, 241, 1619, 1620])
@example(zone="America/Havana", name="day", day=date(2026, 11, 1), minutes=[239, 240, 299, 300, 1739, 1740])
@example(zone="Europe/Berlin", name="day", day=date(2026, 3, 29), minutes=[-61, -60, 0, 1319, 1320])
async def test_each_line_counts_for_the_day_that_the_shops_clocks_showed(
    door: Door, zone: str, name: str, day: date, minutes: list[int]
) -> None:
    local, barber_id = LOCAL[zone], new_barber_id()
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    charges = [(Decimal(number + 1), start + timedelta(minutes=each)) for number, each in enumerate(minutes)]
    await add_charges(door, barber_id, charges)
    period = Period.around(name, day, local)  # type: ignore[arg-type]  # one of the three
    told = earnings_of(await sums_of_barber(door.node.pool, barber_id, period.bounds()), list(period.days()), "INR")[0]
    by_day: dict[str, Decimal] = {each.isoformat(): Decimal(0) for each in period.days()}
    for amount, at in charges:
        shown = at.astimezone(local).date().isoformat()
        if shown in by_day:
            by_day[shown] += amount
    assert {own["date"]: Decimal(own["total"]) for own in told["days"]} == by_day
    assert Decimal(told["total"]) == sum(by_day.values())


async def test_a_barber_sees_what_they_earned_and_nothing_of_the_others(door: Door) -> None:
    await visit(door, 1, {"method": "cash", "amount": "250.00", "tip": "20.00"})
    await visit(door, 2, {"method": "upi", "amount": "120.50"})
    await visit(door, 3, {"method": "card", "amount": "99.99"}, barber=1)
    today = datetime.now(UTC).date()
    sums = {
        "charges": "370.50",
        "tips": "20.00",
        "refunds": "0.00",
        "corrections": "0.00",
        "total": "390.50",
        "forServices": "370.50",
        "forTips": "20.00",
    }
    answer = await door.get(f"/queue/earnings?date={today}", door.shop.staff[0])
    assert answer.data == {
        "period": "day",
        "from": today.isoformat(),
        "to": today.isoformat(),
        "timeZone": "Etc/UTC",
        "barberId": door.shop.barbers[0],
        "earnings": [
            {
                "currency": "INR",
                **sums,
                "byMethod": {"cash": "270.00", "card": "0.00", "upi": "120.50"},
                "days": [{"date": today.isoformat(), **sums}],
            }
        ],
    }
    assert (await earned(door, f"date={today}", barber=1))["total"] == "99.99"
    week = (await door.get(f"/queue/earnings?period=week&date={today}", door.shop.staff[0])).data
    assert date.fromisoformat(week["from"]).isoweekday() == 1
    assert (len(week["earnings"][0]["days"]), week["earnings"][0]["total"]) == (7, "390.50")
    assert (await earned(door, "date=2026-01-01"))["total"] == "0.00"


async def test_a_change_of_currency_leaves_both_apart(door: Door) -> None:
    barber_id = door.shop.barbers[0]
    for currency in ("INR", "JPY"):
        booking_id = await add_booking(door, barber_id, currency)
        await door.post(f"/payments/{booking_id}/record", ADMIN, {"method": "cash", "amount": "500"})
    told = (await door.get("/queue/earnings", door.shop.staff[0])).data["earnings"]
    assert [(own["currency"], own["total"]) for own in told] == [("INR", "500.00"), ("JPY", "500")]


async def test_a_period_that_is_none_is_refused_by_name(door: Door) -> None:
    for query in ("period=year", "date=yesterday", "date=2026-02-30", "date=1999-01-01", "barberId=bb_1"):
        for path in ("/queue/earnings", "/queue/stats"):
            answer = await door.get(f"{path}?{query}", door.shop.staff[0])
            assert answer.refused_fields == [query.partition("=")[0]]
    assert (await door.get("/queue/earnings?period=month&date=2999-12-31", door.shop.staff[0])).status == 200
