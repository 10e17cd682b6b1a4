"""W1: how soon a page shows something on a slow phone that has never been here.

A Chromium with an empty cache loads each page over a network of 150 ms a round trip, 1.6 Mbit/s down and 0.75 up, on a
processor of a quarter of this one's speed: what Lighthouse takes for a slow phone. The first view is the browser's own
first contentful paint; the whole is its largest contentful paint, once the page has been quiet for a while. The bytes
are those that came over the network, heads of answers aside.
"""

import asyncio
from dataclasses import dataclass
from statistics import median
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

from loadtests.bench.chromium import ARGUMENTS, chromium_path
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.visits import open_shop

_ASKED_MS: Final = 1000.0
_ASKED_BYTES: Final = 100_000
_PATHS: Final = ("kiosk", "console", "admin", "reset-password", "docs")
"""Beside those of the shop's own addresses."""
_NETWORK: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_SLOWER: Final = 4
_VIEWPORT: Final = {"width": 412, "height": 823}
_WATCH: Final = """
window.largest = 0;
new PerformanceObserver((list) => { window.largest = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""
_READ: Final = """
() => {
  const parts = performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"));
  const [first] = performance.getEntriesByName("first-contentful-paint");
  const sum = (name) => parts.reduce((total, part) => total + part[name], 0);
  return [first.startTime, window.largest, sum("encodedBodySize"), sum("decodedBodySize"), parts.length];
}
"""


@dataclass(frozen=True, slots=True)
class _View:
    """Milliseconds; bytes as they came, and unpacked."""

    first: float
    whole: float
    sent: float
    unpacked: float
    requests: float


async def w1(plan: Plan) -> list[Figure]:
    async with open_shop(plan) as at, async_playwright() as playwright:
        path = await asyncio.to_thread(chromium_path)
        urls = {"display": at.screen, "join": at.phone, **{name: f"{at.origin}/{name}" for name in _PATHS}}
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        views: dict[str, list[_View]] = {}
        for number in range(plan.rounds):
            plan.say(f"W1 round {number + 1}")
            for name, url in urls.items():
                views.setdefault(name, []).append(await _view(browser, url))
        await browser.close()
    return [_figure({name: _median(rounds) for name, rounds in views.items()})]


async def _view(browser: Browser, url: str) -> _View:
    """One visit of somebody new."""
    context = await browser.new_context(viewport=_VIEWPORT)  # type: ignore[arg-type]  # a dict is what it takes
    try:
        page = await context.new_page()
        await _slow_down(page)
        await page.add_init_script(_WATCH)
        answer = await page.goto(url)
        assert answer is not None
        assert answer.status == 200, answer.url
        await page.wait_for_load_state("networkidle")
        return _View(*await page.evaluate(_READ))
    finally:
        await context.close()


async def _slow_down(page: Page) -> None:
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send("Network.emulateNetworkConditions", _NETWORK)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})


def _median(views: list[_View]) -> _View:
    columns = zip(*((view.first, view.whole, view.sent, view.unpacked, view.requests) for view in views), strict=True)
    return _View(*map(median, columns))


def _figure(views: dict[str, _View]) -> Figure:
    worst = max(view.first for view in views.values())
    return Figure(
        "W1",
        "first view on a slow phone, of the slowest page",
        worst,
        "ms",
        f"<= {_ASKED_MS:.0f}, and each page below {_ASKED_BYTES / 1000:.0f} kB",
        worst <= _ASKED_MS and all(view.sent < _ASKED_BYTES for view in views.values()),
        details={"side_by_side": {name: _told(view) for name, view in views.items()}},
    )


def _told(view: _View) -> dict[str, float]:
    return {
        "first view, ms": round(view.first),
        "whole, ms": round(view.whole),
        "sent, kB": round(view.sent / 1000, 1),
        "unpacked, kB": round(view.unpacked / 1000, 1),
        "requests": view.requests,
    }
