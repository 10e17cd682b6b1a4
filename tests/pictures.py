"""Makes the pictures of the pages for the README and the docs: `python -m tests.pictures [NAME ...]`.

`barberpro demo` plays a day in a directory of its own; a Chromium opens its addresses as people do. The pictures are
put into docs/images, in 256 colours to be small. NAME: of PICTURES; without any, all are made.
"""

import asyncio
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, expect

from loadtests.bench.chromium import chromium_path
from loadtests.bench.visits import (
    Addresses,
    give_the_visitor_a_line,
    the_console,
    the_dashboard,
    the_form,
    the_kiosk,
    the_screen,
    the_ticket,
)
from tests.support.browsers import browser_at, new_page
from tests.support.programs import program
from tests.support.sites import Site

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
TV, DESK, TABLET, PHONE = (1920, 1080), (1280, 800), (1024, 768), (390, 844)
_COLOURS: Final = 256
_SPEED: Final = 240
_SECONDS_OF_THE_DAY: Final = 60.0
"""Until the lines have people in them."""
_SETTLED_MS: Final = 1500.0
"""What moves when a page comes up has come to rest."""


async def the_service(page: Page, at: Addresses) -> None:
    await the_kiosk(page, at)
    await page.locator(".step:not([hidden]) .tile").nth(1).click()
    await expect(page.locator("#take")).to_be_visible()


async def the_figures(page: Page, at: Addresses) -> None:
    await the_dashboard(page, at)
    await page.get_by_role("link", name="Figures", exact=True).first.click()
    await expect(page.locator("main:visible").first).to_contain_text("Earned")


Show = Callable[[Page, Addresses], Awaitable[None]]
PICTURES: Final[dict[str, tuple[Show, tuple[int, int], str]]] = {
    "display": (the_screen, TV, "light"),
    "display-dark": (the_screen, TV, "dark"),
    "display-phone": (the_screen, PHONE, "light"),
    "join": (the_form, PHONE, "light"),
    "join-dark": (the_form, PHONE, "dark"),
    "ticket": (the_ticket, PHONE, "light"),
    "ticket-dark": (the_ticket, PHONE, "dark"),
    "console": (the_console, PHONE, "light"),
    "console-dark": (the_console, PHONE, "dark"),
    "console-desk": (the_console, DESK, "light"),
    "kiosk": (the_service, TABLET, "light"),
    "kiosk-dark": (the_service, TABLET, "dark"),
    "dashboard": (the_dashboard, DESK, "light"),
    "dashboard-dark": (the_dashboard, DESK, "dark"),
    "figures": (the_figures, DESK, "light"),
    "dashboard-phone": (the_dashboard, PHONE, "light"),
}
"""Of each: how the page is brought to show what it is for, its size, and the scheme of colours that is preferred."""


@asynccontextmanager
async def playing(home: Path) -> AsyncIterator[Addresses]:
    """A demo in this directory, some time into its day."""
    site = Site(home)
    async with program(home, *site.embedded("demo", "--port", str(site.port), "--speed", str(_SPEED))) as demo:
        lines = [await demo.says(name) for name in ("The shop's screen", "A customer's phone", "console", "dashboard")]
        at = Addresses(*(re.findall(r"http://\S+", found[0])[0] for found in lines))
        await give_the_visitor_a_line(at)
        await asyncio.sleep(_SECONDS_OF_THE_DAY)
        yield at
        await demo.end(signal.SIGINT)


async def take(browser: Browser, at: Addresses, name: str) -> None:
    show, (width, height), scheme = PICTURES[name]
    page = await new_page(browser, viewport={"width": width, "height": height}, color_scheme=scheme, locale="en")
    await show(page, at)
    await page.wait_for_timeout(_SETTLED_MS)
    for call in await page.locator("#call").all():
        await expect(call).to_be_empty()  # it covers the screen
    shot = Image.open(BytesIO(await page.screenshot()))
    IMAGES.mkdir(exist_ok=True)
    shot.convert("RGB").quantize(_COLOURS).save(IMAGES / f"{name}.png", optimize=True)
    await page.context.close()


async def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as home:
        async with playing(Path(home)) as at, browser_at(chromium_path()) as browser:
            for name in names:
                await take(browser, at, name)
                print(f"docs/images/{name}.png")


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - PICTURES.keys()
    if unknown:
        sys.exit(f"no pictures: {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    asyncio.run(main(sys.argv[1:] or list(PICTURES)))
