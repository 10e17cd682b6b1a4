"""A Chromium that is installed on this machine, driven by Playwright."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from loadtests.bench.build import MissingError
from loadtests.bench.chromium import ARGUMENTS, chromium_path

# What a page asks, and may be refused; the browser complains of that, too.
_ASKED = re.compile(r"/(api/|display/[^/]+/token)")
_THE_BROWSERS_OWN = ("net::ERR_", "WebSocket connection to", "AudioContext was not allowed to start")
_SECONDS = 20.0
expect.set_options(timeout=_SECONDS * 1000)  # its own five seconds are few on a machine that others work on


def chromium() -> str:
    """Its path. Blocking. Skips the test when there is none; in CI, where one has to be, that fails."""
    try:
        return chromium_path()
    except MissingError as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"the pages were not tried: {missing}")


@asynccontextmanager
async def browser_at(path: str) -> AsyncIterator[Browser]:
    """path: the browser's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        await browser.close()


async def new_page(browser: Browser, **options: object) -> Page:
    """A page in a context of its own, as of another person. options: of the context."""
    context = await browser.new_context(**options)  # type: ignore[arg-type]  # whatever Playwright takes there
    page = await context.new_page()
    page.set_default_timeout(_SECONDS * 1000)
    return page


async def until(page: Page, expression: str) -> Any:  # noqa: ANN401 - any JSON
    """What it gives in the page, as soon as that is true. Raises TimeoutError.

    Playwright's own wait_for_function evaluates texts in the page, which the policy of ours forbids.
    """
    async with asyncio.timeout(_SECONDS):
        while not (value := await page.evaluate(expression)):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)
    return value


@asynccontextmanager
async def browser_page(path: str) -> AsyncIterator[Page]:
    """An empty page of a browser of its own; path: the browser's."""
    async with browser_at(path) as browser:
        yield await new_page(browser)


class Console:
    """What a page complained of."""

    def __init__(self, page: Page) -> None:
        self._errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        refused = message.text.startswith("Failed to load resource") and _ASKED.search(message.location["url"])
        if message.type in {"error", "warning"} and not refused:
            self._errors.append(message.text)

    @property
    def errors(self) -> list[str]:
        """All but what the browser itself says about a server that is away, and about sound before the first touch."""
        return [text for text in self._errors if not any(words in text for words in _THE_BROWSERS_OWN)]


STORAGE_CLOSED: Final = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("The storage is closed.", "SecurityError"); } });
"""
"""As where somebody has told their browser that pages may keep nothing."""
