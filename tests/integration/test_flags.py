"""Feature flags over REST: changed by administrators, and seen by whom they are on for."""

from collections.abc import AsyncIterator

import pytest

from barberpro.domain.flags import place_of
from barberpro.server.node import NodeOptions
from tests.support.callers import Scene, scene
from tests.support.shops import ADMIN, customer


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        yield each


async def put(stage: Scene, name: str, **body: object) -> None:
    answer = await stage.door.call("PUT", f"/admin/flags/{name}", ADMIN, body)
    assert answer.status == 200, answer.body


async def on(stage: Scene, number: int) -> list[str]:
    names: list[str] = (await stage.door.get("/flags", customer(number))).data["on"]
    return names


async def test_a_flag_is_on_for_its_targets_and_its_part_of_all(stage: Scene) -> None:
    await put(stage, "new-search", percentage=40, targetUsers=[customer(1).id])
    for number in range(20):
        who = customer(number).id
        expected = number == 1 or place_of("new-search", who) < 40
        assert (await on(stage, number) == ["new-search"]) == expected
        listed = (await stage.door.get(f"/admin/flags?userId={who}", ADMIN)).data
        assert listed[0]["seen"]["on"] == expected
        assert listed[0]["seen"]["why"] == ("target" if number == 1 else "percentage" if expected else None)


async def test_what_is_not_on_for_somebody_is_not_even_named_to_them(stage: Scene) -> None:
    await put(stage, "hidden", percentage=0, targetUsers=["us_other"])
    await put(stage, "USE_BACKEND_FOR_BOOKINGS", percentage=100)
    assert await on(stage, 1) == ["USE_BACKEND_FOR_BOOKINGS"]


async def test_each_change_is_noted_and_one_that_changes_nothing_is_not(stage: Scene) -> None:
    await put(stage, "beta", percentage=10, description="A trial")
    await put(stage, "beta", percentage=10, description="A trial")
    await put(stage, "beta", percentage=20, description="A trial", targetUsers=["us_2", "us_1"])
    assert (await stage.door.call("DELETE", "/admin/flags/beta", ADMIN)).status == 200
    assert (await stage.door.call("DELETE", "/admin/flags/beta", ADMIN)).code == "NOT_FOUND"
    removed, second, first = (await stage.door.get("/admin/audit?objectType=flag", ADMIN)).data
    assert first["before"] is None
    assert (second["before"]["percentage"], second["after"]["percentage"]) == (10, 20)
    assert removed["before"]["targetUsers"] == ["us_1", "us_2"]
    assert removed["action"] == "flag.removed"
    assert await on(stage, 1) == []


async def test_flags_are_listed_by_name_page_by_page(stage: Scene) -> None:
    names = sorted(["a", "B", "c.d", "e-f", "g_h"])
    for name in names:
        await put(stage, name)
    found: list[str] = []
    query: str | None = "limit=2"
    while query is not None:
        answer = await stage.door.get(f"/admin/flags?{query}", ADMIN)
        found += [each["name"] for each in answer.data]
        cursor = answer.body["meta"]["nextCursor"]
        query = f"limit=2&cursor={cursor}" if cursor is not None else None
    assert sorted(found) == names
    assert len(found) == len(names)


async def test_what_cannot_be_a_flag_is_refused(stage: Scene) -> None:
    for field, value in (
        ("percentage", 101), ("percentage", -1), ("percentage", "10"), ("percentage", 1.5),
        ("targetUsers", ["us_1", "us 2"]), ("targetUsers", "us_1"), ("description", "\u200b"), ("name", "x"),
    ):  # fmt: skip
        answer = await stage.door.call("PUT", "/admin/flags/beta", ADMIN, {field: value})
        assert answer.refused_fields[0].startswith(field), value
    for name in ("1st", "a'b", "x" * 65, "%E2%80%8B", "a%20b"):
        assert (await stage.door.call("PUT", f"/admin/flags/{name}", ADMIN, {})).code == "NOT_FOUND", name
