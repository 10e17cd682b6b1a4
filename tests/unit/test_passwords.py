"""Passwords: what they cost, and how many are looked at together."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from barberpro.domain.accounts import passwords
from barberpro.domain.accounts.federated import Federated, InvalidIdToken
from barberpro.domain.accounts.passwords import Passwords
from barberpro.protocol.codes import ErrorCode
from tests.support.shops import VIA, code_of


async def test_a_password_is_argon2id_over_64_mib() -> None:
    kept = Passwords()
    hashed = await kept.hash("a long password")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not kept.is_dated(hashed)
    assert await kept.matches(hashed, "a long password")
    assert not await kept.matches(hashed, "another password")
    assert kept.is_dated(PasswordHasher.from_parameters(CHEAPEST).hash("a long password"))
    kept.close()


async def test_a_flood_of_passwords_takes_two_threads_and_then_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", CHEAPEST)
    kept, go, lock = Passwords(), threading.Event(), threading.Lock()
    together, most = 0, 0

    def slow(*_given: Any) -> str:  # noqa: ANN401 - the hasher's
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        go.wait(60)
        with lock:
            together -= 1
        return "hashed"

    monkeypatch.setattr(kept, "_hasher", type("Slow", (), {"hash": slow})())
    flood = [asyncio.create_task(kept.hash("x")) for _ in range(52)]
    await asyncio.sleep(0)
    assert await code_of(kept.hash("one too many")) is ErrorCode.RATE_LIMIT_EXCEEDED
    go.set()
    assert set(await asyncio.gather(*flood)) == {"hashed"}
    assert most <= 2
    kept.close()


async def test_a_provider_that_does_not_answer_holds_up_no_password_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "COST", CHEAPEST)
    go = threading.Event()

    def silent(_token: str) -> Mapping[str, Any]:
        go.wait(60)
        raise InvalidIdToken

    nothing = cast("Any", None)  # of what comes after verifying
    kept, federated = Passwords(), Federated(nothing, nothing, nothing, {"google": silent})
    waiting = [asyncio.create_task(code_of(federated.login("google", "a.b.c", VIA, None))) for _ in range(64)]
    try:
        await asyncio.sleep(0)  # each has its place in a line by now
        async with asyncio.timeout(30):
            assert (await kept.hash("a long password")).startswith("$argon2id$")
            assert await asyncio.to_thread(str, 7) == "7"
    finally:
        go.set()
    assert set(await asyncio.gather(*waiting)) == {ErrorCode.UNAUTHORIZED}
    kept.close()
    federated.close()
