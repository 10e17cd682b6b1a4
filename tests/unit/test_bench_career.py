"""The days on which waits are scored: as the queue would tell them, and with what waits are scored for in them."""

from itertools import pairwise

from loadtests.bench.career import Moment, career


def moments(barbers: int = 20, days: int = 5) -> list[list[Moment]]:
    return [list(career(seed, days)) for seed in range(barbers)]


def test_one_seed_gives_one_career() -> None:
    first, again, other = (
        [(moment.at, moment.chair, len(moment.line)) for moment in career(seed, 2)] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_moments_come_in_order_and_a_visit_that_ends_was_in_the_chair() -> None:
    for told in moments():
        for before, after in pairwise(told):
            assert before.at <= after.at
            if after.completed is not None:
                assert before.chair == after.completed[:2]
                assert after.completed[2] == after.at
        assert told[-1].chair is None
        assert told[-1].line == ()


def test_nobody_joins_during_a_break_and_every_day_has_one() -> None:
    for told in moments():
        assert not any(moment.joined and moment.paused for moment in told)
        assert {moment.day for moment in told if moment.paused} == set(range(5))


def test_barbers_differ_some_forget_and_some_customers_never_have_a_turn() -> None:
    careers = moments()
    ratios = [
        sorted((end - start) / minutes for minutes, start, end in (m.completed for m in told if m.completed))
        for told in careers
    ]
    usual = [each[len(each) // 2] for each in ratios]
    assert min(usual) < 0.9
    assert max(usual) > 1.3
    assert max(each[-1] for each in ratios) > 5
    waits = [customer.wait_from(m.at) for told in careers for m in told if m.joined for customer in m.line[-1:]]
    assert 0.02 < waits.count(None) / len(waits) < 0.3
    assert max(wait for wait in waits if wait is not None) > 60
