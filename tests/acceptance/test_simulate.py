"""`barberpro simulate` plays a day over real sockets, and no promise is broken: not even when the server is killed."""

import signal
from contextlib import AsyncExitStack

import orjson

from tests.support.programs import Finished, program
from tests.support.shops import Json
from tests.support.sites import STOP_SECONDS, Site, kill

JOINED = ": join token"


def summary_of(end: Finished) -> Json:
    """What it printed in the end."""
    summary: Json = orjson.loads(end.out[end.out.index("\n{\n") if not end.out.startswith("{") else 0 :])
    return summary


def day(site: Site, *arguments: str) -> list[str]:
    return site.embedded("simulate", "--url", f"{site.url}/", *arguments)  # as browsers show it


async def test_a_quick_day_breaks_no_promise(site: Site) -> None:
    async with site.serving():
        async with program(site.home, *day(site, "--speed", "3600", "--hours", "4", "--view", "none")) as playing:
            end = await playing.finished()
        summary = summary_of(end)
        assert (end.code, summary["violations"], summary["errors"]) == (0, [], []), end
        assert summary["served"] > 10
        assert summary["left_waiting"] == 0
        assert end.err == ""


async def test_ctrl_c_ends_a_day_with_its_summary(site: Site) -> None:
    async with site.serving(), program(site.home, *day(site, "--speed", "600", "--view", "plain")) as playing:
        await playing.says(JOINED)
        end = await playing.end(signal.SIGINT, STOP_SECONDS)
        summary = summary_of(end)
        assert (end.code, end.err, summary["stopped"], summary["violations"]) == (0, "", True, []), end


async def test_a_day_goes_on_when_the_server_is_killed_and_started_again(site: Site) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(site.serving())
        words = day(site, "--speed", "600", "--hours", "2", "--view", "plain")
        playing = await stack.enter_async_context(program(site.home, *words))
        await playing.says(JOINED, 10)
        kill(server.pid)
        await server.finished()
        check = await site.run("check")
        assert check.code == 0, check
        served = len(await playing.says(": complete token", 0)) + len(await playing.says(": advance token", 0))
        again = await stack.enter_async_context(site.serving())
        end = await playing.finished()
        summary = summary_of(end)
        assert (end.code, summary["violations"]) == (0, []), end
        assert summary["reconnects"] > 0
        assert summary["served"] > served
        check = await site.run("check")
        assert check.code == 0, check
        assert (await again.end()).code == 0
    assert not await site.stores_run()
