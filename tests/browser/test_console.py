"""The barber's console in a browser, before a real server: a line is worked, by one device or two, on a bad network."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from zoneinfo import ZoneInfo

import orjson
from playwright.async_api import Locator, Request, WebSocketRoute, expect

from tests.support.axe import barriers
from tests.support.consoles import DESKTOP, PHONE, ConsolePage, account
from tests.support.shops import Json, TestShop, send
from tests.support.stage import Stage

WEB = files("barberpro.clients") / "web"


async def events(stage: Stage, kind: str) -> list[Json]:
    """Those of the first barber's line of this kind, in their order."""
    query = "SELECT data FROM queue_events WHERE barber_id = $1 AND type = $2 ORDER BY seq"
    return [orjson.loads(row["data"]) for row in await stage.backstage.pool.fetch(query, stage.shop.barbers[0], kind)]


async def test_a_barber_works_a_whole_line_with_one_thumb(stage: Stage) -> None:
    await stage.does(0, "close", waiting="keep")
    console = await ConsolePage.of(stage, await account(stage), viewport=PHONE, has_touch=True)
    await expect(console.main).to_contain_text("Open the line")
    await console.main.tap()
    await expect(console.at("#status")).to_have_text("Open")
    for name in ("Ana", "Ben", "Cleo", "Dev"):
        await console.add_walk_in(name)
    await console.has_next(1)
    await console.has_waiting(2, 3, 4)
    await expect(console.main).to_have_text("Start1 · \u2068Ana\u2069")

    await console.main.tap()
    await console.has_in_the_chair(1)
    await console.has_next(2)
    await console.page.get_by_label("Cash").tap()
    await console.page.get_by_label("Tip").fill("20")
    await expect(console.main).to_contain_text("₹270.00 Cash · Next: 2 · \u2068Ben\u2069")
    await console.main.tap()
    await console.has_in_the_chair(2)
    await expect(console.at("[data-figure=figEarned]")).to_have_text("₹270.00")
    await expect(console.at("[data-figure=figCompleted]")).to_have_text("1")

    await console.at("#no-show").tap()
    await console.has_next(4)
    await expect(console.at("#skipped li")).to_contain_text(["3 · \u2068Cleo\u2069"])
    await console.at("#skipped").get_by_role("button", name="To the front").tap()
    await console.has_waiting(3)
    await console.at("#skip").tap()
    await console.has_next(3)
    await console.has_waiting(4)
    await console.is_idle()

    await console.at("#complete").tap()
    await console.has_in_the_chair(None)
    await console.open_entry(4)
    await console.choose("To another barber")
    await console.choose("Barber 1")
    await console.has_waiting()
    await console.at("#status").tap()
    await console.choose("Close for today")
    await console.choose("Close, and cancel them")
    await expect(console.at("#status")).to_have_text("Closed")
    await console.has_next(None)
    paid = await stage.backstage.pool.fetch("SELECT kind, method, amount FROM payment_ledger ORDER BY kind")
    assert [tuple(line) for line in paid] == [("charge", "cash", Decimal(250)), ("tip", "cash", Decimal(20))]
    assert [event["type"] for kind in ("transfer", "close") for event in await events(stage, kind)][-1] == "close"


async def test_an_amount_that_the_server_does_not_take_is_named_and_nobody_moves(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 2)
    await stage.does(0, "advance")
    console = await ConsolePage.of(stage, await account(stage))
    await console.page.get_by_label("UPI").check()
    amount = console.page.get_by_label("Amount")
    await amount.fill("2.505")
    await console.main.click()
    await expect(amount).to_have_attribute("aria-invalid", "true")
    await expect(amount).to_be_focused()
    await expect(console.at("#amounts .problem").first).to_have_text("has more decimals than INR")
    await console.has_in_the_chair(1)
    await amount.fill("250")
    await console.main.click()
    await console.has_in_the_chair(2)
    await expect(console.page.get_by_label("Later")).to_be_checked()


class Hold:
    """Keeps from a console what the server tells: of changes, so that it sees the line as it was; or of answers."""

    def __init__(self, *kinds: str) -> None:
        self._marks = [f'"event":"{kind}"' for kind in kinds]
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        self._holds = False
        self._any = asyncio.Event()

    async def over(self, console: ConsolePage) -> None:
        """From now on. The page is loaded again."""
        await console.page.route_web_socket(re.compile("/ws/queue/"), self._route)
        await console.page.reload()
        await console.is_there()
        self._holds = True

    def _route(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if self._holds and any(mark in str(message) for mark in self._marks):
                self._held.append((socket, message))
                self._any.set()
            else:
                socket.send(message)

        server.on_message(pass_on)

    async def holds_something(self) -> None:
        async with asyncio.timeout(20):
            await self._any.wait()

    def drop(self) -> None:
        """What is held never arrives; what comes now does."""
        self._holds = False
        self._held.clear()

    def release(self) -> None:
        self._holds = False
        for socket, message in self._held:
            socket.send(message)


async def two_that_look_away(stage: Stage) -> tuple[ConsolePage, ConsolePage, Hold]:
    """Two consoles of one barber, which both see the line as it is now, whatever comes."""
    credentials, hold = await account(stage), Hold("queue_updated")
    one = await ConsolePage.of(stage, credentials)
    other = await ConsolePage.of(stage, credentials, viewport=PHONE)
    for console in (one, other):
        await hold.over(console)
    return one, other, hold


async def test_two_consoles_press_done_next_at_once_and_one_customer_is_called_once(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    await stage.does(0, "advance")
    one, other, hold = await two_that_look_away(stage)
    await asyncio.gather(one.main.click(), other.main.click())
    await hold.holds_something()
    hold.release()
    for console in (one, other):
        await console.has_in_the_chair(2)
        await console.has_next(3)
        await console.is_idle()
    problems = [await console.at("#problem").text_content() for console in (one, other)]
    assert sorted(map(bool, problems)) == [False, True]
    assert "Somebody was faster" in "".join(filter(None, problems))
    assert len(await events(stage, "advance")) == 2


async def test_two_consoles_skip_the_same_one_at_once_and_the_next_is_spared(stage: Stage) -> None:
    [first, second, _] = await stage.shop.fill(stage.backstage, 3)
    one, other, hold = await two_that_look_away(stage)
    await asyncio.gather(one.at("#skip").click(), other.at("#skip").click())
    await hold.holds_something()
    hold.release()
    for console in (one, other):
        await console.has_next(2)
        await console.has_waiting(3, 1)
        await console.is_idle()
    assert [event["bookingId"] for event in await events(stage, "skip")] == [first]
    assert second != first


async def grip(console: ConsolePage, token: int) -> Locator:
    """The handle of somebody who waits."""
    row = console.at("#line li").filter(has=console.page.locator(".token", has_text=str(token)))
    return row.locator(".grip")


async def test_who_waits_is_moved_by_dragging_and_everybody_is_told_why(stage: Stage) -> None:
    bookings = await stage.shop.fill(stage.backstage, 5)
    credentials = await account(stage)
    console, watcher = await ConsolePage.of(stage, credentials), await ConsolePage.of(stage, credentials)
    await console.has_waiting(2, 3, 4, 5)
    start, end = [await (await grip(console, token)).bounding_box() for token in (5, 2)]
    assert start is not None
    assert end is not None
    await console.page.mouse.move(start["x"] + 10, start["y"] + 10)
    await console.page.mouse.down()
    await console.page.mouse.move(end["x"] + 10, end["y"] + 5, steps=12)
    await console.has_waiting(5, 2, 3, 4)
    await watcher.has_waiting(2, 3, 4, 5)
    await console.page.mouse.up()
    await console.choose("Was here before")
    await watcher.has_waiting(5, 2, 3, 4)
    await console.has_waiting(5, 2, 3, 4)
    [moved] = await events(stage, "move")
    assert (moved["bookingId"], moved["reason"]) == (bookings[4], "Was here before")


async def test_who_waits_is_moved_by_keys_and_escape_leaves_everything_as_it_was(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 5)
    console = await ConsolePage.of(stage, await account(stage))
    keyboard, told = console.page.keyboard, console.at("#moved")
    handle = await grip(console, 2)
    await handle.focus()
    await keyboard.press("Space")
    await expect(told).to_contain_text("is held, at place 2 of 5")
    await keyboard.press("ArrowDown")
    await expect(told).to_have_text("Place 3 of 5")
    await console.has_waiting(3, 2, 4, 5)
    await keyboard.press("Escape")
    await console.has_waiting(2, 3, 4, 5)
    await expect(told).to_have_text("Left where it was.")
    await expect(handle).to_be_focused()
    for key in ("Space", "ArrowDown", "ArrowDown", "Space"):
        await keyboard.press(key)
    await console.page.get_by_label("Reason").fill("gone for bread")
    await keyboard.press("Enter")
    await console.has_waiting(3, 4, 2, 5)
    [moved] = await events(stage, "move")
    assert moved["reason"] == "gone for bread"


async def test_a_move_means_who_stood_there_and_not_a_number_that_has_changed(stage: Stage) -> None:
    bookings = await stage.shop.fill(stage.backstage, 5)
    credentials, hold = await account(stage), Hold("queue_updated")
    console = await ConsolePage.of(stage, credentials)
    await hold.over(console)
    await console.open_entry(5)
    await console.choose("One place up")
    await stage.does(0, "cancel", bookingId=bookings[1])  # whoever stands in front of all who wait
    await hold.holds_something()
    await console.choose("Agreed with the others")
    hold.release()
    await console.has_waiting(3, 5, 4)


async def test_without_a_network_a_press_waits_and_is_done_once_when_it_is_back(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    await stage.does(0, "advance")
    console = await ConsolePage.of(stage, await account(stage), viewport=PHONE)
    await console.page.context.set_offline(offline=True)
    await expect(console.at("#fresh")).to_have_attribute("data-state", "offline")
    await expect(console.at("#away")).to_be_visible()
    await stage.stop()
    await console.main.click()
    await expect(console.main).to_have_attribute("aria-busy", "true")
    await console.main.click(force=True)  # a second press changes nothing
    await console.has_in_the_chair(1)
    await stage.start()
    await console.page.context.set_offline(offline=False)
    await console.has_in_the_chair(2)
    await expect(console.at("#away")).to_be_hidden()
    await console.is_idle()
    assert len(await events(stage, "advance")) == 2


async def test_what_was_asked_before_a_reload_is_asked_to_its_end_and_only_once(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    await stage.does(0, "advance")
    console = await ConsolePage.of(stage, await account(stage))
    hold = Hold("queue_updated", "ack")
    await hold.over(console)
    await console.main.click()
    await hold.holds_something()
    hold.drop()
    await console.page.reload()
    await console.is_there()
    await console.has_in_the_chair(2)
    await console.is_idle()
    await expect(console.at("#problem")).to_be_empty()
    assert await console.page.evaluate("sessionStorage.length") == 0
    assert len(await events(stage, "advance")) == 2


async def test_keys_work_the_line_unless_they_are_switched_off(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    console = await ConsolePage.of(stage, await account(stage))
    keyboard = console.page.keyboard
    await keyboard.press("n")
    await console.has_in_the_chair(1)
    await console.is_idle()
    await keyboard.press("s")
    await console.has_next(3)
    await console.at("#menu").click()
    await console.page.get_by_text("Keys of the keyboard").click()
    await console.page.get_by_label("Single letters work as shortcuts").uncheck()
    await keyboard.press("Escape")
    await keyboard.press("n")
    await keyboard.press("w")
    await expect(console.at("dialog")).to_have_count(0)
    await console.has_in_the_chair(1)
    assert len(await events(stage, "advance")) == 1


async def test_a_line_that_is_not_ones_own_is_not_shown(stage: Stage) -> None:
    other = await stage.shop.create(stage.backstage)
    await other.open(stage.backstage)
    console = await ConsolePage.of(stage, await account(stage))
    await console.page.goto(f"{stage.url}/console?barber={other.barbers[0]}")
    await expect(console.page.get_by_text("This line is not there, or not yours.")).to_be_visible()
    await console.page.goto(f"{stage.url}/console?barber={stage.shop.barbers[1]}")
    await expect(console.at("#barber")).to_have_text("Barber 1")


async def test_nothing_keeps_people_from_using_the_console(stage: Stage) -> None:
    """By axe; where somebody signs in, on the page and in every sheet, on a phone and on a dark desktop."""
    await stage.shop.fill(stage.backstage, 5)
    await stage.does(0, "advance")
    credentials = await account(stage)
    for viewport, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
        outside = await stage.page(viewport=viewport, color_scheme=scheme)
        await outside.goto(f"{stage.url}/console")
        await expect(outside.get_by_label("Password")).to_be_visible()
        assert await barriers(outside) == []
        console = await ConsolePage.of(stage, credentials, viewport=viewport, color_scheme=scheme)
        await console.at("#no-show").click()
        await expect(console.at("#skipped li").first).to_be_visible()
        await console.page.get_by_label("Card", exact=True).check()
        assert await barriers(console.page) == []
        for opener in ("#status", "#menu", "#walk-in", "#next-more", "#line .entry >> nth=0"):
            await console.at(opener).click()
            await expect(console.at("dialog[open]")).to_be_visible()
            assert await barriers(console.page) == [], opener
            await console.page.keyboard.press("Escape")


async def test_the_console_speaks_other_languages_and_from_the_other_side(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    credentials = await account(stage)
    for token, language in enumerate(("hi", "ar"), 1):
        console = await ConsolePage.of(stage, credentials, locale=language, viewport=PHONE)
        await expect(console.at("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        words = json.loads(await asyncio.to_thread((WEB / f"console.{language}.json").read_text))
        await expect(console.at("#skip")).to_have_text(words["skip"])
        await expect(console.main).to_contain_text(words["start" if token == 1 else "doneNext"])
        assert await console.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await console.main.click()
        await console.has_in_the_chair(token)


async def test_who_has_an_appointment_is_checked_in(stage: Stage) -> None:
    """In a shop where it is not almost midnight."""
    zone = next(each for each in ("Etc/UTC", "Asia/Kolkata") if datetime.now(ZoneInfo(each)).hour < 22)
    shop = await TestShop.create(stage.backstage, zone=zone)
    await shop.open(stage.backstage)
    at = datetime.now(UTC) + timedelta(minutes=30)
    fields = {"barberId": shop.barbers[0], "serviceIds": [shop.service], "customer": {"name": "Ana"}}
    await send(stage.backstage, shop.staff[0], type="schedule", at=at, **fields)
    console = await ConsolePage.of(stage, await account(stage, shop=shop))
    appointment = console.at("#appointments li")
    await expect(appointment).to_contain_text("Ana")
    await appointment.get_by_role("button").click()
    await console.has_next(1)
    await expect(console.at("#next")).to_contain_text("appointment")
    await expect(appointment).to_have_count(0)


async def test_the_console_is_small(stage: Stage) -> None:
    """Everything that it loads, as it comes over the network."""
    page = await stage.page()
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))
    credentials = await account(stage)
    await page.goto(f"{stage.url}/console#{credentials}")
    await page.locator("form.signin [type=submit]").click()
    await expect(page.locator("#desk")).to_be_visible()
    sizes = [await request.sizes() for request in tuple(finished)]
    total = sum(size["responseBodySize"] for size in sizes)
    assert 10_000 < total < 100_000
