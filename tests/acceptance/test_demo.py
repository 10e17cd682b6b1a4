"""`barberpro demo`: one command, and a shop's screen that moves."""

import re
import signal
from urllib.parse import parse_qsl

import aiohttp

from tests.support.programs import program
from tests.support.raw_socketio import raw_client
from tests.support.sites import STOP_SECONDS, Site


async def signed_in(site: Site, console: str) -> tuple[str, str]:
    """With what the console's address has behind its #, as the page does: an access token, and whose line it is."""
    given = dict(parse_qsl(console.partition("#")[2]))
    _, answer = await site.request("POST", "/api/v1/auth/login", None, given)
    return answer["data"]["accessToken"], answer["data"]["user"]["barberId"]


async def test_the_demo_prints_its_addresses_and_its_screen_moves_until_ctrl_c(bare_site: Site) -> None:
    site = bare_site
    words = site.embedded("demo", "--port", str(site.port), "--speed", "600")
    async with program(site.home, *words) as demo:
        screen = re.findall(r"http://\S+", (await demo.says("The shop's screen"))[0])[0]
        console = re.findall(r"http://\S+", (await demo.says("Dina's console"))[0])[0]
        kiosk = re.findall(r"http://\S+", (await demo.says("The kiosk"))[0])[0]
        health = re.findall(r"http://\S+", (await demo.says("Health"))[0])[0]
        await demo.says("Ctrl-C")
        async with aiohttp.ClientSession() as session:
            async with session.get(screen) as page:
                assert (page.status, page.content_type) == (200, "text/html")
            async with session.get(health) as ready:
                assert ready.status == 200
            async with session.get(f"{screen}/token") as answer:
                auth = await answer.json()
        token, barber_id = await signed_in(site, console)
        opened = await site.request(
            "POST", "/api/v1/queue/commands", token, {"type": "open", "barberId": barber_id, "commandId": "c1"}
        )
        assert opened[0] == 200, opened
        page, _, given = kiosk.partition("#")
        secret = {"secret": dict(parse_qsl(given))["device"]}
        _, paired = await site.request("POST", "/api/v1/devices/token", None, secret)
        assert (paired["data"]["status"], paired["data"]["shopId"]) == ("paired", page.rpartition("/")[2])
        async with raw_client(site.url, auth) as watcher:
            shop_id = screen.rpartition("/")[2]
            assert (await watcher.subscribe(f"display:{shop_id}"))["ok"]
            await watcher.hears("display_updated", lambda state: any(queue["serving"] for queue in state["queues"]))
        end = await demo.end(signal.SIGINT, STOP_SECONDS)
        assert end.code == 0, end
        assert "Traceback" not in end.err
        assert not await site.stores_run()


async def test_ctrl_c_between_two_days_ends_the_demo_as_cleanly(site: Site) -> None:
    async with program(site.home, *site.embedded("demo", "--port", str(site.port), "--speed", "7200")) as demo:
        await demo.says('"violations": []')
        end = await demo.end(signal.SIGINT, STOP_SECONDS)
    assert end.code == 0, end
    assert "Traceback" not in end.err
    assert not await site.stores_run()
