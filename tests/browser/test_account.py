"""Where the letters lead: a forgotten password, a new account, an invitation; in a browser, before a real server."""

import pytest
from playwright.async_api import Page, expect

from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.actors import SYSTEM, Via
from barberpro.protocol.staff import Invite
from tests.support.axe import barriers
from tests.support.consoles import ConsolePage, account
from tests.support.letters import link_of, read_letters
from tests.support.stage import Stage

ADDRESS = "meera@example.com"
NUMBER = "+919876543210"
WHO = "E-mail address or telephone number"


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def is_titled(page: Page, title: str) -> None:
    await expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


async def signs_in(page: Page, who: str, password: str) -> None:
    await page.get_by_label(WHO).fill(who)
    await page.get_by_label("Password").fill(password)
    await press(page, "Sign in")


async def test_who_forgot_the_password_chooses_another_by_the_letters_link_and_signs_in_with_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = read_letters(monkeypatch)
    console = await ConsolePage.of(stage, await account(stage))
    page = await stage.page()
    await page.goto(f"{stage.url}/console")
    await press(page, "I forgot my password")
    await page.get_by_label(WHO).fill("barber0@demo.example")
    assert await barriers(page) == []
    await press(page, "Send it")
    await is_titled(page, "Look at your mail")
    for told in ("Another one is on its way.", "Another one is on its way.", "No more letters are sent for this."):
        await press(page, "Send it again")
        await expect(page.get_by_text(told)).to_be_visible()
    link = link_of(letters[-1])
    await page.goto(f"{stage.url}{link}")
    await page.get_by_label("New password").fill("short")
    await press(page, "Set the password")
    await expect(page.get_by_text("A password has at least 8 characters.")).to_be_visible()
    await page.reload()
    await page.get_by_label("New password").fill("long enough now")
    assert await barriers(page) == []
    await press(page, "Set the password")
    await expect(page.get_by_text("Your new password is set. Sign in with it.")).to_be_visible()
    await signs_in(page, "barber0@demo.example", "long enough now")
    await page.get_by_role("link", name="To the console").click()
    await ConsolePage(stage, page).is_there()
    await console.page.reload()
    await is_titled(console.page, "Sign in")  # the reset ended that session
    await page.goto(f"{stage.url}/reset-password")
    await expect(page.get_by_text("This page needs the whole link of the letter.")).to_be_visible()
    await page.goto(f"{stage.url}{link}")
    await page.get_by_label("New password").fill("once more, please")
    await press(page, "Set the password")
    await expect(page.get_by_role("alert")).to_have_text("This link is over or was used before. Ask for another one.")
    await expect(page.get_by_role("link", name="To the console")).to_be_visible()  # where one asks


async def test_a_new_account_is_confirmed_by_its_letter_and_takes_the_line_that_it_is_invited_to(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = read_letters(monkeypatch)
    shop = await stage.backstage.catalogue.shop(stage.shop.shop_id)
    assert shop is not None
    staff = stage.server.running.app[ACCOUNTS].staff
    await staff.invite(SYSTEM, shop, Invite(email=ADDRESS, name="Meera"), None, Via("req_test"))
    page = await stage.page()
    await page.goto(f"{stage.url}{link_of(letters[0])}")
    await expect(page.get_by_text("Sign in with the address or the number that was invited")).to_be_visible()
    await press(page, "Create an account")
    await page.get_by_label(WHO).fill(ADDRESS)
    await page.get_by_label("New password").fill("a good long one")
    assert await barriers(page) == []
    await press(page, "Create the account")
    await is_titled(page, "Look at your mail")
    await page.goto(f"{stage.url}{link_of(letters[1])}")
    await page.get_by_label("Password").fill("another one, sadly")
    await press(page, "Confirm")
    await expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Password").fill("a good long one")
    await press(page, "Confirm")
    await is_titled(page, "Your address is confirmed, and you are signed in.")
    await page.goto(f"{stage.url}{link_of(letters[0])}")
    await expect(page.get_by_text(ADDRESS)).to_be_visible()
    assert await barriers(page) == []
    await press(page, "Accept the invitation")
    await is_titled(page, "You work here now.")
    await page.get_by_role("link", name="To the console").click()
    await expect(page.get_by_role("heading", name="Meera")).to_be_visible()
    await page.goto(f"{stage.url}{link_of(letters[0])}")
    await press(page, "Accept the invitation")
    await expect(page.get_by_role("alert")).to_contain_text("This invitation is over, or it is not for")


async def test_by_telephone_a_code_gives_a_new_password_and_another_accepts_an_invitation(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = read_letters(monkeypatch)
    page = await stage.page()
    await page.goto(f"{stage.url}/accept-invitation")
    await press(page, "Create an account")
    await page.get_by_label(WHO).fill(NUMBER)
    await page.get_by_label("New password").fill("a good long one")
    await press(page, "Create the account")
    await expect(page.get_by_label("Code")).to_be_visible()
    await page.get_by_label("Code").fill(letters[0].fields["code"])
    await press(page, "Sign in")
    await expect(page.get_by_text("There is no open invitation for")).to_be_visible()
    await press(page, "Sign in as somebody else")
    await press(page, "I forgot my password")
    await page.get_by_label(WHO).fill(NUMBER)
    await press(page, "Send it")
    await expect(page.get_by_label("Code")).to_be_visible()
    await page.get_by_label("Code").fill(letters[1].fields["code"])
    await page.get_by_label("New password").fill("an even better one")
    shop = await stage.backstage.catalogue.shop(stage.shop.shop_id)
    assert shop is not None
    staff = stage.server.running.app[ACCOUNTS].staff
    await staff.invite(SYSTEM, shop, Invite(phone=NUMBER), None, Via("req_test"))
    await stage.backstage.pool.execute("UPDATE users SET role = 'customer'")  # as who has joined lines by an app is
    await press(page, "Set the password")
    await is_titled(page, "The Shop")
    await page.get_by_label("Code").fill(letters[2].fields["code"])
    await press(page, "Accept the invitation")
    await expect(page.get_by_text("Write your name.")).to_be_visible()
    await page.get_by_label("Your name").fill("Meera")
    await press(page, "Accept the invitation")
    await is_titled(page, "You work here now.")
    await page.get_by_role("link", name="To the console").click()
    await expect(page.get_by_role("heading", name="Meera")).to_be_visible()
