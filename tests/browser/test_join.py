"""From the code on the door to a ticket: the wait before joining, two at once, and nobody twice."""

import asyncio
import re

from playwright.async_api import WebSocketRoute, expect

from loadtests.faults.network import Network
from tests.support.axe import barriers
from tests.support.browsers import STORAGE_CLOSED
from tests.support.phones import SIZE, Phone, in_line, join_address
from tests.support.stage import Stage


async def test_whoever_scans_sees_the_waits_move_before_joining_and_is_told_what_is_missing(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 3)
    phone = await Phone.at_the_door(stage)
    first, long, short = (phone.page.locator(".option").nth(at) for at in range(3))
    await expect(first.locator(".how")).to_have_text("Barber 1")  # whose line is the shorter
    await expect(long.locator(".how")).to_have_text("3 people wait")
    await expect(long.locator("bp-wait")).to_have_text(re.compile(r"\d"))
    await stage.does(1, "pause")
    await expect(short.locator(".how")).to_have_text("Paused")
    await expect(short.locator("input")).to_be_disabled()
    await expect(first.locator(".how")).to_have_text("Barber 0")
    await expect(phone.part("sum")).to_have_text(re.compile("250.00"))
    await phone.page.fill("#phone", "12")
    await phone.page.click("#join")
    await phone.reads(name_problem="Tell us a name.", phone_problem=re.compile("no telephone number"))
    await expect(phone.part("name")).to_be_focused()
    assert await barriers(phone.page) == []
    await stage.does(0, "close", waiting="keep")
    await phone.page.fill("#name", "Ana")
    await phone.reads(name_problem="")
    await phone.page.fill("#phone", "")
    await phone.page.click("#join")
    await phone.reads(problem="Nobody takes customers just now.")
    assert await in_line(stage) == [1, 2, 3]


async def test_two_who_join_at_once_get_a_number_each_and_are_led_to_it_from_the_door_until_it_is_over(
    stage: Stage,
) -> None:
    phones = [await Phone.at_the_door(stage) for _ in range(2)]
    for phone, name in zip(phones, ("Ana", "Bo"), strict=True):
        await phone.fill(name)
    await asyncio.gather(*(phone.page.click("#join") for phone in phones))
    for phone in phones:
        await phone.has_a_ticket()
    numbers = [await phone.part("number").text_content() for phone in phones]
    assert sorted(numbers, key=str) == ["1", "2"]
    assert await in_line(stage) == [1, 2]
    phone = phones[0]
    booking, door = phone.booking, await join_address(stage, stage.url)
    for address in (door, door.partition("?")[0], f"{stage.url}/ticket"):
        await phone.page.goto(address)
        await phone.has_a_ticket()
        assert phone.booking == booking
    await stage.does(0, "cancel", bookingId=booking)
    await phone.reads(place="You are no longer in the line")
    await phone.page.goto(f"{stage.url}/ticket")
    await phone.reads(notice=re.compile("You are in no line"))
    await phone.page.goto(door)
    await expect(phone.part("form")).to_be_visible()


async def test_a_join_whose_answer_was_lost_or_that_had_no_network_happens_once(stage: Stage) -> None:
    async with Network(stage.server.server.port or 0) as network:
        phone, deaf = Phone(stage, await stage.page(viewport=SIZE), network.url), [True]

        def swallow_answers(socket: WebSocketRoute) -> None:
            server = socket.connect_to_server()

            def pass_on(message: str | bytes) -> None:
                if not (deaf[0] and '"event":"ack"' in str(message)):
                    socket.send(message)

            server.on_message(pass_on)

        await phone.page.route_web_socket(re.compile("/ws/"), swallow_answers)
        await phone.scan()
        await phone.fill()
        await phone.page.click("#join")
        await phone.reads(problem=re.compile("No answer yet"))
        assert await in_line(stage) == [1]
        deaf[0] = False
        await phone.page.reload()
        await phone.has_a_ticket()
        await phone.reads(number="1")
        assert [name.split(".")[1] for name in (await phone.kept())["local"]] == ["ticket"]

        other = await Phone.at_the_door(stage, network.url)
        await other.fill("Bo")
        await network.cut()
        await other.page.click("#join")
        await other.reads(problem=re.compile("No answer yet"))
        assert await in_line(stage) == [1]
        await network.mend()
        await other.has_a_ticket()
        assert await in_line(stage) == [1, 2]


async def test_a_phone_on_which_pages_may_keep_nothing_has_a_ticket_for_as_long_as_its_tab(stage: Stage) -> None:
    phone = Phone(stage, await stage.page(viewport=SIZE), stage.url)
    await phone.page.add_init_script(STORAGE_CLOSED)
    await phone.scan()
    await phone.join()
    assert "#" not in phone.page.url
    await phone.reads(number="1")
    await stage.does(0, "advance")
    await phone.reads(place="You are next")
    await phone.page.reload()
    await phone.has_a_ticket()
    await phone.reads(number="1")
    assert "#" not in phone.page.url
    async with phone.page.expect_navigation():
        await phone.page.select_option("#language", "hi")
    await phone.has_a_ticket()
    await expect(phone.page.locator("html")).to_have_attribute("lang", "hi")
    await phone.page.goto(f"{stage.url}/ticket/bk_nobodys#ticket=%7B%22")
    await phone.reads(notice=re.compile("."))


async def test_a_ticket_is_the_newest_though_the_phone_is_full_and_no_more_is_taken_from_an_address_than_is_handed(
    stage: Stage,
) -> None:
    page = await stage.page(viewport=SIZE)
    await page.goto(f"{stage.url}/join/{stage.shop.shop_id}")
    full, *handed = await page.evaluate(
        """async () => {
          const { handedTicket, keepTicket } = await import("/static/tickets.js");
          const ticket = { token: "t", expiresAt: new Date(Date.now() + 60_000).toISOString(), shopId: "s" };
          const handed = (bookingId, more) => {
            location.hash = `ticket=${encodeURIComponent(JSON.stringify({ ...ticket, ...more }))}`;
            return handedTicket(bookingId);
          };
          keepTicket("a", ticket);
          const { setItem } = Storage.prototype;
          Storage.prototype.setItem = () => { throw new DOMException("It is full.", "QuotaExceededError"); };
          keepTicket("a", { alerts: true });
          const full = keepTicket("a", { over: false });
          Storage.prototype.setItem = setItem;
          const taken = Object.keys(handed("b", { seen: {}, over: true })).sort();
          return [full.alerts, taken, handed("c", { expiresAt: 9999 })];
        }"""
    )
    assert full is True
    assert handed == [["bookingId", "expiresAt", "shopId", "token"], None]


async def test_the_page_speaks_the_languages_of_its_readers_and_of_codes_that_are_not_good(stage: Stage) -> None:
    phone = Phone(stage, await stage.page(viewport=SIZE, locale="en-GB"), stage.url)
    await phone.page.goto(f"{await join_address(stage, stage.url)}0")
    await phone.reads(notice=re.compile("no longer good"))
    await phone.page.goto(f"{stage.url}/join/{stage.shop.shop_id}")
    await phone.reads(notice=re.compile("Scan the code"))
    phone = await Phone.at_the_door(stage, locale="hi-IN")
    await phone.reads(join="मेरी जगह लें")
    await phone.part("language").select_option("ar")
    await phone.reads(join="احجز مكاني")
    await expect(phone.page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(phone.part("form")).to_be_visible()
    assert await barriers(phone.page) == []
    assert await phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await phone.join()
    await phone.reads(place="أنت التالي")
    assert await barriers(phone.page) == []
