"""GET /metrics: what it counts, on a whole server with a few clients."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import ClientWebSocketResponse

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import COMMAND_TYPES
from barberpro.queue.tally import Tallies
from barberpro.server.node import NodeOptions
from barberpro.storage.postgres import pool_use
from tests.support.raw_socketio import raw_client
from tests.support.shops import Json, customer, new_id, refusal, send
from tests.support.whole_server import Scrape, WholeServer, whole_server


@pytest.fixture
async def server(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[WholeServer]:
    async with whole_server(NodeOptions(database_url, redis_url, redis_prefix), tmp_path) as server:
        yield server


async def ask(socket: ClientWebSocketResponse, document: Json) -> Json:
    """Sends a command on a live connection; its acknowledgement."""
    await socket.send_str(orjson.dumps({"event": "command", **document}).decode())
    while True:
        async with asyncio.timeout(5):
            answer: Json = orjson.loads(await socket.receive_str())
        if answer["event"] == "ack":
            return answer


def grown(before: Scrape, after: Scrape, name: str, **labels: str) -> float:
    """The figures are the process's, and other tests have counted, too."""
    return after.of(name, **labels) - before.of(name, **labels)


async def test_commands_are_counted_by_type_and_outcome(server: WholeServer) -> None:
    before = await server.scrape()
    join = {"commandId": new_id(), **server.shop.join()}
    await send(server.node, customer(1), **join)
    await send(server.node, customer(1), **join)
    await refusal(send(server.node, customer(1), **server.shop.join()))
    after = await server.scrape()
    for code in ("ok", "replayed", "ALREADY_IN_QUEUE"):
        assert grown(before, after, "barberpro_commands_total", type="join", code=code) == 1
    assert grown(before, after, "barberpro_ack_latency_seconds_count") == 3
    assert grown(before, after, "barberpro_ack_latency_seconds_bucket", le="+Inf") == 3
    assert 0 < grown(before, after, "barberpro_ack_latency_seconds_sum") < 15
    assert grown(before, after, "barberpro_commit_batch_events_sum") == 1
    assert grown(before, after, "barberpro_commit_seconds_count") >= 3
    assert grown(before, after, "barberpro_redis_call_seconds_count", call="scripts") >= 3
    assert after.labels("barberpro_commands_total", "type") <= {*COMMAND_TYPES, "schedule", "reschedule"}
    assert after.labels("barberpro_commands_total", "code") <= {"ok", "replayed", "abandoned", *ErrorCode}


async def test_connections_seats_frames_and_resumes_are_counted_by_door(server: WholeServer) -> None:
    before = await server.scrape()
    socket = await server.watch(customer(1))
    room = f"queue:{server.shop.barbers[0]}"
    token = server.bearer(customer(2))["Authorization"].removeprefix("Bearer ")
    async with raw_client(str(server.client.make_url("/")), {"token": token}) as app:
        state = (await app.subscribe(room))["state"]
        assert (await ask(socket, {"commandId": new_id(), **server.shop.join()}))["ok"]
        await app.hears("queue_updated", lambda newer: newer["seq"] > state["seq"])
        old = await server.watch(customer(3), f"?epoch={state['epoch']}&seq={state['seq']}")
        during = await server.scrape()
        for door, count in (("websocket", 2), ("socketio", 1), ("sse", 0)):
            assert during.of("barberpro_connections", door=door) == count
            assert during.of("barberpro_seats", door=door, room="queue") == count
            assert during.of("barberpro_seats", door=door, room="display") == 0
        assert grown(before, during, "barberpro_resumes_total", kind="state") == 1
        assert grown(before, during, "barberpro_sent_frames_total", door="websocket") == 4  # 2 subscribed, ack, state
        for door in ("websocket", "socketio"):
            assert grown(before, during, "barberpro_sent_bytes_total", door=door) > 500
        assert grown(before, during, "barberpro_commit_to_write_seconds_count") == 1
        assert during["barberpro_views"] == 1
        assert during["barberpro_tasks"] > before["barberpro_tasks"]
        await old.close()
    await socket.close()


async def test_what_a_polling_client_is_given_is_counted_by_its_packets(server: WholeServer) -> None:
    before = await server.scrape()
    token = server.bearer(customer(2))["Authorization"].removeprefix("Bearer ")
    async with raw_client(str(server.client.make_url("/")), {"token": token}, "polling") as app:
        state = (await app.subscribe(f"queue:{server.shop.barbers[0]}"))["state"]
        after = await server.scrape()
    # Engine.IO's opening, Socket.IO's, and the ack.
    assert grown(before, after, "barberpro_sent_frames_total", door="socketio") == 3
    assert grown(before, after, "barberpro_sent_bytes_total", door="socketio") > len(orjson.dumps(state))


async def test_refusals_on_live_connections_are_counted_whatever_was_asked(server: WholeServer) -> None:
    before = await server.scrape()
    socket = await server.watch(customer(1))
    assert not (await ask(socket, {"commandId": "1", "type": "dance"}))["ok"]
    await socket.close()
    after = await server.scrape()
    assert grown(before, after, "barberpro_live_refusals_total", code="BAD_REQUEST") == 1
    assert "dance" not in after.labels("barberpro_commands_total", "type")


async def test_requests_are_counted_by_template_and_words_of_callers_are_no_labels(server: WholeServer) -> None:
    before = await server.scrape()
    barber = server.shop.barbers[0]
    async with server.client.get(f"/api/v1/queue/{barber}"), server.client.get("/no/such"):
        pass
    async with server.client.request("PROPFIND", "/api/v1/bookings"):
        pass
    after = await server.scrape()
    labels = {"route": "/api/v1/queue/{barberId}", "method": "GET"}
    assert grown(before, after, "barberpro_http_requests_total", **labels, status="200") == 1
    assert grown(before, after, "barberpro_http_request_seconds_count", **labels) == 1
    unknown = {"route": "(unknown)", "method": "GET", "status": "404"}
    assert grown(before, after, "barberpro_http_requests_total", **unknown) == 1
    assert "PROPFIND" not in after.labels("barberpro_http_requests_total", "method")
    assert "other" in after.labels("barberpro_http_requests_total", "method")


def timed_streams(scrape: Scrape) -> dict[str, float]:
    """How many requests to the live doors have a latency: those that were refused before a stream began."""
    lasting = ("/ws/", "/socket.io", "/api/v1/queue/stream")
    routes = scrape.labels("barberpro_http_request_seconds_count", "route")
    return {
        route: scrape.of("barberpro_http_request_seconds_count", route=route, method="GET")
        for route in routes
        if route.startswith(lasting)
    }


async def test_streams_have_no_latency(server: WholeServer) -> None:
    before = timed_streams(await server.scrape())
    await (await server.watch(customer(1))).close()
    stream = f"/api/v1/queue/stream?barberId={server.shop.barbers[0]}"
    async with server.client.get(stream, headers=server.bearer(customer(1))) as response:
        await response.content.readany()
    token = server.bearer(customer(2))["Authorization"].removeprefix("Bearer ")
    async with raw_client(str(server.client.make_url("/")), {"token": token}, "polling"):
        pass
    ended: set[str] = set()
    async with asyncio.timeout(5):
        while not {"/ws/queue/{id}", "/api/v1/queue/stream", "/socket.io/"} <= ended:
            scrape = await server.scrape()
            ended = scrape.labels("barberpro_http_requests_total", "route")
    assert timed_streams(scrape) == before


async def test_the_backlog_shows_what_waits_in_redis(server: WholeServer) -> None:
    async with asyncio.timeout(10):
        while True:  # what is committed leaves the stream a moment later
            await server.node.keeper.round()
            if (await server.scrape())["barberpro_backlog_events"] == 0:
                break
    # A node that died: its event is in the stream, and nobody commits it.
    await server.node.keeper.close()
    shard = server.node.keys.shard_of(server.shop.shop_id)
    redis = server.node.redis.of(shard)
    epoch = int(await redis.get(server.node.keys.epoch(shard)) or 0)
    stream = f"{server.node.keys.generation(shard, epoch)}events"
    begun = time.monotonic()
    await redis.xadd(stream, {"e": "{}", "b": ""})
    added = time.monotonic()
    await asyncio.sleep(0.2)  # it grows old
    least = time.monotonic() - added
    await server.node.keeper.round()
    most = time.monotonic() - begun
    scrape = await server.scrape()
    waiting = [scrape[f"barberpro_backlog_{name}"] for name in ("events", "shards", "shard_events_max")]
    assert waiting == [1, 1, 1]
    # Redis tells both times in whole milliseconds.
    assert least - 0.001 <= scrape["barberpro_backlog_age_seconds"] <= most + 0.001
    await redis.delete(stream)


async def test_the_pool_shows_who_uses_it_and_who_waits(server: WholeServer) -> None:
    pool = server.node.pool
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    waiting = asyncio.create_task(pool.fetchval("SELECT 1"))
    await asyncio.sleep(0)
    use = pool_use(pool)
    assert (use.size, use.most, use.in_use) == (10, 10, 10)
    assert use.waiting >= 1
    for connection in held:
        await pool.release(connection)
    assert await waiting == 1
    scrape = await server.scrape()
    assert (scrape["barberpro_postgres_pool_size_max"], scrape["barberpro_postgres_pool_waiting"]) == (10, 0)


async def test_names_keep_to_the_conventions(server: WholeServer) -> None:
    scrape = await server.scrape()
    for name, family in scrape.families.items():
        assert family.documentation
        if name.startswith("barberpro_") and family.type == "histogram":
            assert name.endswith(("_seconds", "_events"))


@pytest.mark.parametrize("version", ["new", "1.x", "", "\xff"])
async def test_a_form_that_nobody_understands_is_as_good_as_none(server: WholeServer, version: str) -> None:
    wish = {"Accept": f"application/openmetrics-text;version={version}"}
    async with server.client.get("/metrics", headers=wish) as response:
        assert (response.status, response.headers["Content-Type"].partition(";")[2].strip()[:7]) == (200, "version")


async def test_an_openmetrics_scraper_is_answered_in_its_own_form(server: WholeServer) -> None:
    wish = {"Accept": "application/openmetrics-text;version=1.0.0"}
    async with server.client.get("/metrics", headers=wish) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await response.text()).endswith("# EOF\n")


def test_a_value_on_a_bound_is_counted_below_it() -> None:
    tallies = Tallies()
    bins = tallies.histogram("a_seconds", "A.", (1.0, 2.0)).of()
    for value in (0.5, 1.0, 1.5, 9.0):
        bins.observe(value)
    assert bins.buckets == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
