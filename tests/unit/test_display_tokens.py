"""One token for all screens of a shop, until half of its life is over."""

import time

import pytest

from barberpro.handlers.display_tokens import DisplayTokens
from barberpro.protocol.actors import Role
from tests.support.rest import tokens

HOUR = 3600


def test_a_shop_has_one_token_until_half_its_life_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    displays, now = DisplayTokens(tokens()), time.time()
    first = displays.of("sh_1")
    assert displays.of("sh_1") == first
    assert displays.of("sh_2") != first
    monkeypatch.setattr(time, "time", lambda: now + 11.9 * HOUR)
    assert displays.of("sh_1") == first
    monkeypatch.setattr(time, "time", lambda: now + 12.1 * HOUR)
    second = displays.of("sh_1")
    assert second != first
    assert displays.of("sh_1") == second
    assert tokens().verify(first).expires_at > time.time() + 11 * HOUR


def test_the_token_opens_the_display_of_its_shop_only() -> None:
    actor = tokens().verify(DisplayTokens(tokens()).of("sh_1")).actor
    assert (actor.role, actor.shop_ids, actor.barber_id) == (Role.DISPLAY, frozenset({"sh_1"}), None)
