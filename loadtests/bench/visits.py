"""The pages of a shop, brought in a browser to where they have them who use them: by its addresses, as they do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import aiohttp
from playwright.async_api import Page, expect

from barberpro.domain.accounts.contacts import Contacts
from barberpro.server.demo import furnish
from barberpro.storage.sealing import sealer
from loadtests.bench.plan import Plan
from loadtests.bench.served import deployment

COMMANDS: Final = "/api/v1/queue/commands"
_NAMES: Final = ("Ravi", "Meera", "Joseph", "Farah", "Li")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the demo prints: URLs. screen: of the display; phone: behind the QR code; both others sign in."""

    screen: str
    phone: str
    console: str
    dashboard: str

    @classmethod
    def of(cls, lines: Sequence[tuple[str, str]], origin: str) -> "Addresses":
        """lines: as demo.py has them, a name and a path each."""
        found = {path.split("/")[1].partition("#")[0]: f"{origin}{path}" for _, path in lines}
        return cls(found["display"], found["join"], found["console"], found["admin"])

    @property
    def origin(self) -> str:
        parts = urlsplit(self.screen)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def shop_id(self) -> str:
        return self.screen.rpartition("/")[2]


@asynccontextmanager
async def open_shop(plan: Plan) -> AsyncIterator[Addresses]:
    """The demo's shop on a server of its own, with one line that has people in it; nobody plays a day."""
    async with deployment(plan.stores) as deployed, deployed.server() as served:
        contacts = Contacts(await asyncio.to_thread(sealer, deployed.keys_dir, create=True))
        async with deployed.pool() as pool:
            demo = await furnish(pool, deployed.keys, contacts)
        at = Addresses.of(demo.addresses, f"http://127.0.0.1:{served.port}")
        await give_the_visitor_a_line(at)
        yield at


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
    await expect(page.locator(".step:not([hidden]) .tile").first).to_be_visible()


async def the_dashboard(page: Page, at: Addresses) -> None:
    await page.goto(at.dashboard)
    await page.locator("form.signin [type=submit]").click()
    await expect(page.locator("main:visible").first).to_contain_text("Asha")


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
        for number, name in enumerate(_NAMES):
            joining = {"serviceIds": [services[number % len(services)]], "customer": {"name": name}}
            await asked(http, COMMANDS, command("join", barberId=barber_id, **joining))
        await asked(http, COMMANDS, command("advance", barberId=barber_id))
