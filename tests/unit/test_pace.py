"""A barber's pace, measured: where it starts, where it goes, and what cannot move it."""

import random

import pytest

from barberpro.queue.pace import NEW_BARBER, Record
from barberpro.storage.snapshot import VISITS_KEPT, Visit


def visits(*ratios: float, minutes: int = 20, first: int = 0) -> list[Visit]:
    """Visits with these real minutes per planned one, an hour apart."""
    starts = [(first + number) * 3_600_000 for number in range(len(ratios))]
    return [Visit(at + round(ratio * minutes * 60_000), at, minutes) for at, ratio in zip(starts, ratios, strict=True)]


def test_a_new_barber_needs_what_is_planned_more_or_less() -> None:
    assert Record([]).pace == NEW_BARBER
    assert NEW_BARBER.ratio == pytest.approx(1.0)
    assert 0.3 < NEW_BARBER.spread < 0.5
    assert 0.1 < NEW_BARBER.doubt < 0.3


def test_the_first_visits_move_the_figure_a_little_and_more_of_them_a_lot() -> None:
    ratios = [Record(visits(*[1.6] * count)).pace.ratio for count in (0, 1, 3, 10, 50)]
    assert ratios == sorted(ratios)
    assert ratios[1] < 1.12
    assert ratios[4] > 1.45


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("spread", [0.15, 0.3])
def test_it_converges_to_what_is_true(speed: float, spread: float) -> None:
    luck = random.Random(f"{speed} {spread}")  # noqa: S311 - a test's dice
    pace = Record(visits(*(speed * luck.gammavariate(spread**-2, spread**2) for _ in range(VISITS_KEPT)))).pace
    assert pace.ratio == pytest.approx(speed, rel=0.1)
    assert pace.spread == pytest.approx(spread, abs=0.1)
    assert pace.doubt < NEW_BARBER.doubt / 2


@pytest.mark.parametrize("absurd", [0.0, 25.0, 500.0])
def test_a_forgotten_press_moves_it_no_more_than_a_slow_or_fast_visit(absurd: float) -> None:
    usual = [1.2] * 20
    clean, spoilt = Record(visits(*usual)).pace, Record(visits(*usual, absurd)).pace
    assert spoilt.ratio == pytest.approx(clean.ratio, rel=0.1)
    assert spoilt == Record(visits(*usual, absurd + 1000 if absurd else 0.1)).pace


def test_who_is_really_three_times_as_slow_is_measured_as_such() -> None:
    assert Record(visits(*[3.0] * VISITS_KEPT)).pace.ratio > 2.5


def test_newer_visits_weigh_more() -> None:
    assert (
        Record(visits(*[1.0] * 10, *[1.5] * 10)).pace.ratio > Record(visits(*[1.5] * 10, *[1.0] * 10)).pace.ratio + 0.05
    )


def test_a_record_keeps_the_visits_that_ended_last_in_whatever_order_they_come() -> None:
    history = visits(*(0.8 + number / 100 for number in range(VISITS_KEPT + 20)))
    shuffled = random.Random(1).sample(history, len(history))  # noqa: S311 - a test's dice
    added = Record()
    for visit in shuffled:
        added.add(visit)
    assert list(added.visits) == list(Record(shuffled).visits) == history[-VISITS_KEPT:]
    assert added.pace == Record(history).pace == Record(history[-VISITS_KEPT:]).pace


def test_a_visit_changes_the_pace_that_was_asked_for_before() -> None:
    record = Record(visits(1.0, 1.0))
    before = record.pace
    assert record.pace is before
    record.add(visits(2.0, first=9)[0])
    assert record.pace.ratio > before.ratio
