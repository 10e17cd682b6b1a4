"""A gauge's course: what is level is called flat, what climbs is not, and it is told what a day would bring."""

import pytest

from loadtests.bench.soak.flatness import Bound, course_of

BOUND = Bound(part=0.05, least=4.0)
TIMES = [5.0 * number for number in range(60)]


def test_what_moves_around_a_level_is_flat() -> None:
    course = course_of(TIMES, [100.0 + 3 * (-1) ** number for number in range(60)])
    assert BOUND.holds(course)
    assert course.most == 103
    assert abs(course.a_day) < 1000


def test_what_climbs_all_the_time_is_not_flat() -> None:
    course = course_of(TIMES, [100.0 + at / 10 for at in TIMES])
    assert not BOUND.holds(course)
    assert course.grown == pytest.approx(25.0)
    assert course.a_day == pytest.approx(8640)


def test_what_was_high_for_a_moment_is_flat() -> None:
    course = course_of(TIMES, [900.0 if number in {4, 30, 58} else 100.0 for number in range(60)])
    assert BOUND.holds(course)
    assert course.most == 900


def test_what_is_small_may_grow_by_a_little() -> None:
    assert BOUND.holds(course_of(TIMES, [1.0] * 30 + [5.0] * 30))
    assert not BOUND.holds(course_of(TIMES, [1.0] * 30 + [5.1] * 30))


def test_what_falls_is_flat() -> None:
    assert BOUND.holds(course_of(TIMES, [500.0 - at for at in TIMES]))


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="11 values are too few: 12"):
        course_of(TIMES[:11], TIMES[:11])
