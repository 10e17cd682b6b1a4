"""What the alerts, the dashboard and the documentation speak of is what the server serves."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from barberpro.server.node import NodeOptions
from tests.support.shops import customer, send
from tests.support.whole_server import whole_server

ROOT = Path(__file__).parents[2]
METRIC = re.compile(r"\b(?:barberpro|process|python)_[a-z0-9_]+")
SERIES = ("_bucket", "_sum", "_count")


@pytest.fixture
async def served(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> set[str]:
    """Return the names of all series of a server that has done a little of everything."""
    async with whole_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as server:
        socket = await server.watch(customer(1), "?epoch=0&seq=0")
        await send(server.node, customer(1), **server.shop.join())
        await socket.send_str('{"event": "command", "commandId": "1", "type": "dance"}')
        await socket.receive_str()
        await server.ready()
        names: set[str] = set()
        async with asyncio.timeout(5):
            # The keeper looks once a second; a refusal's acknowledgement may come after a state.
            while not names >= {"barberpro_live_refusals_total", "barberpro_http_request_seconds_count"}:
                names = {name for name, _ in (await server.scrape()).samples}
        await socket.close()
        return names


def expressions() -> dict[str, list[str]]:
    """Every PromQL expression, by the file that it stands in."""
    alerts = (ROOT / "ops/prometheus/alerts.yml").read_text()
    panels = json.loads((ROOT / "ops/grafana/barberpro.json").read_text())["panels"]
    return {
        "alerts.yml": re.findall(r"expr: (?:\|\n)?(.*?)\n +(?:for|labels):", alerts, re.DOTALL),
        "barberpro.json": [target["expr"] for panel in panels for target in panel.get("targets", [])],
    }


async def test_every_figure_of_an_expression_is_served(served: set[str]) -> None:
    for file, found in (await asyncio.to_thread(expressions)).items():
        assert len(found) > 10, file
        for expression in found:
            named = set(METRIC.findall(expression)) or {"up"}
            assert named <= served | {"up"}, f"{file}: {expression}"


async def test_every_figure_is_documented_and_none_that_is_not_served(served: set[str]) -> None:
    words = await asyncio.to_thread((ROOT / "docs/observability.md").read_text)
    documented = {name for name in METRIC.findall(words) if name.startswith("barberpro_")}
    families = {re.sub(f"({'|'.join(SERIES)})$", "", name) for name in served if name.startswith("barberpro_")}
    assert families == documented


def test_every_alert_says_what_to_do() -> None:
    alerts = re.findall(r"- alert: (\w+)", (ROOT / "ops/prometheus/alerts.yml").read_text())
    assert len(alerts) > 8
    _, _, advice = (ROOT / "docs/observability.md").read_text().partition("\n## Alerts\n")
    assert re.findall(r"^### (\w+)$", advice, re.MULTILINE) == alerts
