"""Signing in to a page, in a browser: what is kept, what is not, and what is said when it does not work."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from barberpro.domain.accounts.appointing import Appointment, appoint
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import Role
from tests.support.consoles import ConsolePage, account
from tests.support.letters import read_letters
from tests.support.stage import Stage

NUMBER = "+919876543210"


async def sign_in_page(stage: Stage) -> Page:
    page = await stage.page()
    await page.goto(f"{stage.url}/console")
    return page


async def cookie_flags(page: Page) -> list[tuple[object, ...]]:
    kept = await page.context.cookies()
    return [(each.get("httpOnly"), each.get("sameSite"), each.get("path")) for each in kept]


async def test_a_session_lasts_through_reloads_and_no_script_finds_what_renews_it(stage: Stage) -> None:
    console = await ConsolePage.of(stage, await account(stage))
    page = console.page
    assert page.url == f"{stage.url}/console"  # what the address gave is gone from it
    for _ in range(2):
        async with page.expect_response("**/auth/refresh") as renewal:
            await page.reload()
        assert (await (await renewal.value).json())["data"]["refreshToken"] is None
        await console.is_there()
    assert await cookie_flags(page) == [(True, "Strict", "/api/v1/auth")]
    secret = (await page.context.cookies())[0]["value"]
    seen = await page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert secret not in seen
    assert "ss_" not in seen


async def test_two_tabs_of_one_browser_renew_one_after_the_other(stage: Stage) -> None:
    console = await ConsolePage.of(stage, await account(stage))
    tabs = [ConsolePage(stage, await console.page.context.new_page()) for _ in range(3)]
    await asyncio.gather(*(tab.page.goto(f"{stage.url}/console") for tab in tabs))
    await asyncio.gather(*(tab.page.reload() for tab in tabs))
    for tab in tabs:
        await tab.is_there()


async def test_a_renewal_whose_answer_got_lost_is_asked_for_again_and_is_no_theft(stage: Stage) -> None:
    console = await ConsolePage.of(stage, await account(stage))
    lost = [False]

    async def lose(route: Route) -> None:
        if lost[0]:
            return await route.continue_()
        lost[0] = True
        await route.fetch()
        await route.abort()
        return None

    await console.page.route("**/auth/refresh", lose)
    await console.page.reload()
    await console.is_there()
    assert lost == [True]


async def test_who_signs_out_is_out_in_every_tab_and_leaves_nothing_behind(stage: Stage) -> None:
    console = await ConsolePage.of(stage, await account(stage))
    other = ConsolePage(stage, await console.page.context.new_page())
    await other.page.goto(f"{stage.url}/console")
    await other.is_there()
    await console.at("#menu").click()
    await console.choose("Sign out")
    for page in (console.page, other.page):
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await console.page.context.cookies() == []
    assert await console.page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []


async def test_what_is_wrong_with_a_sign_in_is_said_where_it_is(stage: Stage) -> None:
    page = await sign_in_page(stage)
    await page.get_by_label("E-mail address or telephone number").fill("12")
    await page.get_by_label("Password").fill("far too wrong")
    await page.keyboard.press("Enter")
    who = page.get_by_label("E-mail address or telephone number")
    await expect(who).to_have_attribute("aria-invalid", "true")
    await expect(who).to_be_focused()
    await expect(page.get_by_text("This is no telephone number.")).to_be_visible()
    await who.fill("nobody@example.com")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The address, the number or the password is wrong.")
    await page.get_by_role("button", name="Send me a code instead").click()
    await expect(page.get_by_text("A code goes to a telephone")).to_be_visible()


async def test_a_code_that_was_sent_signs_in_whoever_has_the_number(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = read_letters(monkeypatch)
    page = await sign_in_page(stage)
    await page.get_by_label("E-mail address or telephone number").fill(NUMBER)
    await page.get_by_role("button", name="Send me a code instead").click()
    await expect(page.get_by_label("Code")).to_be_focused()
    right = letters[0].fields["code"]
    await page.get_by_label("Code").fill(f"{(int(right) + 1) % 1_000_000:06d}")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This code is wrong, too old, or was used before.")).to_be_visible()
    await page.get_by_label("Code").fill(right)
    await page.keyboard.press("Enter")
    # A barber whom nobody has appointed has no line; then one has, and it is there.
    await expect(page.get_by_text("This account has no line of its own.")).to_be_visible()
    shop = stage.shop
    part = Appointment(Role.BARBER, shop.barbers[0], frozenset({shop.shop_id}))
    contacts = stage.server.running.app[ACCOUNTS].contacts
    assert await appoint(stage.backstage.pool, contacts, Contact("sms", NUMBER), part)
    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_while_the_server_is_away_nobody_is_asked_to_sign_in_anew(stage: Stage) -> None:
    console = await ConsolePage.of(stage, await account(stage))
    refused = [True]

    async def away(route: Route) -> None:
        await (route.abort() if refused[0] else route.continue_())

    await console.page.route("**/auth/refresh", away)
    await console.page.reload()
    await expect(console.page.get_by_text("The server cannot be reached. Trying again.")).to_be_visible()
    refused[0] = False
    await console.is_there()
