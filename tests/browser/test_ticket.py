"""A ticket on a phone: the place as it moves, and why; kept through reloads, outages and sleep."""

import re

from playwright.async_api import expect

from loadtests.faults.network import Network
from tests.support.axe import barriers
from tests.support.phones import SIZE, Phone, in_line
from tests.support.stage import Stage

QUIET = "window.shakes = []; navigator.vibrate = (pattern) => { window.shakes.push(pattern); return true; };"
NOTIFIED = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body }) => `${title}: ${body}`)"""
LOADED = "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
FORGE = """([key, token]) => localStorage.setItem(key,
  JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), token }))"""


async def test_the_place_moves_as_the_barber_works_and_says_why_and_a_reload_finds_it(stage: Stage) -> None:
    ahead = await stage.shop.fill(stage.backstage, 3)
    phone = await Phone.at_the_door(stage)
    await phone.join()
    await phone.reads(number="4", place="3 people before you", why="You joined the line.", shop="The Shop")
    await expect(phone.part("wait")).to_have_text(re.compile(r"\d"))
    assert await barriers(phone.page) == []
    await stage.does(0, "advance")
    await phone.reads(place="2 people before you", serving="1", why="The barber took the next one.")
    await stage.does(0, "cancel", bookingId=ahead[1], reason="went home")
    await phone.reads(place="1 person before you", why="Number 2 left the line. Reason: went home")

    await phone.page.reload()
    await phone.reads(number="4", place="1 person before you", why="Number 2 left the line. Reason: went home")
    tab = Phone(stage, await phone.page.context.new_page(), stage.url)
    await tab.page.goto(phone.page.url)
    await tab.reads(number="4", place="1 person before you")
    kept = await tab.kept()
    assert [name.split(".")[:2] for name in kept["local"]] == [["barberpro", "ticket"]]
    assert (kept["session"], kept["cookies"]) == ([], "")
    await tab.page.close()
    stranger = Phone(stage, await stage.page(viewport=SIZE), stage.url)
    await stranger.page.goto(phone.page.url)
    await stranger.reads(notice=re.compile("no ticket for this place"))

    await stage.does(0, "advance")
    await phone.reads(place="You are next", advice="Please be in the shop now.")
    assert await barriers(phone.page) == []
    await stage.does(0, "advance")
    await phone.reads(place="It is your turn", advice="With Barber 0", why="It is your turn.")
    await expect(phone.part("actions")).to_be_hidden()
    await stage.does(0, "advance")
    await phone.reads(place="Done. Thank you!", why="You are done.")
    await phone.page.click("summary")
    story = phone.page.locator("#story li span")
    await expect(story).to_have_count(6)
    assert await story.last.text_content() == "You joined the line. · place 4"
    assert await barriers(phone.page) == []


async def test_the_page_opens_without_a_network_with_the_last_place_and_its_age_and_then_with_the_truth(
    stage: Stage,
) -> None:
    await stage.shop.fill(stage.backstage, 2)
    async with Network(stage.server.server.port or 0) as network:
        phone = await Phone.at_the_door(stage, network.url)
        await phone.page.evaluate("navigator.serviceWorker.ready.then(({ active }) => active.state)")
        loaded = await phone.page.evaluate(LOADED)
        await phone.join()
        await network.cut()
        await expect(phone.part("fresh")).to_have_attribute("data-state", "lost")
        await stage.does(0, "advance")
        await phone.page.reload()
        await phone.reads(number="3", place="2 people before you", notice=re.compile("This was so at"))
        cached = (await phone.kept())["cached"]
        assert all(path.startswith("/static/") for path in cached)
        loaded += await phone.page.evaluate(LOADED)
        assert {path for path in loaded if path.startswith("/static/")} <= set(cached)
        await network.mend()
        await phone.page.evaluate("dispatchEvent(new Event('online'))")
        await phone.reads(place="1 person before you", why="The barber took the next one.", notice="")
        await expect(phone.part("fresh")).to_have_attribute("data-state", "live")
    await phone.page.context.set_offline(True)
    await expect(phone.part("fresh")).to_have_attribute("data-state", "offline")


async def test_who_is_next_feels_and_is_notified_of_it_once_may_step_back_and_may_give_up(stage: Stage) -> None:
    await stage.shop.fill(stage.backstage, 1)
    phone = await Phone.at_the_door(stage)
    await phone.page.context.grant_permissions(["notifications"])
    await phone.page.add_init_script(QUIET)
    await phone.join()
    await phone.page.click("#step-back")
    await phone.reads(problem=re.compile("nobody is behind you"))
    await phone.page.click("#alerts")
    await phone.reads(alerts_told=re.compile("We will notify you"))
    await phone.page.evaluate("window.shakes = []")
    await stage.does(0, "advance")
    await phone.reads(place="You are next", alerts="Tell me when it is my turn")
    await phone.page.wait_for_function("window.shakes.length === 1")
    await phone.page.wait_for_function(f"({NOTIFIED})().then((all) => all.length === 1)")
    assert await phone.page.evaluate(NOTIFIED) == ["You are next: Please be in the shop now."]

    await phone.page.reload()
    await phone.has_a_ticket()
    await expect(phone.part("alerts")).to_have_attribute("aria-pressed", "true")
    await stage.shop.fill(stage.backstage, 1, first=9)
    await phone.page.click("#step-back")
    assert await barriers(phone.page) == []
    await phone.page.click("#places button >> nth=0")
    await phone.reads(place="1 person before you", why="You let others go first.")
    assert await phone.page.evaluate("window.shakes") == []
    await stage.does(0, "advance")
    await phone.reads(place="You are next")
    await phone.page.wait_for_function("window.shakes.length === 1")

    await phone.page.click("#cancel")
    assert await barriers(phone.page) == []
    await phone.page.keyboard.press("Escape")
    await expect(phone.part("cancel")).to_be_focused()
    await phone.reads(place="You are next")
    await phone.page.keyboard.press("Enter")
    await phone.page.click("#cancel-dialog button[value=cancel]")
    await phone.reads(place="You are no longer in the line", why="You gave up your place.")
    await expect(phone.part("actions")).to_be_hidden()
    assert await in_line(stage) == [1, 2, 3]

    await phone.page.evaluate(FORGE, [f"barberpro.ticket.{phone.booking}", "a.b.c"])
    await phone.page.clock.install()
    await phone.page.reload()
    await phone.reads(notice=re.compile("This ticket has ended"))
    await phone.page.clock.run_for(5_000)
    await phone.reads(notice=re.compile("This ticket has ended"))  # not how old the place is that was shown before
    assert (await phone.kept())["local"] == []
