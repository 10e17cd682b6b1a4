"""The benchmark command prints what performance.md says, whatever the figures are and whichever peers run."""

import pytest

from barberpro.server.embedded import EmbeddedServices
from tests.support.benches import quick_results

FIGURES = {
    "engine": ["P1", "P2", "P8-length", "P8-queues", "P8-spread"],
    "commands": [
        *("P4-socketio", "P4-socketio-share", "P4-socketio-open", "P4-socketio-open-share"),
        *("P4-websocket", "P4-websocket-share", "P4-websocket-open", "P4-websocket-open-share"),
        "P6",
    ],
    "stalled": ["P3s"],
    "year": ["Y1-transition", "Y1-rebuild", "Y1-redis", "Y1-events"],
    "waits": ["W1", "W2", "W3"],
    "find": ["F1"],
    "import": ["I1"],
}
LIVE = {"delivery": ["P3-socketio", "P3-websocket"], "memory": ["P7-websocket", "P7-socketio"]}


@pytest.fixture
def given_stores(stores: EmbeddedServices) -> list[str]:
    """Of this session: a suite would start its own, which takes as long as it does."""
    return ["--database-url", stores.urls.database_url, "--redis-url", stores.urls.redis_url]


@pytest.mark.parametrize("suite", FIGURES)
async def test_a_quick_run_prints_one_json_object_of_the_agreed_shape(suite: str, given_stores: list[str]) -> None:
    assert [result["id"] for result in await quick_results(suite, *given_stores)] == FIGURES[suite]


@pytest.mark.timeout(300)  # the first run on a machine installs the Node peers
@pytest.mark.parametrize("suite", LIVE)
async def test_a_quick_run_on_a_live_server_refuses_nobody_and_tells_whom_it_left_out(
    suite: str, given_stores: list[str]
) -> None:
    results = await quick_results(suite, *given_stores)
    assert [result["id"] for result in results] == LIVE[suite]
    for result in results:
        assert "refused" not in result["details"]
        # Every peer was measured, or it is said why not.
        assert set(result["peers"]).isdisjoint(result["details"]["left_out"])
        assert "python-socketio" in " ".join(result["peers"])
