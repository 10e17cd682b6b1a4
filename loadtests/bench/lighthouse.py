"""L1: what Lighthouse says of each page, as those have it who use it, on the slow phone that it takes for one.

A page's browser is brought to where somebody has it who uses it: signed in, paired, with a ticket. Lighthouse then
opens the page's address in that profile, with the caches empty, on its own mobile settings: a network of 150 ms and
1.6 Mbit/s and a processor of a quarter of this one's speed, both reckoned from what it saw without them.
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
from playwright.async_api import Page, Playwright, async_playwright

from loadtests.bench.build import install, output
from loadtests.bench.chromium import ARGUMENTS, chromium_path
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure
from loadtests.bench.visits import (
    Addresses,
    open_shop,
    the_console,
    the_dashboard,
    the_form,
    the_kiosk,
    the_screen,
    the_ticket,
)

Json = dict[str, Any]

_DIRECTORY: Final = Path(__file__).parents[1] / "lighthouse"
_PROGRAM: Final = _DIRECTORY / "node_modules" / "lighthouse" / "cli" / "index.js"
_ASKED: Final = 90.0
_ALL: Final = 100.0
_GOOD: Final = 1.0
_CATEGORIES: Final = ("performance", "accessibility", "best-practices")
_TIMES: Final = {
    "first view, ms": "first-contentful-paint",
    "largest, ms": "largest-contentful-paint",
    "blocked, ms": "total-blocking-time",
    "sent, kB": "total-byte-weight",
}


async def _opened(path: str, page: Page, at: Addresses) -> None:
    await page.goto(at.origin + path)


async def _the_docs(page: Page, at: Addresses) -> None:
    await _opened("/docs", page, at)


async def _signing_in(page: Page, at: Addresses) -> None:
    await _opened("/console", page, at)


_PAGES: Final[dict[str, Callable[[Page, Addresses], Awaitable[None]]]] = {
    "display": the_screen,
    "join": the_form,
    "ticket": the_ticket,
    "kiosk": the_kiosk,
    "sign-in": _signing_in,
    "console": the_console,
    "admin": the_dashboard,
    "docs": _the_docs,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """One look. figures: scores from 0 to 100, and what _TIMES names. found: the audits that were not passed whole."""

    figures: dict[str, float]
    found: list[str]


async def l1(plan: Plan) -> list[Figure]:
    """Raises MissingError without Node, npm or a Chromium."""
    chromium = await asyncio.to_thread(chromium_path)
    await install(_DIRECTORY)
    looks: dict[str, list[_Told]] = {}
    async with open_shop(plan) as at, async_playwright() as playwright:
        for name in list(_PAGES)[: 1 if plan.quick else None]:
            plan.say(f"L1 {name}")
            looks[name] = [await _visited(playwright, chromium, name, at) for _ in range(plan.rounds)]
    return [_figure(looks)]


async def _visited(playwright: Playwright, chromium: str, name: str, at: Addresses) -> _Told:
    """One look, in a profile of its own.

    Lighthouse kills its browser, which then has not written down what renews the session next: who comes back with
    what did before is signed out.
    """
    with tempfile.TemporaryDirectory(prefix="barberpro-bench-browser-") as profile:
        url = await _brought(playwright, chromium, profile, name, at)
        return await _look(chromium, profile, url)


async def _brought(playwright: Playwright, chromium: str, profile: str, name: str, at: Addresses) -> str:
    """Brings the profile to where the page is in use; the page's address."""
    context = await playwright.chromium.launch_persistent_context(
        profile, executable_path=chromium, args=list(ARGUMENTS), locale="en"
    )
    page = context.pages[0]
    await _PAGES[name](page, at)
    url = page.url
    await context.close()
    return at.phone if name == "join" else url


async def _look(chromium: str, profile: str, url: str) -> _Told:
    flags = (*ARGUMENTS, "--headless=new", "--disable-background-networking", f"--user-data-dir={profile}")
    told = await output(
        "node", _PROGRAM, url, "--output=json", "--quiet", f"--only-categories={','.join(_CATEGORIES)}",
        f"--chrome-flags={' '.join(flags)}", directory=_DIRECTORY, environment={**os.environ, "CHROME_PATH": chromium},
    )  # fmt: skip  # a line for what is looked at, a line for how
    report = orjson.loads(told)
    assert "runtimeError" not in report, report["runtimeError"]
    audits, categories = report["audits"], report["categories"]
    asked = audits["network-requests"]["details"]["items"]
    assert all(each.get("statusCode", 0) < HTTPStatus.BAD_REQUEST for each in asked), asked  # as for who is signed in
    scores = {name.replace("-", " "): round(100 * categories[name]["score"]) for name in _CATEGORIES}
    times = {name: audits[audit]["numericValue"] for name, audit in _TIMES.items()}
    times["sent, kB"] /= 1000
    weighed = {each["id"] for name in _CATEGORIES for each in categories[name]["auditRefs"] if each["weight"]}
    found = [audit["title"] for key, audit in audits.items() if key in weighed and _falls_short(audit)]
    return _Told({**scores, **times, "shift": audits["cumulative-layout-shift"]["numericValue"]}, found)


def _falls_short(audit: Json) -> bool:
    return audit["score"] is not None and audit["score"] < _GOOD and audit["scoreDisplayMode"] == "binary"


def _figure(looks: dict[str, list[_Told]]) -> Figure:
    pages = {name: _median([look.figures for look in rounds]) for name, rounds in looks.items()}
    whole = all(page[name] == _ALL for page in pages.values() for name in ("accessibility", "best practices"))
    worst = min(page["performance"] for page in pages.values())
    return Figure(
        "L1",
        "Lighthouse's performance of the slowest page",
        worst,
        "of 100",
        f">= {_ASKED:.0f}, and of each page accessibility and best practices {_ALL:.0f}",
        worst >= _ASKED and whole,
        details={
            "side_by_side": pages,
            "found": {name: found for name, [*_, last] in looks.items() if (found := last.found)},
        },
    )


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(median(each[name] for each in rounds), 3 if name == "shift" else 1) for name in rounds[0]}
