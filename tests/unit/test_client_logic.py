"""The client's decisions: no server, no clock, no chance."""

import pytest

from barberpro.clients.python.errors import error_from_wire
from barberpro.clients.python.feeds import Feed, Watch
from barberpro.clients.python.logic import (
    RetryPolicy,
    Verdict,
    Version,
    is_older,
    judge,
    restart_delay,
    version_of,
)
from barberpro.clients.python.tokens import TokenSource
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError


def test_a_lower_epoch_is_older_whatever_the_seq() -> None:
    assert not is_older(Version(2, 1), Version(1, 900))
    assert is_older(Version(1, 901), Version(2, 1))


def test_the_same_version_is_not_older_and_none_is_older_than_nothing() -> None:
    assert not is_older(Version(1, 5), Version(1, 5))
    assert not is_older(Version(0, 0), None)


def test_a_message_without_a_whole_version_has_none() -> None:
    assert version_of({"epoch": 1, "seq": 2}) == Version(1, 2)
    assert version_of({"epoch": 1}) is None
    assert version_of({"epoch": "1", "seq": 2}) is None


def test_the_bound_of_the_wait_doubles_up_to_the_longest() -> None:
    policy = RetryPolicy(first_delay=0.2, longest_delay=5.0)
    assert [policy.delay(attempt, lambda: 1.0) for attempt in (1, 2, 3, 6, 100)] == [0.2, 0.4, 0.8, 5.0, 5.0]


def test_the_wait_may_be_anything_below_its_bound_and_above_what_was_asked() -> None:
    policy = RetryPolicy(first_delay=0.2)
    assert policy.delay(1, lambda: 0.0) == 0.0
    assert policy.delay(1, lambda: 0.5, at_least=3.0) == pytest.approx(3.1)


def test_a_temporary_refusal_is_repeated_and_a_lasting_one_is_not() -> None:
    assert judge(BarberProError(ErrorCode.SHUTTING_DOWN), may_renew=False) is Verdict.REPEAT
    assert judge(BarberProError(ErrorCode.QUEUE_FULL), may_renew=True) is Verdict.GIVE_UP


def test_an_expired_token_is_renewed_only_where_a_fresh_one_can_be_had() -> None:
    expired = BarberProError(ErrorCode.TOKEN_EXPIRED)
    assert judge(expired, may_renew=True) is Verdict.RENEW_TOKEN
    assert judge(expired, may_renew=False) is Verdict.GIVE_UP


def test_a_restarting_server_is_left_alone_for_as_long_as_it_asked_and_a_little_longer() -> None:
    assert restart_delay(100.0, 2000, now=100.5, dice=lambda: 0.0) == pytest.approx(1.5)
    assert restart_delay(100.0, 2000, now=100.5, dice=lambda: 1.0) == pytest.approx(2.5)
    assert restart_delay(100.0, 2000, now=200.0, dice=lambda: 0.0) == 0.0


@pytest.mark.parametrize(
    ("temporary", "code"), [(True, ErrorCode.PERSISTENCE_UNAVAILABLE), (False, ErrorCode.INTERNAL_ERROR)]
)
def test_an_unknown_code_is_repeated_or_not_as_the_server_said(temporary: bool, code: ErrorCode) -> None:
    error = error_from_wire({"code": "NEW_CODE", "message": "something new", "temporary": temporary})
    assert error.code is code
    assert error.temporary is temporary
    assert error.message == "something new"
    assert error.details == {"code": "NEW_CODE"}


def test_an_error_keeps_its_details_and_what_was_asked_to_wait() -> None:
    error = error_from_wire({"code": "RATE_LIMIT_EXCEEDED", "details": {"limit": 30}}, retry_after=7.0)
    assert error.code is ErrorCode.RATE_LIMIT_EXCEEDED
    assert error.details == {"limit": 30}
    assert error.retry_after == 7.0


@pytest.mark.parametrize("document", [None, "no", [], {}])
def test_an_error_that_is_none_is_an_internal_one(document: object) -> None:
    assert error_from_wire(document).code is ErrorCode.INTERNAL_ERROR


def test_a_feed_takes_only_newer_states() -> None:
    feed = Feed("queue:bb_1")
    assert feed.apply({"epoch": 1, "seq": 4})
    assert not feed.apply({"epoch": 1, "seq": 4})
    assert not feed.apply({"epoch": 1, "seq": 3})
    assert not feed.apply({"seq": 9})
    assert feed.apply({"epoch": 2, "seq": 1})
    assert feed.version == Version(2, 1)


async def test_a_watcher_who_comes_later_gets_what_is_known_and_a_slow_one_the_newest() -> None:
    feed = Feed("queue:bb_1")
    slow = Watch(feed, lambda _feed, _watch: None)
    feed.apply({"epoch": 1, "seq": 1})
    feed.apply({"epoch": 1, "seq": 2})
    late = Watch(feed, lambda _feed, _watch: None)
    assert (await anext(slow))["seq"] == (await anext(late))["seq"] == 2


async def test_a_watch_tells_its_last_state_before_its_error_and_ends_when_closed() -> None:
    feed = Feed("queue:bb_1")
    watch, left = Watch(feed, lambda _feed, _watch: None), Watch(feed, lambda _feed, _watch: None)
    feed.apply({"epoch": 1, "seq": 1})
    left.close()
    feed.fail(BarberProError(ErrorCode.FORBIDDEN))
    assert (await anext(watch))["seq"] == 1
    with pytest.raises(BarberProError):
        await anext(watch)
    assert [state async for state in left] == []


async def test_a_provider_is_asked_once_until_its_token_expires() -> None:
    given = iter(["first", "second"])
    source = TokenSource(lambda: next(given))
    assert [await source.get(), await source.get()] == ["first", "first"]
    assert source.expire()
    assert await source.get() == "second"


async def test_a_fixed_token_stays_until_it_is_replaced() -> None:
    source = TokenSource("fixed")
    assert not source.expire()
    assert await source.get() == "fixed"
    source.replace("other")
    assert await source.get() == "other"
