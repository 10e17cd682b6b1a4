"""The dashboard in a browser, before a real server: what goes on, what was done, what was changed, and by whom."""

import asyncio
import csv
import json
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Locator, Page, Request, WebSocket, expect

from barberpro.domain.accounts.appointing import Appointment
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import Role
from barberpro.server.demo import demo_account
from barberpro.storage.staff import add_owner
from barberpro.storage.users import user_by_contact
from tests.support.axe import barriers
from tests.support.shops import TestShop, send
from tests.support.stage import Stage

DESKTOP: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
MOST: Final = 12
"""Rooms that are watched at once."""
AFTER_ITS_TIMERS: Final = "new Promise((resolve) => setTimeout(resolve, 3_000))"
"""What the page set to happen three seconds after a card was scrolled away has happened: timers keep their turn."""
NOBODY: Final = "\u2013"
PAID: Final = {"method": "cash", "amount": "250.00", "tip": "20.00"}


class Dashboard:
    """As somebody sees it."""

    def __init__(self, stage: Stage, page: Page) -> None:
        self.stage = stage
        self.page = page
        self._loaded: list[Request] = []
        page.on("requestfinished", lambda request: self._loaded.append(request))

    @classmethod
    async def of(cls, stage: Stage, credentials: str, section: str = "lines", **options: object) -> "Dashboard":
        """Signs in, with what `account` gave, and goes to a section. options: of the browser's context."""
        dashboard = cls(stage, await stage.page(**{"viewport": DESKTOP, **options}))
        await dashboard.page.goto(f"{stage.url}/admin#{credentials}")
        await dashboard.page.locator("form.signin [type=submit]").click()
        await expect(dashboard.at("#desk")).to_be_visible()
        await dashboard.go(section)
        return dashboard

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def section(self, name: str) -> Locator:
        return self.at(f"section[data-section={name}]")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def rows(self) -> Locator:
        """Of the list that is shown."""
        return self.at("#view table.cards tbody tr")

    async def weight(self) -> int:
        """Bytes of all that it has loaded, as they came over the network."""
        sizes = [await request.sizes() for request in tuple(self._loaded)]
        return sum(size["responseBodySize"] for size in sizes)

    async def go(self, section: str) -> None:
        await self.at(f"nav a[data-section={section}]").click()
        await expect(self.section(section)).to_be_visible()

    def card(self, shop: TestShop) -> Locator:
        return self.at(f"li[data-shop={shop.shop_id}]")

    def line(self, shop: TestShop, barber: int = 0) -> Locator:
        """The cells of a barber's line: its state, who is served, who is next, and how many wait."""
        return self.card(shop).locator("tbody tr").nth(barber).locator("td:not(.wait)")


async def account(stage: Stage, name: str, appointment: Appointment) -> str:
    """Makes one; what signs in, behind the # of the page's address."""
    contacts = stage.server.running.app[ACCOUNTS].contacts
    return await demo_account(stage.backstage.pool, contacts, name, appointment)


async def admin(stage: Stage) -> str:
    return await account(stage, "root", Appointment(Role.ADMIN, None, frozenset()))


async def barber(stage: Stage, *, owns: bool) -> str:
    """The first of the shop's barbers, who may run it."""
    shop = stage.shop
    credentials = await account(stage, "asha", Appointment(Role.BARBER, shop.barbers[0], frozenset({shop.shop_id})))
    if owns:
        contacts = stage.server.running.app[ACCOUNTS].contacts
        found = contacts.lookup(Contact("email", "asha@demo.example"))
        async with stage.backstage.pool.acquire() as connection, connection.transaction():
            user = await user_by_contact(connection, "email", found, lock=False)
            assert user is not None
            await add_owner(connection, shop.shop_id, user.user_id)
    return credentials


async def visits(stage: Stage, count: int) -> list[str]:
    """So many customers of the first barber are served, and pay."""
    bookings = await stage.shop.fill(stage.backstage, count)
    for booking in bookings:
        await send(stage.backstage, stage.shop.staff[0], type="start", bookingId=booking)
        await send(stage.backstage, stage.shop.staff[0], type="complete", bookingId=booking, payment=PAID)
    return bookings


async def test_an_admin_signs_in_and_sees_a_line_move(stage: Stage) -> None:
    other = await TestShop.create(stage.backstage, barbers=1)
    dashboard = await Dashboard.of(stage, await admin(stage))
    await expect(dashboard.card(stage.shop).locator("bp-fresh")).to_have_attribute("data-state", "live")
    assert 10_000 < await dashboard.weight() < 100_000
    await expect(dashboard.line(stage.shop)).to_have_text(["Open", NOBODY, NOBODY, "0"])
    await stage.shop.fill(stage.backstage, 3)
    await expect(dashboard.line(stage.shop)).to_have_text(["Open", NOBODY, "1", "2"])
    await stage.does(0, "advance")
    await expect(dashboard.line(stage.shop)).to_have_text(["Open", "1", "2", "1"])
    await expect(dashboard.card(stage.shop).locator(".totals")).to_have_text("2 open · 1 in the chair · 2 waiting")
    await expect(dashboard.line(other)).to_have_text(["Closed", NOBODY, NOBODY, "0"])
    assert await barriers(dashboard.page) == []
    await dashboard.page.get_by_label("Shop's name").fill("nowhere")
    await expect(dashboard.card(other)).to_have_count(0)
    await expect(dashboard.page.get_by_text("Nothing found.")).to_be_visible()


async def test_of_many_shops_only_those_in_view_are_watched(stage: Stage) -> None:
    shops = [await TestShop.create(stage.backstage, barbers=1) for _ in range(30)]
    dashboard = await Dashboard.of(stage, await admin(stage), "flags", viewport=PHONE)
    watched: list[WebSocket] = []
    dashboard.page.on("websocket", lambda socket: watched.append(socket))
    await dashboard.go("lines")
    newest, oldest = dashboard.card(shops[-1]), dashboard.card(stage.shop)
    await expect(newest.locator("bp-fresh")).to_have_attribute("data-state", "live")
    assert sum(not socket.is_closed() for socket in watched) <= MOST
    await dashboard.button("Show more").click()
    await oldest.scroll_into_view_if_needed()
    await expect(oldest.locator("bp-fresh")).to_have_attribute("data-state", "live")
    await stage.shop.fill(stage.backstage, 1)
    await expect(oldest.locator(".totals")).to_contain_text("1 waiting")
    await expect(newest).to_contain_text("As of")
    await expect(newest.locator("bp-fresh")).to_be_hidden()
    assert sum(not socket.is_closed() for socket in watched) <= MOST
    await newest.scroll_into_view_if_needed()
    await expect(newest.locator("bp-fresh")).to_have_attribute("data-state", "live")
    await dashboard.go("flags")
    await dashboard.page.evaluate(AFTER_ITS_TIMERS)
    await expect(dashboard.section("flags")).to_be_visible()
    assert [socket for socket in watched if not socket.is_closed()] == []


async def test_a_phone_has_room_for_a_line_the_section_it_is_in_and_what_is_not_there(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    dashboard = await Dashboard.of(stage, await admin(stage), viewport=PHONE)
    await expect(dashboard.card(stage.shop).locator("bp-wait").first).to_contain_text("min")
    assert await dashboard.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await dashboard.page.goto(f"{stage.url}/admin#exports")
    await expect(dashboard.page.get_by_text("Nothing here yet.")).to_be_visible()
    await expect(dashboard.at("table")).to_be_hidden()
    await expect(dashboard.at("nav [aria-current]")).to_be_in_viewport(ratio=0.9)


async def test_figures_are_charts_and_tables_of_one_shop_or_all(stage: Stage) -> None:
    await visits(stage, 2)
    await stage.shop.fill(stage.backstage, 1, first=2)
    dashboard = await Dashboard.of(stage, await admin(stage), "figures")
    await expect(dashboard.at("[data-figure=completed]")).to_have_text("2")
    await expect(dashboard.at("[data-figure=waiting]")).to_have_text("1")
    await expect(dashboard.at("[data-figure=earned]")).to_have_text("₹540.00")
    shop = dashboard.page.get_by_role("combobox", name="Shop")
    await expect(shop).to_have_value(f"The Shop ({stage.shop.shop_id})")  # the only one that there is
    await shop.fill("")
    await shop.press("Enter")
    await expect(dashboard.page.get_by_text("Choose a shop to see its promises.")).to_be_visible()
    today = dashboard.page.get_by_text(re.compile(r"^\w+ \d+, \d{4}, by the days of UTC; as of"))
    await expect(today).to_be_visible()
    await shop.fill(f"The Shop ({stage.shop.shop_id})")
    await shop.press("Enter")
    waits = dashboard.page.get_by_role("figure").filter(has_text="Waits promised and kept")
    await expect(waits.get_by_role("img")).to_have_accessible_name(
        "Waits promised and kept: 100% of 2 waited no longer than promised, 100% no longer than the shorter time"
    )
    await waits.get_by_text("As a table").click()
    await expect(waits.locator("tbody td")).to_have_text(["2", "0", "0"])
    earned = dashboard.page.get_by_role("figure").filter(has_text="Earnings")
    await earned.get_by_text("As a table").click()
    await expect(earned.locator("tbody td")).to_have_text(["₹500.00", "₹40.00"])
    services = dashboard.page.get_by_role("figure").filter(has_text="Most often: Cut")
    await expect(services.locator("svg text")).to_have_text(["Cut", "2"])
    assert await barriers(dashboard.page) == []
    await dashboard.page.reload()
    await expect(shop).to_have_value(f"The Shop ({stage.shop.shop_id})")


async def test_a_booking_is_found_and_tells_how_it_came_to_its_place(stage: Stage) -> None:
    [first, second] = await stage.shop.fill(stage.backstage, 2)
    await stage.does(0, "cancel", bookingId=first, reason="shaved himself")
    dashboard = await Dashboard.of(stage, await admin(stage), "bookings")
    await expect(dashboard.rows).to_have_count(2)
    await dashboard.page.get_by_label("State").select_option("Cancelled")
    await dashboard.button("Search").click()
    await expect(dashboard.rows).to_have_count(1)
    await expect(dashboard.rows).to_contain_text(["shaved himself"])
    await dashboard.button("Clear").click()
    await dashboard.page.get_by_label("Booking's id").fill(second)
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.rows).to_have_count(1)
    await expect(dashboard.rows).to_contain_text(["2 · Customer 1"])
    await dashboard.button("History").click()
    await expect(dashboard.at("dialog .history li")).to_contain_text(["place 2", "place 1 cancel · Barber"])
    assert await barriers(dashboard.page) == []
    await dashboard.page.keyboard.press("Escape")
    await dashboard.page.reload()
    await expect(dashboard.rows).to_contain_text(["2 · Customer 1"])
    await dashboard.page.get_by_label("Barber's id").fill("no such id")
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.page.get_by_label("Barber's id")).to_have_attribute("aria-invalid", "true")


async def test_a_list_is_read_page_by_page(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 60)
    dashboard = await Dashboard.of(stage, await admin(stage), "audit", viewport=PHONE)
    await dashboard.page.get_by_label("Action").fill("queue.join")
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.rows).to_have_count(50)
    await expect(dashboard.section("audit").get_by_role("status")).to_have_text("50 shown; there are more.")
    await dashboard.button("Show more").click()
    await expect(dashboard.rows).to_have_count(60)
    await expect(dashboard.rows.nth(50)).to_be_focused()
    await expect(dashboard.button("Show more")).to_be_hidden()
    assert await dashboard.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await barriers(dashboard.page) == []


async def test_an_export_goes_from_asked_to_downloaded(stage: Stage, tmp_path: Path) -> None:
    bookings = await visits(stage, 2)
    dashboard = await Dashboard.of(stage, await admin(stage), "exports")
    await dashboard.page.get_by_label("Report").select_option("What does not add up")
    await dashboard.button("Make the file").click()
    await expect(dashboard.page.get_by_text("This report is of one shop")).to_be_visible()
    await dashboard.page.get_by_label("Report").select_option("Bookings")
    await dashboard.button("Make the file").click()
    await expect(dashboard.rows).to_contain_text(["Bookings · CSV"])
    download = dashboard.rows.get_by_role("button", name="Download")
    await expect(download).to_be_visible(timeout=60_000)
    await expect(dashboard.rows).to_contain_text(["2 rows"])
    assert await barriers(dashboard.page) == []
    async with dashboard.page.expect_download() as downloading:
        await download.click()
    file = await downloading.value
    assert file.suggested_filename.startswith("bookings")
    saved = tmp_path / file.suggested_filename
    await file.save_as(saved)
    rows = list(csv.reader((await asyncio.to_thread(saved.read_text, encoding="utf-8-sig")).splitlines()))
    assert {row[0] for row in rows[1:]} == set(bookings)
    await dashboard.go("jobs")
    await expect(dashboard.rows.filter(has_text="report")).to_be_visible()
    assert await barriers(dashboard.page) == []


async def test_a_flag_is_changed_and_the_change_is_in_the_audit_log(stage: Stage) -> None:
    dashboard = await Dashboard.of(stage, await admin(stage), "flags")
    await dashboard.button("New flag").click()
    await dashboard.page.get_by_label("Name", exact=True).fill("new.display")
    await dashboard.page.get_by_label("Percentage of all users").fill("25")
    await dashboard.page.get_by_label("Named users").fill("us_ana\nus_ben")
    assert await barriers(dashboard.page) == []
    await dashboard.button("Save").click()
    await expect(dashboard.rows).to_contain_text(["25% of alland 2 named users"])
    await dashboard.page.get_by_label("What does this user see?").fill("us_ana")
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.rows).to_contain_text(["Sees itNamed"])
    await dashboard.button("Change new.display").click()
    await dashboard.page.get_by_label("Percentage of all users").fill("101")
    await dashboard.button("Save").click()
    await expect(dashboard.page.get_by_text("A whole number from 0 to 100")).to_be_visible()
    await dashboard.page.get_by_label("Percentage of all users").fill("60")
    await dashboard.button("Save").click()
    await expect(dashboard.rows).to_contain_text(["60% of all"])
    assert await barriers(dashboard.page) == []
    await dashboard.rows.get_by_role("link", name="Audit log").click()
    await expect(dashboard.rows).to_have_count(2)
    await dashboard.rows.first.get_by_text("Show").click()
    await expect(dashboard.rows.first.locator(".changes")).to_contain_text("percentage25 → 60")
    [share, noted] = await asyncio.gather(
        stage.backstage.pool.fetchval("SELECT percentage FROM feature_flags WHERE name = 'new.display'"),
        stage.backstage.pool.fetchval(
            "SELECT after FROM audit_logs WHERE action = 'flag.changed' ORDER BY at DESC LIMIT 1"
        ),
    )
    assert (share, json.loads(noted)["percentage"]) == (60, 60)


async def test_people_are_found_and_their_address_is_not_put_into_the_pages_own(stage: Stage) -> None:
    await barber(stage, owns=False)
    dashboard = await Dashboard.of(stage, await admin(stage), "users")
    await expect(dashboard.rows).to_have_count(2)
    await dashboard.page.get_by_label("E-mail address").fill("asha@demo.example")
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.rows).to_have_count(1)
    await expect(dashboard.rows).to_contain_text(["asha"])
    assert "example" not in dashboard.page.url
    assert await barriers(dashboard.page) == []
    await dashboard.go("barbers")
    await expect(dashboard.rows).to_have_count(2)


async def test_an_owner_sees_their_own_shop_and_nothing_of_the_rest(stage: Stage) -> None:
    await visits(stage, 1)
    other = await TestShop.create(stage.backstage, barbers=1)
    dashboard = await Dashboard.of(stage, await barber(stage, owns=True))
    await expect(dashboard.at("nav a")).to_have_text(["Live lines", "Figures", "Bookings", "Payments"])
    await expect(dashboard.card(stage.shop).locator("bp-fresh")).to_have_attribute("data-state", "live")
    await expect(dashboard.card(other)).to_have_count(0)
    await dashboard.go("figures")
    await expect(dashboard.at("[data-figure=earned]")).to_have_text("₹270.00")
    await expect(dashboard.page.get_by_role("figure").filter(has_text="Arrivals by hour")).to_be_visible()
    await dashboard.go("bookings")
    await expect(dashboard.rows).to_contain_text(["1 · Customer 0"])
    await dashboard.go("payments")
    await expect(dashboard.rows).to_have_count(2)
    await dashboard.page.goto(f"{stage.url}/admin#audit")
    await expect(dashboard.section("lines")).to_be_visible()


async def test_who_runs_no_shop_sees_their_own_line_and_a_customer_nothing(stage: Stage) -> None:
    await visits(stage, 1)
    dashboard = await Dashboard.of(stage, await barber(stage, owns=False), "figures")
    await expect(dashboard.page.get_by_text("Your own line")).to_be_visible()
    await expect(dashboard.at("[data-figure=completed]")).to_have_text("1")
    await expect(dashboard.page.get_by_role("figure").filter(has_text="Arrivals by hour")).to_have_count(0)
    page = await stage.page()
    await page.goto(f"{stage.url}/admin#{await account(stage, 'ana', Appointment(Role.CUSTOMER, None, frozenset()))}")
    await page.locator("form.signin [type=submit]").click()
    await expect(page.get_by_role("heading")).to_have_text("This is for administrators and for who works in a shop.")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator("form.signin")).to_be_visible()


async def test_a_review_is_hidden_with_a_reason_and_shown_again(stage: Stage) -> None:
    [booking] = await visits(stage, 1)
    await stage.backstage.pool.execute(
        "INSERT INTO ratings (rating_id, booking_id, barber_id, shop_id, stars, review, at)"
        " SELECT 'ra_1', booking_id, barber_id, shop_id, 1, 'Never again', now() FROM bookings WHERE booking_id = $1",
        booking,
    )
    dashboard = await Dashboard.of(stage, await admin(stage), "reviews")
    await expect(dashboard.page.get_by_text("Say whose")).to_be_visible()
    await dashboard.go("barbers")
    await dashboard.page.locator(f"a[href$='reviews?barberId={stage.shop.barbers[0]}']").click()
    await expect(dashboard.rows).to_contain_text(["Never again"])
    await dashboard.button("Hide: Never again").click()
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    await dashboard.page.get_by_label("Reason").fill("names somebody")
    assert await barriers(dashboard.page) == []
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.rows).to_contain_text(["names somebody"])
    await dashboard.button("Show again: Never again").click()
    await expect(dashboard.rows).not_to_contain_text(["names somebody"])
    assert await barriers(dashboard.page) == []


async def test_an_address_is_kept_out_and_let_in_again_and_letters_tell_what_became_of_them(stage: Stage) -> None:
    await stage.backstage.pool.execute(
        "INSERT INTO letters (letter_id, channel, template, language, status, attempts, problem, settled_at)"
        " VALUES ('lt_1', 'sms', 'code', 'en', 'failed', 3, 'no such number', now())"
    )
    dashboard = await Dashboard.of(stage, await admin(stage), "blocks")
    await dashboard.button("New block").click()
    await dashboard.page.get_by_label("Address", exact=True).fill("nowhere")
    await dashboard.page.get_by_label("Reason").fill("guesses codes")
    await dashboard.page.keyboard.press("Enter")
    await expect(dashboard.page.get_by_label("Address", exact=True)).to_have_attribute("aria-invalid", "true")
    await dashboard.page.get_by_label("Address", exact=True).fill("203.0.113.7")
    assert await barriers(dashboard.page) == []
    await dashboard.button("Keep it out").click()
    await expect(dashboard.rows).to_contain_text(["203.0.113.7"])
    await expect(dashboard.rows).to_contain_text(["guesses codes"])
    assert await barriers(dashboard.page) == []
    await dashboard.page.get_by_role("button", name="Lift the block of 203.0.113.7").click()
    await expect(dashboard.rows).to_contain_text(["lifted"])
    await dashboard.page.get_by_label("State").select_option("In force")
    await dashboard.button("Search").click()
    await expect(dashboard.page.get_by_text("Nothing found.")).to_be_visible()
    await dashboard.go("letters")
    await expect(dashboard.rows).to_contain_text(["Given upAttempts: 3no such number"])
    assert await barriers(dashboard.page) == []


@pytest.mark.parametrize(("language", "look"), [("ar", "dark"), ("hi", "light")])
async def test_other_languages_and_looks_are_as_good(stage: Stage, language: str, look: str) -> None:
    await visits(stage, 1)
    dashboard = await Dashboard.of(
        stage, await admin(stage), "figures", viewport=PHONE, locale=language, color_scheme=look
    )
    await expect(dashboard.at("[data-figure=completed]")).to_have_text("1")
    assert await dashboard.page.evaluate("document.documentElement.lang") == language
    for section in (
        "figures",
        "lines",
        "bookings",
        "payments",
        "reviews",
        "audit",
        "exports",
        "flags",
        "letters",
        "jobs",
        "blocks",
    ):
        await dashboard.go(section)
        assert await dashboard.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), section
        # The light look is that of all other tests.
        assert look == "light" or await barriers(dashboard.page) == [], section


async def test_all_of_it_is_worked_by_keys(stage: Stage) -> None:
    await visits(stage, 1)
    dashboard = await Dashboard.of(stage, await admin(stage))
    keyboard = dashboard.page.keyboard
    await dashboard.at("nav a[data-section=bookings]").focus()
    await keyboard.press("Enter")
    await expect(dashboard.page.get_by_role("heading", name="Bookings")).to_be_focused()
    for _ in range(60):  # a field for a time has a stop for each of its parts
        await keyboard.press("Tab")
        if await dashboard.button("History").evaluate("node => node === document.activeElement"):
            break
    await keyboard.press("Enter")
    await expect(dashboard.at("dialog[open]")).to_be_visible()
    await keyboard.press("Escape")
    await expect(dashboard.button("History")).to_be_focused()
