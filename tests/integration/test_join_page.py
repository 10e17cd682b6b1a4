"""The page behind the QR code, in a real browser, before a real server."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from barberpro.domain import guests
from barberpro.handlers.services import SERVICES
from barberpro.server.node import NodeOptions
from tests.support.browsers import Console, browser_page, chromium
from tests.support.live_server import live_server
from tests.support.shops import ADMIN, VIA, TestShop


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """In the place of the one that fails such tests: Playwright reads files at every call."""


async def test_the_page_behind_the_code_shows_the_shop_and_the_place_that_this_phone_has(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> None:
    options, browser = NodeOptions(database_url, redis_url, redis_prefix), chromium()
    async with live_server(options, tmp_path) as server, browser_page(browser) as page:
        console, pool = Console(page), server.node.pool
        shop = await TestShop.create(server.node)
        await shop.open(server.node)
        await guests.change_code(pool, ADMIN, shop.shop_id, VIA)
        url = (await guests.present_code(pool, shop.shop_id, server.url.rstrip("/")))["url"]
        await page.goto(url)
        await expect(page.locator("h1")).to_have_text("The Shop")
        await expect(page.locator("#place")).to_have_text("You are not in the line yet.")
        [booking] = await shop.fill(server.node, 1)
        tokens = server.running.app[SERVICES].tokens
        door = await guests.at_the_door(pool, tokens, shop.shop_id, url.rpartition("=")[2])
        ticket = guests.ticket(tokens, tokens.verify(door["token"]).actor, booking)
        assert ticket is not None
        await page.evaluate(
            "([name, token]) => localStorage.setItem(name, token)",
            [
                f"barberpro.ticket.{shop.shop_id}",
                ticket["token"],
            ],
        )
        await page.goto(url)
        await expect(page.locator("#place")).to_have_text("Your number is 1; you are at place 1.")
        assert console.errors == []
        await page.goto(f"{url}0")
        await expect(page.locator("#place")).to_have_text("There is no such thing, or it is not yours.")
