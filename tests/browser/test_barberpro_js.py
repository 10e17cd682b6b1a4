"""barberpro.js in a browser: rooms that are never older than they were, and commands that happen once."""

import asyncio
import re

from playwright.async_api import WebSocketRoute

from tests.support.client_page import ClientPage
from tests.support.shops import customer, new_id, send
from tests.support.stage import Stage

ME = customer(1)
LIVE = "shop.status === 'live'"


async def waiting(stage: Stage) -> int:
    """How many have joined the first barber's line."""
    shop = await stage.backstage.catalogue.shop(stage.shop.shop_id)
    assert shop is not None
    rows = await stage.backstage.pool.fetch("SELECT 1 FROM bookings WHERE barber_id = $1", stage.shop.barbers[0])
    return len(rows)


async def test_a_watched_room_moves_and_a_second_watcher_is_told_at_once(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load(room)
    await client.until("heard.states.length === 1")
    await stage.shop.fill(stage.backstage, 2, first=5)
    await client.until("heard.states.at(-1)?.waiting.length === 1")
    seqs = await client.page.evaluate("heard.states.map(({ seq }) => seq)")
    assert seqs == sorted(seqs)
    same = (
        "(room) => { let told; shop.watch(room, (state) => { told = state; }); return told === heard.states.at(-1); }"
    )
    assert await client.page.evaluate(same, room)
    assert await client.page.evaluate("(room) => Date.now() - shop.heardAt(room) < 60_000", room)
    assert await client.page.evaluate("heard.status") == ["live"]


async def test_a_command_is_answered_or_refused_over_the_socket_and_without_one(stage: Stage) -> None:
    client = await ClientPage.of(stage, ME)
    for room in (f"queue:{stage.shop.barbers[0]}", None):
        await client.load(room)
        joined = await client.send(stage.shop.join())
        assert (joined["result"]["replayed"], joined["result"]["booking"]["tokenNumber"] > 0) == (False, True)
        refused = (await client.send(stage.shop.join()))["error"]
        assert (refused["code"], refused["temporary"]) == ("ALREADY_IN_QUEUE", False)
        await client.send({"type": "cancel", "bookingId": joined["result"]["booking"]["bookingId"]})
        assert await client.page.evaluate("shop.pending.length + Object.keys(localStorage).length") == 0


async def test_a_command_whose_answer_a_reload_cut_off_happens_once_and_is_answered_afterwards(stage: Stage) -> None:
    client, room, deaf = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}", [True]

    def swallow_answers(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if not (deaf[0] and '"event":"ack"' in str(message)):
                socket.send(message)

        server.on_message(pass_on)

    await client.page.route_web_socket(re.compile("/ws/"), swallow_answers)
    await client.load(room)
    await client.until(LIVE)
    await client.page.evaluate("(join) => void shop.send(join)", stage.shop.join())
    await client.until("heard.states.at(-1)?.next")  # it has happened, and nobody was told
    assert await client.page.evaluate("shop.pending.length") == 1
    deaf[0] = False
    await client.load(room)
    answer = await client.until("heard.answers[0]")
    assert (answer["command"]["type"], answer["result"]["replayed"]) == ("join", True)
    assert await client.page.evaluate("shop.pending.length + Object.keys(localStorage).length") == 0
    assert await waiting(stage) == 1


async def test_what_another_user_left_unanswered_is_not_asked_in_this_ones_name(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load()
    kept = {"command": {"commandId": new_id(), **stage.shop.join()}, "at": 0, "user": "us_another"}
    keep = "(kept) => localStorage.setItem(`barberpro.command.${kept.command.commandId}`, JSON.stringify(kept))"
    await client.page.evaluate(keep, {**kept, "at": await client.page.evaluate("Date.now()")})
    await client.load(room)
    await client.until(LIVE)
    assert "booking" in (await client.send({"type": "join", **stage.shop.join()}))["result"]
    assert await waiting(stage) == 1
    await client.page.evaluate(keep, kept)  # and after its time it is forgotten
    await client.load(room)
    assert (await client.until("heard.answers[0]"))["error"]["code"] == "UNANSWERED"
    assert await client.page.evaluate("Object.keys(localStorage).length") == 0


async def test_a_server_that_is_killed_and_comes_back_costs_no_state_and_no_command(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load(room)
    await client.until(LIVE)
    await stage.stop()
    await client.until("shop.status === 'lost'")
    asked = asyncio.create_task(client.send(stage.shop.join()))
    await send(stage.backstage, customer(2), **stage.shop.join())
    await client.until("shop.pending.length === 1")
    await stage.start()
    assert (await asked)["result"]["booking"]["tokenNumber"] == 2
    await client.until("heard.states.at(-1)?.waiting.length === 1")
    assert await client.page.evaluate("heard.status") == ["live", "lost", "live"]


async def test_a_device_without_network_says_so_and_goes_on_by_itself(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load(room, askMs=500)
    await client.until(LIVE)
    await client.page.context.set_offline(offline=True)
    await client.until("shop.status === 'offline'")
    await stage.shop.fill(stage.backstage, 1, first=5)
    await client.page.context.set_offline(offline=False)
    await client.until("shop.status === 'live' && heard.states.at(-1).next")


async def test_a_token_that_is_refused_is_asked_for_anew_and_a_room_that_is_not_there_ends(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load(token="garbage")  # noqa: S106 - it opens nothing
    await client.page.evaluate("(room) => shop.watch(room, (state) => heard.states.push(state))", room)
    await client.until("heard.states.length === 1")
    errors = await client.page.evaluate("heard.errors.map(({ code, ended }) => [code, ended])")
    assert errors == [[4401, False]]
    await client.page.evaluate("void shop.watch('queue:bb_nobody', () => {})")
    ended = await client.until("heard.errors.find(({ ended }) => ended)")
    assert (ended["room"], ended["code"]) == ("queue:bb_nobody", 4404)
    await client.until(LIVE)


async def test_a_token_that_ends_soon_is_renewed_on_the_live_connection(stage: Stage) -> None:
    client, room, told = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}", asyncio.Queue[str]()
    client.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.put_nowait(str(frame))))
    await client.load(token=stage.server.tokens.mint(ME, 50))  # of which the server warns a minute before its end
    await client.page.evaluate("(room) => void shop.watch(room, (state) => heard.states.push(state))", room)
    async with asyncio.timeout(20):
        while "authenticated" not in (frame := await told.get()):
            pass
    assert '"ok":true' in frame
    assert await client.page.evaluate("heard.status") == ["live"]


async def test_a_restarting_server_is_left_alone_for_as_long_as_it_said(stage: Stage) -> None:
    client, room = await ClientPage.of(stage, ME), f"queue:{stage.shop.barbers[0]}"
    await client.load(room)
    await client.until(LIVE)
    await client.page.evaluate(
        "window.lostAt = []; shop.addEventListener('status', () => lostAt.push(performance.now()))"
    )
    await stage.server.running.doors.connections.close()
    await client.until("shop.status === 'lost'")
    await stage.stop()
    await stage.start()
    await client.until(LIVE)
    lost, live = await client.page.evaluate("lostAt")
    assert live - lost >= 500  # the least that a server says; a first attempt of the client's own may come after 250
