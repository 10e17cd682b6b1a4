"""A few seconds of the soak: it runs, finds nobody left where nothing leaks, and finds a leak that was planted."""

import asyncio
import shlex
import sys
from typing import Any

from barberpro.server.embedded import EmbeddedServices
from tests.support import forgetful
from tests.support.benches import quick_results

Json = dict[str, Any]

FLAT = ["S1-memory", "S1-descriptors", "S1-tasks", "S1-redis-keys", "S1-redis-memory", "S1-redis-waste"]
FORGETFUL = shlex.join([sys.executable, "-P", forgetful.__file__])


async def quick_soak(stores: EmbeddedServices, *arguments: str) -> tuple[Json, Json]:
    """What was left, and the visits."""
    urls = "--database-url", stores.urls.database_url, "--redis-url", stores.urls.redis_url
    results = await quick_results("soak", *urls, *arguments)
    assert [result["id"] for result in results] == [*FLAT, "S1-left", "S1-visits"]
    return results[-2], results[-1]


async def test_a_short_soak_finds_a_hub_that_forgets_who_left_and_nobody_left_without_it(
    stores: EmbeddedServices,
) -> None:
    # At the same time: each of them mostly waits.
    (left, visits), (kept, _) = await asyncio.gather(quick_soak(stores), quick_soak(stores, "--program", FORGETFUL))
    assert left["holds"], left
    told = visits["details"]
    assert told["unexpected"] == {}
    assert told["commands_per_second"] > 0
    assert told["most"]["seats"] > 0

    assert not kept["holds"]
    before, after = kept["details"]["at_rest_before"], kept["details"]["at_rest_after"]
    assert after["seats"] > before["seats"] > 0
    assert after["connections"] == 0
