"""A Chromium that is installed on this machine, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 20.0


def chromium() -> str:
    """Its path. Blocking. Skips the test when there is none; in CI, where one has to be, that fails."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        words = "no Chromium is installed: the display page was not tried in a browser"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
    return found


@asynccontextmanager
async def browser_page(path: str) -> AsyncIterator[Page]:
    """An empty page of a browser of its own; path: the browser's."""
    async with async_playwright() as playwright:
        # Without a sandbox: containers give it no namespaces, and it opens nothing but our own pages.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(_SECONDS * 1000)
        yield page
        await browser.close()


class Console:
    """What a page complained of."""

    def __init__(self, page: Page) -> None:
        self._errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._errors.append(message.text)

    @property
    def errors(self) -> list[str]:
        """All but what the browser itself says about a server that is away."""
        return [text for text in self._errors if "net::ERR_" not in text and "WebSocket connection to" not in text]
