"""Traces: the way of a command from its door to the other nodes, and nothing of it when nobody wants them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from barberpro.queue.engine import Engine
from barberpro.server.node import NodeOptions
from barberpro.server.traces import switch_on_traces
from tests.support.shops import customer, refusal, send
from tests.support.spans import exporter
from tests.support.whole_server import WholeServer, whole_server

CALLER = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Yield what was traced in this test; other tests' nodes make no spans."""
    exporter().clear()
    yield exporter()
    exporter().clear()


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix, traced=True)


async def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    """The one span of this name, once it has ended."""
    async with asyncio.timeout(5):
        while not (found := [span for span in spans.get_finished_spans() if span.name == name]):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    assert len(found) == 1
    return found[0]


async def published(spans: InMemorySpanExporter, events: int) -> None:
    """Waits until so many events have been committed, and all of their batches published."""
    async with asyncio.timeout(20):
        while True:
            done = spans.get_finished_spans()
            batches = [span for span in done if span.name == "commit batch"]
            told = {link.context.span_id for span in done if span.name == "publish" for link in span.links}
            committed = sum(int(str((batch.attributes or {})["barberpro.events"])) for batch in batches)
            if committed == events and {batch.context.span_id for batch in batches} <= told:
                return
            await asyncio.sleep(0.02)


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == parent.context.span_id


async def join_by_rest(server: WholeServer) -> None:
    headers = {**server.bearer(customer(1)), "traceparent": f"00-{CALLER}-b7ad6b7169203331-01"}
    body = {"barberId": server.shop.barbers[0], "serviceIds": [server.shop.service]}
    async with server.client.post("/api/v1/bookings", json=body, headers=headers) as response:
        assert response.status == 201


async def test_a_command_is_followed_from_its_caller_to_the_other_nodes(
    spans: InMemorySpanExporter, options: NodeOptions, tmp_path: Path
) -> None:
    async with whole_server(options, tmp_path) as server:
        await published(spans, len(server.shop.barbers))  # the lines have been opened
        spans.clear()
        await join_by_rest(server)
        door, command = await named(spans, "POST /api/v1/bookings"), await named(spans, "command join")
        script, commit = await named(spans, "script join"), await named(spans, "commit")
        batch, publish = await named(spans, "commit batch"), await named(spans, "publish")
    assert f"{door.context.trace_id:032x}" == CALLER
    assert is_child(command, door)
    assert is_child(script, command)
    assert is_child(commit, command)
    assert [link.context.span_id for link in batch.links] == [command.context.span_id]
    assert [link.context.span_id for link in publish.links] == [batch.context.span_id]
    assert (command.attributes or {})["barberpro.code"] == "ok"
    assert (batch.attributes or {})["barberpro.events"] == 1


async def test_a_refusal_tells_its_code_and_nothing_of_anybody(
    spans: InMemorySpanExporter, options: NodeOptions, tmp_path: Path
) -> None:
    async with whole_server(options, tmp_path) as server:
        await send(server.node, customer(1), **server.shop.join(customer={"name": "Zebulon"}))
        spans.clear()
        await refusal(send(server.node, customer(1), **server.shop.join(customer={"name": "Zebulon"})))
        command = await named(spans, "command join")
    assert (command.attributes or {})["barberpro.code"] == "ALREADY_IN_QUEUE"
    assert "Zebulon" not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_nothing_is_traced_unless_it_is_wanted(
    spans: InMemorySpanExporter, options: NodeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert switch_on_traces() is False
    plain = NodeOptions(options.database_url, options.redis_url, options.prefix)
    async with whole_server(plain, tmp_path) as server:
        assert type(server.node.engine) is Engine
        await join_by_rest(server)
    assert spans.get_finished_spans() == ()
