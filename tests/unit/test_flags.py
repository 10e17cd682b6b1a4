"""Feature flags: places that never move."""

from datetime import UTC, datetime
from itertools import pairwise

from barberpro.domain.flags import is_on, place_of, why_on
from barberpro.storage.flags import Flag

USERS = [f"us_{number}" for number in range(5000)]


def flag(percentage: int, *targets: str, name: str = "beta") -> Flag:
    return Flag(name, None, percentage, frozenset(targets), datetime.now(UTC), "us_admin")


def seen(percentage: int, name: str = "beta") -> set[str]:
    flags = {name: flag(percentage, name=name)}
    return {user for user in USERS if is_on(flags, name, user)}


def test_places_are_the_same_in_every_release() -> None:
    # Another hash would switch features off and on for people who have got used to them.
    assert [place_of("beta", f"us_{number}") for number in range(6)] == [83, 45, 0, 75, 48, 35]


def test_whoever_sees_a_flag_goes_on_seeing_it_as_it_is_rolled_out() -> None:
    steps = [seen(percentage) for percentage in (0, 1, 10, 50, 100)]
    assert steps[0] == set()
    assert steps[-1] == set(USERS)
    assert all(before < after for before, after in pairwise(steps))


def test_about_so_many_percent_see_it() -> None:
    for percentage in (1, 10, 50, 90):
        assert abs(len(seen(percentage)) / len(USERS) * 100 - percentage) < 2.5


def test_the_first_of_one_flag_are_others_than_the_first_of_another() -> None:
    both = seen(50) & seen(50, "gamma")
    assert abs(len(both) / len(USERS) - 0.25) < 0.03


def test_targets_see_it_besides_and_an_unknown_flag_is_off() -> None:
    assert why_on(flag(0, "us_1"), "us_1") == "target"
    assert why_on(flag(0, "us_1"), "us_2") is None
    assert why_on(flag(100), "us_2") == "percentage"
    assert not is_on({}, "beta", "us_1")
