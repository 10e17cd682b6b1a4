"""Two servers are restarted one after the other under two hundred sockets and commands: a short R1."""

from barberpro.server.embedded import EmbeddedServices
from tests.support.benches import quick_results

GENEROUS_SECONDS = 60.0


async def test_a_rolling_restart_loses_nobody_and_nothing(stores: EmbeddedServices) -> None:
    urls = stores.urls
    [result] = await quick_results("restart", "--database-url", urls.database_url, "--redis-url", urls.redis_url)
    told = result["details"]
    assert (result["id"], told["sockets"]) == ("R1", 200)
    assert max(told["restarts_back_s"]) < GENEROUS_SECONDS
    assert min(told["restarts_sockets_cut"]) > 0
    assert sum(told["restarts_sockets_cut"]) >= told["sockets"]
    assert told["commands_acknowledged"] > 0
    assert told["commands_refused"].keys() <= {"INVALID_TRANSITION", "STALE_STATE"}
    nothing = ("ended_badly", "cut_without_notice", "went_back", "came_before_the_subscription", "unequal_in_the_end")
    assert {name: told[name] for name in nothing} == dict.fromkeys(nothing, 0)
    assert told["first_problems"] == []
