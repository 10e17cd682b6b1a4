"""axe-core in a page: what keeps people from using it, by WCAG 2.2 A and AA. Holds no tests itself."""

import asyncio
import os
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from loadtests.bench.build import MissingError, install

_DIRECTORY: Final = Path(__file__).parents[1] / "browser" / "axe"
_SCRIPT: Final = _DIRECTORY / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN: Final = """
async (rules) => (await axe.run(document, { runOnly: rules })).violations.map(
  ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target, any, all, none }) =>
    [target.join(" "), ...[...any, ...all, ...none].map(({ message }) => message)].join(" | ")).join(" || ")}`)
"""


async def install_axe() -> None:
    """Skips the test without Node or npm; in CI, where they have to be, fails."""
    try:
        await install(_DIRECTORY)
    except MissingError as missing:
        words = f"the pages were not looked at by axe: {missing}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)


async def barriers(page: Page) -> list[str]:
    """What axe finds in the page as it is now; nothing, in a page that is as it should be."""
    await install_axe()
    # Not as a script of the page's: its policy, rightly, lets none in.
    await page.evaluate(await asyncio.to_thread(_SCRIPT.read_text))
    found: list[str] = await page.evaluate(_RUN, _RULES)
    return found
