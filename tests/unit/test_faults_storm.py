"""A storm's faults come in the order that its seed draws, whatever they take, and never two on one thing."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from loadtests.faults import storm
from loadtests.faults.faults import Fault
from loadtests.faults.history import History
from loadtests.faults.site import Site
from loadtests.faults.storm import MOST_AT_ONCE, Storm

SITE = cast("Site", SimpleNamespace(servers=[SimpleNamespace(name="server-a"), SimpleNamespace(name="server-b")]))
ENOUGH = 40
TAKES = {"one": {"server"}, "two": {"valkey"}, "three": {"postgres"}, "four": {"server", "valkey"}}


async def begun(monkeypatch: pytest.MonkeyPatch, slow: float) -> tuple[list[tuple[str, str]], int]:
    """The faults of a short storm, each with the server it was done to; and how many there were at once."""
    under_way: list[frozenset[str]] = []
    most = 0

    def fault(name: str, takes: set[str]) -> Fault:
        async def act(_site: Site, server: Any, dice: random.Random) -> str:  # noqa: ANN401 - stands for a Server
            nonlocal most
            mine = frozenset(server.name if each == "server" else each for each in takes)
            assert not any(mine & others for others in under_way)
            under_way.append(mine)
            most = max(most, len(under_way))
            await asyncio.sleep(dice.random() * slow)
            under_way.remove(mine)
            return "done"

        return Fault(name, frozenset(takes), 1, act)

    monkeypatch.setattr(storm, "FAULTS", [fault(name, takes) for name, takes in TAKES.items()])
    monkeypatch.setattr(storm, "_GAP_SECONDS", 0.002)
    lines: list[dict[str, Any]] = []
    history = cast("History", SimpleNamespace(write=lambda _kind, **line: lines.append(line)))
    raging = Storm(SITE, history, seed=7)
    while raging.done < ENOUGH:
        await raging.rage(0.05)
    return [(line["name"], line["on"]) for line in lines if line["phase"] == "begun"], most


async def test_a_seed_draws_the_same_faults_whatever_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, _ = await begun(monkeypatch, slow=0.0)
    slow, most = await begun(monkeypatch, slow=0.03)
    assert quick[:ENOUGH] == slow[:ENOUGH]
    assert {name for name, _ in quick} == set(TAKES)
    assert 1 < most <= MOST_AT_ONCE
