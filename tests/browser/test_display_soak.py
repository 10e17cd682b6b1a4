"""A screen that runs for weeks, at high speed: what it keeps does not grow.

`pytest tests/browser/test_display_soak.py --screen-minutes 60 -s` runs for an hour, and tells each measurement; in the
suite it is a few seconds.
"""

import itertools
import time
from statistics import median
from typing import Final, NamedTuple

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.support.browsers import until
from tests.support.screens import BRIEFLY
from tests.support.shops import customer, send
from tests.support.stage import Stage

_ROUNDS: Final = 8
"""Measurements; the server is restarted in each."""
_CUT_EVERY: Final = 200
"""Commands between two cuts of all connections."""
_HEAP_SLACK: Final = 400_000
"""Bytes: what code that is compiled later, and the engine's own caches, may add."""


class Weight(NamedTuple):
    """heap: bytes in use after a collection. nodes and listeners: of all documents."""

    heap: int
    nodes: int
    listeners: int


async def weigh(cdp: CDPSession) -> Weight:
    await cdp.send("HeapProfiler.collectGarbage")
    told = await cdp.send("Performance.getMetrics")
    by_name = {metric["name"]: int(metric["value"]) for metric in told["metrics"]}
    return Weight(by_name["JSHeapUsedSize"], by_name["Nodes"], by_name["JSEventListeners"])


async def work(stage: Stage, numbers: "itertools.count[int]", until_time: float) -> None:
    """Customers come and go at both barbers, as fast as the engine goes; now and then everybody is cut off."""
    for turn in itertools.count():
        for barber in (0, 1):
            await send(stage.backstage, customer(next(numbers)), **stage.shop.join(barber))
            await stage.does(barber, "advance")
        if turn % _CUT_EVERY == _CUT_EVERY - 1:
            stage.server.cut()
        if time.monotonic() > until_time:
            return


async def settled(stage: Stage, page: Page) -> None:
    """After another start of the server: live, and nothing is being announced."""
    await stage.stop()
    await stage.start()
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "live", timeout=30_000)
    await until(page, "!document.getElementById('call').textContent")


async def test_a_screen_that_runs_for_weeks_does_not_grow(stage: Stage, request: pytest.FixtureRequest) -> None:
    seconds = request.config.getoption("--screen-minutes") * 60 / _ROUNDS
    for barber in (0, 1):
        await stage.shop.fill(stage.backstage, 4, barber=barber, first=10 * barber)
    page, numbers, weights = await stage.page(), itertools.count(100), list[Weight]()
    await page.add_init_script(BRIEFLY)
    await page.goto(f"{stage.url}/display/{stage.shop.shop_id}")
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    for _ in range(_ROUNDS):
        await work(stage, numbers, time.monotonic() + seconds)
        await settled(stage, page)
        weights.append(await weigh(cdp))
        print(f"{next(numbers) - 100} customers: {weights[-1]}")
    early, late = weights[1 : _ROUNDS // 2], weights[_ROUNDS // 2 :]  # the first still grows into its code
    assert median(each.nodes for each in late) <= median(each.nodes for each in early) + 10
    assert median(each.listeners for each in late) <= median(each.listeners for each in early) + 2
    assert median(each.heap for each in late) <= median(each.heap for each in early) + _HEAP_SLACK
