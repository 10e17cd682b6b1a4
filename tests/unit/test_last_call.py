"""What a join brings with it when the shop closes soon."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from barberpro.protocol.times import now_millis
from barberpro.queue.estimate import PaceEstimator
from barberpro.queue.fold import ShopState
from barberpro.queue.last_call import LastCall, last_call
from barberpro.queue.states import StateBuilder
from barberpro.storage.catalogue import Barber, Rules, Service, Shop

MINUTE = 60_000
CUT = Service("sv_1", "Cut", Decimal("250.00"), 20)
RULES = Rules(
    queue_capacity=100, grace_seconds=0, grace_action="skip", max_skips=2, late_seconds=0, remote_join=True,
    closing_cutoff=True, slot_minutes=15, change_notice_minutes=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(
        shop_id="sh_1", name="The Shop", time_zone="Etc/UTC", zone=ZoneInfo("Etc/UTC"), currency="INR",
        public_display=True, rules=RULES, address_sealed=None, latitude=None, longitude=None, opening_hours={},
        owners=frozenset(), barbers={"bb_1": Barber("bb_1", "sh_1", "Asha", {"sv_1": CUT})}, policy=b"{}",
        revision=0, read_on=date(2026, 11, 21),
    )  # fmt: skip


def called(shop: Shop, minutes: float) -> LastCall:
    """minutes: until the shop closes."""
    closes_at = now_millis() + round(minutes * MINUTE)
    return last_call(StateBuilder(PaceEstimator()), ShopState("sh_1"), shop, "bb_1", ["sv_1"], closes_at)


def test_it_reaches_past_the_closing_so_that_the_scripts_clock_may_be_behind(shop: Shop) -> None:
    minutes = called(shop, 120).p90_minutes
    assert list(minutes) == sorted(minutes)
    assert minutes[0] < 60
    assert minutes[-2] <= 180 < minutes[-1]


def test_it_is_no_longer_than_the_line_may_be(shop: Shop) -> None:
    small = replace(shop, rules=replace(RULES, queue_capacity=3))
    assert len(called(small, 24 * 60).p90_minutes) == 3


def test_after_the_closing_there_is_still_one_entry_to_tell_by_how_much(shop: Shop) -> None:
    late = called(shop, -300)
    assert len(late.p90_minutes) == 1
    closed = datetime.fromisoformat(late.document["closesAt"])
    assert closed < datetime.now(UTC) - timedelta(hours=4)


def test_on_a_day_without_hours_there_is_no_time_for_anybody() -> None:
    assert LastCall(None).document == {"p90Minutes": []}
