"""The shop's screen: paired, legible, and every call announced once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from barberpro.domain import devices
from barberpro.handlers.parts import Parts, read_parts
from barberpro.server import app
from barberpro.server.node import NodeOptions
from tests.support.axe import barriers
from tests.support.browsers import STORAGE_CLOSED, until
from tests.support.screens import BRIEFLY
from tests.support.shops import ADMIN, VIA, TestShop
from tests.support.stage import Stage, stage_for

TV: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}}
SMALLEST_PX = 26  # of what is to be read from five metres, on a screen of 1080 lines
REMEMBER = """
const calls = [];
const remember = () => {
  const call = document.getElementById("call");
  new MutationObserver(() => {
    if (call.textContent) calls.push(call.textContent);
  }).observe(call ?? document, { childList: true });
};
document.addEventListener("DOMContentLoaded", remember);
window.calls = calls;
"""
VOICE = """
window.said = [];
window.notes = 0;
const { createOscillator } = AudioContext.prototype;
AudioContext.prototype.createOscillator = function () { window.notes++; return createOscillator.call(this); };
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
const speak = (utterance) => { said.push([utterance.lang, utterance.text]); setTimeout(() => utterance.onend(), 10); };
const getVoices = () => [{ lang: "en-GB" }, { lang: "hi-IN" }];
Object.defineProperty(window, "speechSynthesis", { value: { getVoices, speak, cancel() {} } });
"""
UNFIT = """
() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  for (const figure of all("dd")) {
    figure.textContent = "128";
    figure.parentElement.classList.add("taken");
  }
  const words = (each) => [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const small = all("body > header *, #line *").filter((each) => each.checkVisibility() && words(each))
    .filter((each) => parseFloat(getComputedStyle(each).fontSize) < SMALLEST && !each.closest(".unseen"));
  const wide = all("dl > div, section, main, html").filter((each) => each.scrollWidth > each.clientWidth + 1);
  const cut = all(".waiting > li, section > footer, dl > div").filter((each) => {
    const [part, card] = [each, each.closest("section")].map((node) => node.getBoundingClientRect());
    return part.bottom > card.bottom + 1 || part.right > card.right + 1 || part.left < card.left - 1;
  });
  const found = [...small, ...wide, ...cut].map((each) => `${each.tagName} ${each.className} ${each.innerText}`);
  return document.documentElement.scrollHeight > innerHeight ? [...found, "it scrolls"] : found;
}
""".replace("SMALLEST", str(SMALLEST_PX))


async def screen(stage: Stage, query: str = "", shop: TestShop | None = None, **options: Any) -> Page:  # noqa: ANN401 - of the context
    """The shop's, live."""
    page = await stage.page(**{**TV, **options})
    for script in (BRIEFLY, REMEMBER):
        await page.add_init_script(script)
    await page.goto(f"{stage.url}/display/{(shop or stage.shop).shop_id}{query}")
    await is_live(page)
    return page


async def is_live(page: Page) -> None:
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "live")


async def announced(page: Page, count: int) -> list[str]:
    """The calls of this load of the page, when there are as many as that, and the last is over."""
    await until(page, f"calls.length >= {count} && !document.getElementById('call').textContent")
    calls: list[str] = await page.evaluate("calls")
    return calls


async def test_a_screen_shows_a_code_until_staff_enter_it_and_again_when_it_is_revoked(stage: Stage) -> None:
    hidden = await TestShop.create(stage.backstage, public_display=False)
    page, pool = await stage.page(**TV), stage.server.node.pool
    await page.goto(f"{stage.url}/display")
    code = page.locator("#code")
    await expect(code).to_have_text(re.compile(r"^[A-Z]{4}-[A-Z]{4}$"))
    assert await barriers(page) == []
    told = await devices.pair(pool, ADMIN, hidden.shop_id, "display", await code.inner_text(), "By the till", VIA)
    await is_live(page)
    await expect(page).to_have_url(f"{stage.url}/display/{hidden.shop_id}")
    await page.reload()
    await is_live(page)
    await expect(code).not_to_be_visible()
    await devices.revoke_device(pool, ADMIN, hidden.shop_id, told["deviceId"], VIA)
    await expect(code).to_have_text(re.compile(r"^[A-Z]{4}-[A-Z]{4}$"))
    await expect(page.locator("#line")).not_to_be_visible()


async def test_a_call_is_announced_once_through_reloads_cuts_and_while_the_page_was_away(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 6)
    await stage.does(0, "advance")
    page = await screen(stage)
    await stage.does(0, "advance")
    assert await announced(page, 1) == ["Token 2\nBarber 0"]  # what was called before it first looked is no news
    await page.reload()
    await is_live(page)
    await stage.stop()
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "lost")
    await expect(page.locator("#fresh")).to_contain_text(re.compile(r"Connection lost, last update \d+ s ago"))
    await stage.does(0, "advance")
    await stage.start()
    assert await announced(page, 1) == ["Token 3\nBarber 0"]
    await page.goto(f"{stage.url}/health/live")
    await stage.does(0, "advance")
    await stage.does(0, "advance")  # token 4 has come and gone meanwhile
    await page.goto(f"{stage.url}/display/{stage.shop.shop_id}")
    assert await announced(page, 1) == ["Token 5\nBarber 0"]
    await page.reload()
    await is_live(page)
    await stage.does(0, "advance")
    assert await announced(page, 1) == ["Token 6\nBarber 0"]


async def test_a_screen_on_which_pages_may_keep_nothing_shows_the_line_and_its_calls(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    await stage.does(0, "advance")
    page = await stage.page(**TV)
    await page.add_init_script(STORAGE_CLOSED)
    await page.goto(f"{stage.url}/display/{stage.shop.shop_id}")
    await is_live(page)
    await stage.does(0, "advance")
    await expect(page.locator("#call")).to_have_text("Token 2\nBarber 0", use_inner_text=True)


async def test_a_screen_that_is_switched_on_while_the_server_is_away_comes_up_and_waits(stage: Stage) -> None:
    page = await screen(stage)
    await page.evaluate("navigator.serviceWorker.ready.then(({ active }) => active.state)")
    await stage.stop()
    await page.reload()
    await expect(page.locator("#fresh")).to_have_attribute("data-state", "lost")
    await stage.start()
    await is_live(page)
    await expect(page.locator("#line section")).to_have_count(2)


async def test_a_tab_that_slept_wakes_up_to_the_truth_and_announces_what_it_missed_once(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    await stage.does(0, "advance")
    page = await screen(stage)
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    stage.server.cut()
    await stage.does(0, "advance")
    await cdp.send("Page.setWebLifecycleState", {"state": "active"})
    assert await announced(page, 1) == ["Token 2\nBarber 0"]
    await is_live(page)


async def test_calls_are_chimed_and_spoken_one_after_the_other_in_the_screens_language(stage: Stage) -> None:
    page = await stage.page(**TV)
    for script in (BRIEFLY, REMEMBER, VOICE):
        await page.add_init_script(script)
    await page.goto(f"{stage.url}/display/{stage.shop.shop_id}?lang=hi")
    await is_live(page)
    await expect(page.locator("html")).to_have_attribute("lang", "hi")
    await page.locator("#unmute").click()
    await expect(page.locator("#unmute")).not_to_be_visible()
    for barber in (0, 1):
        await stage.shop.fill(stage.backstage, 1, barber=barber, first=barber)
        await stage.does(barber, "advance")
    assert await until(page, "said.length === 2 && said") == [
        ["hi-IN", f"टोकन नंबर 1, कृपया Barber {barber} के पास आइए।"] for barber in (0, 1)
    ]
    assert await page.evaluate("notes") == 4


async def test_a_screen_that_comes_back_to_a_renewed_server_loads_itself_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await screen(stage)
    await stage.stop()
    parts = read_parts()
    named = f"/static/{parts.build}/".encode()
    bodies = {name: part.body.replace(named, b"/static/") for name, part in parts.by_name.items()}
    monkeypatch.setattr(app, "read_parts", lambda: Parts.of({**bodies, "news.js": b"// of another release"}))
    async with page.expect_event("load"):
        await stage.start()
    await is_live(page)


@pytest_asyncio.fixture(loop_scope="module")
async def wide(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path, browser: Browser
) -> AsyncIterator[Stage]:
    """A shop of eight barbers."""
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with stage_for(options, tmp_path, browser, barbers=8) as stage:
        yield stage


async def test_everything_is_large_enough_and_fits_whatever_the_number_of_barbers(wide: Stage) -> None:
    shops = {count: await TestShop.create(wide.backstage, barbers=count) for count in (1, 2, 3, 4, 6)}
    for count, shop in (shops | {8: wide.shop}).items():
        if shop is not wide.shop:
            await shop.open(wide.backstage)
        await shop.fill(wide.backstage, 14, first=100 * count)
        page = await screen(wide, shop=shop)
        assert (count, await page.evaluate(UNFIT)) == (count, [])
        await page.close()


@pytest.mark.parametrize("look", ["light", "dark", "contrast"])
async def test_everybody_can_use_it(stage: Stage, look: str) -> None:
    await stage.shop.fill(stage.backstage, 4)
    await stage.does(0, "advance")
    page = await screen(stage, "?lang=ar" if look == "dark" else "")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl" if look == "dark" else "ltr")
    await page.locator("#settings").focus()
    await page.keyboard.press("Enter")
    await page.locator("[name=look]").select_option(look)
    assert await barriers(page) == []
    await page.locator("[value=keep]").click()
    await expect(page.locator("html")).to_have_attribute("data-look", look)
    assert await barriers(page) == []
