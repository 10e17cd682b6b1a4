"""The API's page, in a real browser, before a real server."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from barberpro.handlers import openapi
from barberpro.server.node import NodeOptions
from tests.support.axe import barriers
from tests.support.browsers import Console, browser_page, chromium
from tests.support.live_server import live_server
from tests.support.shops import TestShop


@pytest.fixture(autouse=True)
def no_blocking_calls() -> None:
    """In the place of the one that fails such tests: Playwright reads files at every call."""


async def test_every_endpoint_can_be_read_found_and_tried(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> None:
    options, browser = NodeOptions(database_url, redis_url, redis_prefix), chromium()
    async with live_server(options, tmp_path) as server, browser_page(browser) as page:
        console, shop = Console(page), await TestShop.create(server.node)
        await page.goto(f"{server.url.rstrip('/')}/docs")
        names = [operation["operationId"] for path in openapi.whole()["paths"].values() for operation in path.values()]
        await expect(page.locator(".endpoint")).to_have_count(len(names))
        await page.locator("#find").fill("get /shops/{shopId} shop")
        endpoint = page.locator("#get_shop")
        await endpoint.locator("summary").click()
        await expect(endpoint).to_contain_text("Who: everybody.")
        await expect(endpoint).to_contain_text("NOT_FOUND: There is no such thing, or it is not yours.")
        await expect(page.locator("#create_booking")).to_be_hidden()
        await endpoint.locator("input[name=shopId]").fill(shop.shop_id)
        await endpoint.get_by_role("button").click()
        await expect(endpoint.locator("[role=status]")).to_contain_text('"name": "The Shop"')
        await page.goto(f"{server.url.rstrip('/')}/docs#search_barbers")
        await page.reload()
        await expect(page.locator("#search_barbers input[name=radiusKm]")).to_be_visible()
        assert await barriers(page) == []
        assert console.errors == []
