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
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import aiohttp
from PIL import Image
from playwright.async_api import Browser, Page, expect

from loadtests.bench.chromium import chromium_path
from tests.support.browsers import browser_at, new_page
from tests.support.programs import program
from tests.support.sites import Site

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
TV, DESK, TABLET, PHONE = (1920, 1080), (1280, 800), (1024, 768), (390, 844)
COMMANDS: Final = "/api/v1/queue/commands"
_COLOURS: Final = 256
_SPEED: Final = 240
_SECONDS_OF_THE_DAY: Final = 60.0
"""Until the lines have people in them."""
_SETTLED_MS: Final = 1500.0
"""What moves when a page comes up has come to rest."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the demo prints: URLs. screen: of the display; phone: behind the QR code; both others sign in."""

    screen: str
    phone: str
    console: str
    dashboard: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.screen)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def shop_id(self) -> str:
        return self.screen.rpartition("/")[2]


async def the_screen(page: Page, at: Addresses) -> None:
    await page.goto(at.screen)
    await expect(page.locator("main:visible").first).to_contain_text("Asha")


async def the_form(page: Page, at: Addresses) -> None:
    await page.goto(at.phone)
    await expect(page.locator("#form")).to_be_visible()


async def the_ticket(page: Page, at: Addresses) -> None:
    await the_form(page, at)
    await page.locator("input[name=barber]:not([disabled])").last.check()  # with most people before
    await page.locator("input[name=service]").first.check()
    await page.fill("#name", "Ana")
    await page.click("#join")
    await page.wait_for_url("**/ticket/*")
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "live")


async def the_console(page: Page, at: Addresses) -> None:
    await page.goto(at.console)
    await page.locator("form.signin [type=submit]").click()
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "live")


async def the_kiosk(page: Page, at: Addresses) -> None:
    await page.goto(f"{at.origin}/kiosk")
    code = page.locator("#code")
    await expect(code).not_to_be_empty()
    body = {"code": await code.text_content(), "name": "At the door"}
    async with signed_in(at, at.dashboard) as (http, _):
        await asked(http, f"/api/v1/shops/{at.shop_id}/kiosks/pair", body)
    await page.locator(".step:not([hidden]) .tile").nth(1).click()
    await expect(page.locator("#take")).to_be_visible()


async def the_dashboard(page: Page, at: Addresses) -> None:
    await page.goto(at.dashboard)
    await page.locator("form.signin [type=submit]").click()
    await expect(page.locator("main:visible").first).to_contain_text("Asha")


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
    "kiosk": (the_kiosk, TABLET, "light"),
    "kiosk-dark": (the_kiosk, TABLET, "dark"),
    "dashboard": (the_dashboard, DESK, "light"),
    "dashboard-dark": (the_dashboard, DESK, "dark"),
    "figures": (the_figures, DESK, "light"),
    "dashboard-phone": (the_dashboard, PHONE, "light"),
}
"""Of each: how the page is brought to show what it is for, its size, and the scheme of colours that is preferred."""


@asynccontextmanager
async def signed_in(at: Addresses, page: str) -> AsyncIterator[tuple[aiohttp.ClientSession, Json]]:
    """A session over REST of the account that a page's address signs in; and its user."""
    async with aiohttp.ClientSession(at.origin) as http:
        granted = await asked(http, "/api/v1/auth/login", dict(parse_qsl(urlsplit(page).fragment)))
        http.headers["Authorization"] = f"Bearer {granted['accessToken']}"
        yield http, granted["user"]


async def asked(http: aiohttp.ClientSession, path: str, body: Json) -> Json:
    async with http.post(path, json=body) as answer:
        document: Json = await answer.json()
        assert answer.ok, document
        data: Json = document["data"]
        return data


def command(kind: str, **fields: object) -> Json:
    return {"commandId": str(uuid4()), "type": kind, **fields}


async def give_the_visitor_a_line(at: Addresses) -> None:
    """The demo plays the others'."""
    async with signed_in(at, at.console) as (http, user):
        barber_id = user["barberId"]
        async with http.get(f"/api/v1/barbers/{barber_id}") as answer:
            services = [service["serviceId"] for service in (await answer.json())["data"]["services"]]
        await asked(http, COMMANDS, command("open", barberId=barber_id))
        for number, name in enumerate(("Ravi", "Meera", "Joseph", "Farah", "Li")):
            joining = {"serviceIds": [services[number % len(services)]], "customer": {"name": name}}
            await asked(http, COMMANDS, command("join", barberId=barber_id, **joining))
        await asked(http, COMMANDS, command("advance", barberId=barber_id))


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
