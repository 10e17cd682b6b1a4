"""The API's description, on a phone; before a real server."""

from playwright.async_api import expect

from tests.support.consoles import PHONE
from tests.support.stage import Stage


async def test_the_longest_path_of_the_api_fits_on_a_phone(stage: Stage) -> None:
    page = await stage.page(viewport=PHONE)
    await page.goto(f"{stage.url}/docs")
    await expect(page.locator(".endpoint").last).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
