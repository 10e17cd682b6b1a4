"""Server-Sent Events: states with their ids, resuming, refusals before the stream, and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from barberpro.handlers.realtime import sse
from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.realtime.rooms import Seat, seat_for
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.actors import Actor
from barberpro.protocol.rooms import Room
from barberpro.server.node import NodeOptions
from tests.support.event_streams import Stream
from tests.support.rest import UNLIMITED, Door, rest_door, tokens
from tests.support.shops import customer, send

ME = customer(1)


class Streams:
    def __init__(self, door: Door, doors: LiveDoors) -> None:
        self.door = door
        self.doors = doors

    @asynccontextmanager
    async def open(self, who: Actor | str = ME, last: str | None = None, query: str = "") -> AsyncIterator[Stream]:
        token = who if isinstance(who, str) else tokens().mint(who)
        headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last else {})}
        path = f"/api/v1/queue/stream?{query or 'barberId=' + self.door.shop.barbers[0]}"
        async with self.door.client.get(path, headers=headers) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield Stream(response)


@pytest.fixture
async def streams(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Streams]:
    made: list[LiveDoors] = []

    def extend(app: aiohttp.web.Application) -> None:
        made.append(LiveDoors(app[SERVICES]))
        made[0].attach(app)
        made[0].start()

    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix), UNLIMITED, extend) as door:
        yield Streams(door, made[0])
        await made[0].close()


async def test_the_state_comes_first_and_then_every_change(streams: Streams) -> None:
    async with streams.open() as stream:
        assert int((await stream.hear())["retry"]) >= 1000
        event, place, state = await stream.state()
        assert (event, place) == ("queue_updated", f"{state['epoch']}:{state['seq']}")
        await send(streams.door.node, customer(7), **streams.door.shop.join())
        _, later, update = await stream.state()
        assert later == f"{state['epoch']}:{state['seq'] + 1}"
        assert update["next"]["tokenNumber"] == 1
        assert "bookingId" not in update["next"]


@pytest.mark.parametrize("kind", ["booking", "display"])
async def test_the_other_rooms_have_streams_too(streams: Streams, kind: str) -> None:
    shop = streams.door.shop
    joined = await send(streams.door.node, ME, **shop.join())
    query = f"bookingId={joined.data['booking']['bookingId']}" if kind == "booking" else f"shopId={shop.shop_id}"
    async with streams.open(query=query) as stream:
        assert (await stream.state())[0] == f"{kind}_updated"
        await send(streams.door.node, shop.staff[0], type="advance", barberId=shop.barbers[0])
        event, _, state = await stream.state()
        assert (event, state["cause"]["type"]) == (f"{kind}_updated", "advance")


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(streams: Streams) -> None:
    async with streams.open() as stream:
        _, place, state = await stream.state()
    async with streams.open(last=place) as stream:
        await send(streams.door.node, ME, **streams.door.shop.join())
        _, later, update = await stream.state()
        assert update["seq"] == state["seq"] + 1  # the first that came: it was up to date before
    for last in (place, "nonsense", "99:99"):
        async with streams.open(last=last) as stream:
            assert (await stream.state())[1] == later, last


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "BAD_REQUEST"),
        ("barberId=bb_1&shopId=sh_1", 400, "BAD_REQUEST"),
        ("barber=bb_1", 400, "BAD_REQUEST"),
        ("barberId=a%20b", 400, "BAD_REQUEST"),
        ("barberId=bb_nobody", 404, "NOT_FOUND"),
    ],
)
async def test_what_is_wrong_is_told_before_the_stream_begins(
    streams: Streams, query: str, status: int, code: str
) -> None:
    answer = await streams.door.get(f"/queue/stream?{query}", ME)
    assert (answer.status, answer.code) == (status, code)


async def test_a_stream_needs_a_token(streams: Streams) -> None:
    answer = await streams.door.get(f"/queue/stream?barberId={streams.door.shop.barbers[0]}")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


async def test_a_token_that_is_revoked_while_its_stream_is_prepared_opens_none(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def revoked_meanwhile(services: Services, actor: Actor, room: Room) -> Seat:
        monkeypatch.setattr(tokens(), "_is_revoked", lambda _identity: True)
        return await seat_for(services, actor, room)

    monkeypatch.setattr(sse, "seat_for", revoked_meanwhile)
    async with asyncio.timeout(20):
        answer = await streams.door.get(f"/queue/stream?barberId={streams.door.shop.barbers[0]}", ME)
    assert (answer.status, answer.code) == (401, "TOKEN_REVOKED")
    assert len(streams.doors.connections) == 0


@pytest.mark.parametrize(
    ("ends", "status", "code"), [("token", 401, "TOKEN_REVOKED"), ("server", 503, "SHUTTING_DOWN")]
)
async def test_what_ends_while_its_stream_is_about_to_begin_is_told_in_an_envelope(
    streams: Streams, monkeypatch: pytest.MonkeyPatch, ends: str, status: int, code: str
) -> None:
    async def meanwhile(*_: object) -> None:
        if ends == "server":
            await streams.doors.connections.close()
            return
        monkeypatch.setattr(tokens(), "_is_revoked", lambda _identity: True)
        await streams.doors.expel_revoked()

    monkeypatch.setattr(sse, "catch_up", meanwhile)
    answer = await streams.door.get(f"/queue/stream?barberId={streams.door.shop.barbers[0]}", ME)
    assert (answer.status, answer.code) == (status, code)


async def test_while_postgres_is_away_a_stream_is_refused_before_it_begins(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_shop: object) -> None:
        raise ConnectionRefusedError

    path, views = f"/queue/stream?barberId={streams.door.shop.barbers[0]}", streams.door.node.views
    monkeypatch.setattr(views, "shop", away)
    answer = await streams.door.get(path, ME)
    assert (answer.status, answer.code) == (503, "PERSISTENCE_UNAVAILABLE")
    monkeypatch.undo()
    monkeypatch.setattr(views, "refresh", away)
    headers = {"Authorization": f"Bearer {tokens().mint(ME)}", "Last-Event-ID": "99:99"}
    async with streams.door.client.get(f"/api/v1{path}", headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await response.json())["error"]["code"] == "PERSISTENCE_UNAVAILABLE"


async def test_a_stream_is_not_asked_for_its_head(streams: Streams) -> None:
    async with streams.door.client.head("/api/v1/queue/stream?barberId=bb_1") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET")


async def test_a_comment_comes_when_nothing_happens(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barberpro.handlers.realtime.sse._TICKS_A_COMMENT", 1)
    async with streams.open() as stream:
        await stream.state()
        async with asyncio.timeout(5):
            assert (await stream._response.content.readline()) == b":\n"


async def test_who_went_away_is_forgotten(streams: Streams) -> None:
    async with streams.open() as stream:
        await stream.state()
        assert len(streams.doors.connections) == 1
    async with asyncio.timeout(5):
        while len(streams.doors.connections):  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.05)


async def test_when_the_server_ends_it_says_when_to_come_back(streams: Streams) -> None:
    async with streams.open() as stream:
        await stream.state()
        await streams.doors.close()
        event, place, notice = await stream.state()
        assert (event, place) == ("server_restarting", "")
        assert notice["reconnectAfterMs"] > 0
        assert await stream.ended()
