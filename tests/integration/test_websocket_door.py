"""The WebSocket door: the three ways in, states and answers, resuming, and every close code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest

from barberpro.handlers.realtime.doors import LiveDoors
from barberpro.handlers.services import SERVICES, Limits
from barberpro.protocol.actors import Actor, Role
from barberpro.server.node import NodeOptions
from tests.support.rest import UNLIMITED, Door, rest_door, tokens
from tests.support.shops import Json, customer, new_id, send

Socket = aiohttp.ClientWebSocketResponse
QUICK = Limits(
    requests_per_minute=0, message_bytes=4096, handshake_seconds=0.3, connections_per_user=2, commands=3,
    session_grace_seconds=0.2,
)  # fmt: skip
ME = customer(1)


class Ways:
    """A door to try, and its live doors."""

    def __init__(self, door: Door, doors: LiveDoors) -> None:
        self.door = door
        self.doors = doors

    def enter(
        self,
        path: str = "",
        who: Actor | None = ME,
        query: str = "",
        **options: Any,  # noqa: ANN401 - aiohttp's
    ) -> AbstractAsyncContextManager[Socket]:
        """A socket of `who`, by the header; by default to the first barber's queue."""
        headers = {**options.pop("headers", {})}
        if who is not None:
            headers["Authorization"] = f"Bearer {tokens().mint(who)}"
        where = path or f"queue/{self.door.shop.barbers[0]}"
        return self.door.client.ws_connect(f"/ws/{where}{query}", headers=headers, **options)


@pytest.fixture(params=[UNLIMITED])
async def ways(
    request: pytest.FixtureRequest, database_url: str, redis_url: str, redis_prefix: str
) -> AsyncIterator[Ways]:
    made: list[LiveDoors] = []

    def extend(app: aiohttp.web.Application) -> None:
        made.append(LiveDoors(replace(app[SERVICES], origins=["https://shop.example"])))
        made[0].attach(app)
        made[0].start()

    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix), request.param, extend) as door:
        yield Ways(door, made[0])
        await made[0].close()


quick = pytest.mark.parametrize("ways", [QUICK], indirect=True)


async def hear(socket: Socket, event: str | None = None) -> Json:
    """The next message; of this event, when it is given: others are passed over."""
    while True:
        async with asyncio.timeout(5):
            message: Json = orjson.loads(await socket.receive_str())
        if event is None or message["event"] == event:
            return message


async def closing(socket: Socket) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(5):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING}, message
    return socket.close_code


async def test_a_state_comes_first_and_then_every_change(ways: Ways) -> None:
    async with ways.enter() as socket:
        first = await hear(socket)
        assert first.keys() == {"event", "room", "epoch", "seq", "upToDate", "state"}
        assert (first["event"], first["upToDate"]) == ("subscribed", False)
        assert first["state"]["seq"] == first["seq"]
        await send(ways.door.node, customer(7), **ways.door.shop.join())
        update = await hear(socket)
        assert update["event"] == "queue_updated"
        assert update["seq"] == first["seq"] + 1
        assert update["next"]["tokenNumber"] == 1
        assert "bookingId" not in update["next"]


async def test_staff_see_the_full_state_and_customers_do_not(ways: Ways) -> None:
    await send(ways.door.node, customer(7), **ways.door.shop.join(customer={"name": "Zebulon"}))
    async with ways.enter() as public, ways.enter(who=ways.door.shop.staff[0]) as full:
        assert (await hear(full))["state"]["next"]["customerName"] == "Zebulon"
        assert "Zebulon" not in orjson.dumps(await hear(public)).decode()
        await send(ways.door.node, ways.door.shop.staff[0], type="advance", barberId=ways.door.shop.barbers[0])
        assert (await hear(full))["serving"]["customerName"] == "Zebulon"
        assert "Zebulon" not in orjson.dumps(await hear(public)).decode()


async def test_the_token_comes_as_a_subprotocol(ways: Ways) -> None:
    offered = ("barberpro.v1", f"bearer.{tokens().mint(ME)}")
    async with ways.enter(who=None, protocols=offered) as socket:
        assert socket.protocol == "barberpro.v1"
        assert (await hear(socket))["event"] == "subscribed"


async def test_the_token_comes_as_the_first_frame(ways: Ways) -> None:
    async with ways.enter(who=None) as socket:
        await socket.send_json({"event": "authenticate", "token": tokens().mint(ME)})
        assert (await hear(socket))["event"] == "subscribed"


@pytest.mark.parametrize("kind", ["booking", "display"])
async def test_the_other_rooms_have_a_door_too(ways: Ways, kind: str) -> None:
    joined = await send(ways.door.node, ME, **ways.door.shop.join())
    name = joined.data["booking"]["bookingId"] if kind == "booking" else ways.door.shop.shop_id
    async with ways.enter(f"{kind}/{name}") as socket:
        assert (await hear(socket))["room"] == f"{kind}:{name}"
        await send(ways.door.node, ways.door.shop.staff[0], type="advance", barberId=ways.door.shop.barbers[0])
        assert (await hear(socket))["event"] == f"{kind}_updated"


async def test_commands_are_answered(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        join = {"event": "command", "commandId": new_id(), **ways.door.shop.join()}
        await socket.send_json(join)
        ack = await hear(socket, "ack")
        assert ack.keys() == {"event", "commandId", "ok", "replayed", "data"}
        assert (ack["commandId"], ack["ok"], ack["replayed"]) == (join["commandId"], True, False)
        await socket.send_json(join)
        again = await hear(socket, "ack")
        assert (again["replayed"], again["data"]) == (True, ack["data"])
        await socket.send_json({"event": "command", "commandId": new_id(), "type": "join"})
        refused = await hear(socket, "ack")
        assert (refused["ok"], refused["error"]["code"]) == (False, "BAD_REQUEST")
        assert [field["path"] for field in refused["error"]["details"]["fields"]] == ["barberId", "serviceIds"]


async def test_a_command_is_answered_though_its_id_cannot_be_repeated(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        deep = "[" * 900 + "]" * 900  # orjson reads it, and will not write it
        for given, repeated in ((deep, None), ("7", 7), ("true", True), ("1e300", 1e300)):
            await socket.send_str(f'{{"event":"command","type":"open","barberId":"b","commandId":{given}}}')
            ack = await hear(socket, "ack")
            assert (ack["commandId"], ack["error"]["code"]) == (repeated, "BAD_REQUEST")
            assert [field["path"] for field in ack["error"]["details"]["fields"]] == ["commandId"]


async def test_who_has_the_newest_state_is_up_to_date(ways: Ways) -> None:
    async with ways.enter() as socket:
        seen = await hear(socket)
    epoch, seq = seen["epoch"], seen["seq"]
    async with ways.enter(query=f"?epoch={epoch}&seq={seq}") as socket:
        assert (await hear(socket))["state"] is None
        await send(ways.door.node, ME, **ways.door.shop.join())
        assert (await hear(socket))["seq"] == seq + 1
    for query in (f"?epoch={epoch}&seq={seq}", f"?epoch={epoch + 1}&seq={seq}", f"?epoch={epoch}&seq={seq + 9}"):
        async with ways.enter(query=query) as socket:
            told = await hear(socket)
            assert (told["upToDate"], told["state"]["seq"]) == (False, seq + 1), query


async def test_who_asks_again_hears_whether_what_it_has_is_still_the_newest(ways: Ways) -> None:
    async with ways.enter() as socket:
        seen = await hear(socket)
        since = {"epoch": seen["epoch"], "seq": seen["seq"]}
        await socket.send_json({"event": "subscribe", "since": since})
        assert (await hear(socket, "subscribed"))["state"] is None
        for asked in ({}, {"since": {"epoch": seen["epoch"] + 1, "seq": 0}}):
            await socket.send_json({"event": "subscribe", **asked})
            assert (await hear(socket, "subscribed"))["state"]["seq"] == seen["seq"]
        await socket.send_json({"event": "subscribe", "room": "queue:bb_another"})
        assert (await hear(socket, "error"))["error"]["details"]["fields"][0]["path"] == "room"
        await send(ways.door.node, ME, **ways.door.shop.join())
        assert (await hear(socket, "queue_updated"))["seq"] == seen["seq"] + 1


async def test_a_new_token_renews_the_session(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        await socket.send_json({"event": "authenticate", "token": tokens().mint(ME, 7200)})
        assert (await hear(socket, "authenticated")).keys() == {"event", "ok", "expiresAt"}
        await socket.send_json({"event": "authenticate", "token": tokens().mint(customer(2))})
        assert (await hear(socket, "authenticated"))["error"]["code"] == "FORBIDDEN"


@quick
async def test_a_token_that_ends_ends_the_session(ways: Ways) -> None:
    async with ways.enter(who=None) as socket:
        await socket.send_json({"event": "authenticate", "token": tokens().mint(ME, 2)})
        await hear(socket, "session_expiring")
        assert (await hear(socket, "session_expired"))["code"] == "TOKEN_EXPIRED"
        assert await closing(socket) == 4401


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"event": "authenticate", "token": "garbage"}, 4401),
        ({"event": "authenticate"}, 4400),
        ({"event": "command", "token": "x"}, 4401),
        ([1, 2], 4400),
    ],
)
async def test_a_first_frame_without_a_token_ends_it(ways: Ways, sent: object, code: int) -> None:
    async with ways.enter(who=None) as socket:
        await socket.send_json(sent)
        assert await closing(socket) == code


@quick
async def test_who_says_nothing_is_not_waited_for(ways: Ways) -> None:
    async with ways.enter(who=None) as socket:
        assert await closing(socket) == 4401


@pytest.mark.parametrize(
    ("path", "code"), [("queue/bb_nobody", 4404), ("booking/bk_x_y", 4404), ("display/sh_x", 4404), ("queue/a b", 4400)]
)
async def test_rooms_that_are_not_there(ways: Ways, path: str, code: int) -> None:
    async with ways.enter(path) as socket:
        assert await closing(socket) == code


async def test_a_booking_of_somebody_else_is_not_there(ways: Ways) -> None:
    joined = await send(ways.door.node, customer(2), **ways.door.shop.join())
    async with ways.enter(f"booking/{joined.data['booking']['bookingId']}") as socket:
        assert await closing(socket) == 4404


async def test_who_has_more_than_this_server_is_sent_away_while_postgres_cannot_tell(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ways.enter() as socket:
        first = await hear(socket)

    async def away(_shop_ids: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(ways.door.node.views, "_compare", away)
    async with ways.enter(query=f"?epoch={first['epoch']}&seq={first['seq'] + 1}") as socket:
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1013)


@pytest.mark.parametrize("query", ["?epoch=x&seq=1", "?epoch=1", "?epoch=1&seq=-1"])
async def test_a_resume_that_is_no_number_is_refused(ways: Ways, query: str) -> None:
    async with ways.enter(query=query) as socket:
        assert await closing(socket) == 4400


async def test_an_unknown_event_is_told_and_the_socket_stays(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        unknown: list[object] = ["dance", [], {"command": 1}, None]
        for event in unknown:
            await socket.send_json({"event": event})
            assert (await hear(socket))["error"]["details"]["fields"][0]["path"] == "event"
        await socket.send_json({"event": "command", "commandId": new_id(), **ways.door.shop.join()})
        assert (await hear(socket, "ack"))["ok"]


@pytest.mark.parametrize("frame", ["{", "7", '"x"', "\ud83d".encode("utf-8", "surrogatepass"), b"\x00\x01"])
async def test_bad_frames_end_it(ways: Ways, frame: str | bytes) -> None:
    async with ways.enter() as socket, ways.enter(who=customer(9)) as neighbour:
        await hear(socket)
        await hear(neighbour)
        await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        assert await closing(socket) == 4400
        await send(ways.door.node, ME, **ways.door.shop.join())
        assert (await hear(neighbour))["event"] == "queue_updated"


@quick
async def test_a_frame_that_is_too_large_ends_it(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        await socket.send_str("x" * 5000)
        assert await closing(socket) == 4413


@quick
async def test_more_connections_than_a_user_may_have(ways: Ways) -> None:
    async with ways.enter() as first, ways.enter() as second:
        await hear(first)
        await hear(second)
        async with ways.enter() as third:
            assert await closing(third) == 4429
        async with ways.enter(who=customer(2)) as other:
            assert (await hear(other))["event"] == "subscribed"
    async with asyncio.timeout(5):
        while len(ways.doors.connections):  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0.01)
    async with ways.enter() as again:
        assert (await hear(again))["event"] == "subscribed"


async def test_more_commands_than_are_worked_on_at_once_are_all_answered(ways: Ways) -> None:
    async with ways.enter(who=ways.door.shop.staff[0]) as socket:
        sent = [new_id() for _ in range(100)]
        for command_id in sent:
            await socket.send_json({"event": "command", "commandId": command_id, "type": "dance"})
        answers = [await hear(socket, "ack") for _ in sent]
        assert {answer["commandId"] for answer in answers} == set(sent)
        assert {answer["error"]["code"] for answer in answers} == {"BAD_REQUEST"}


@quick
async def test_more_commands_than_a_connection_may_send(ways: Ways) -> None:
    async with ways.enter() as socket:
        for _ in range(4):
            await socket.send_json({"event": "command", "commandId": new_id(), "type": "join"})
        codes = [(await hear(socket, "ack"))["error"]["code"] for _ in range(4)]
        assert codes == ["BAD_REQUEST"] * 3 + ["RATE_LIMIT_EXCEEDED"]


async def test_other_web_origins_may_not_connect(ways: Ways) -> None:
    async with ways.enter(headers={"Origin": "https://evil.example"}) as socket:
        assert await closing(socket) == 4403
    for origin in ("https://shop.example", str(ways.door.client.make_url("")).rstrip("/")):
        async with ways.enter(headers={"Origin": origin}) as socket:
            assert (await hear(socket))["event"] == "subscribed"


async def test_without_an_upgrade_it_is_an_error(ways: Ways) -> None:
    async with ways.door.client.get(f"/ws/queue/{ways.door.shop.barbers[0]}") as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "BAD_REQUEST"


async def test_compression_is_refused(ways: Ways) -> None:
    async with ways.enter(compress=15) as socket:
        assert socket.compress == 0
        assert (await hear(socket))["event"] == "subscribed"


async def test_when_the_server_ends_it_says_when_to_come_back(ways: Ways) -> None:
    async with ways.enter() as socket, ways.enter(who=Actor("ds_1", Role.DISPLAY)) as refused:
        await hear(socket)
        assert await closing(refused) == 4404
        ended = asyncio.create_task(ways.doors.close())
        assert (await hear(socket, "server_restarting"))["reconnectAfterMs"] > 0
        assert await closing(socket) == 1012
        await ended
    async with ways.enter() as socket:
        assert await closing(socket) == 1012


@pytest.mark.parametrize("ways", [Limits(requests_per_minute=0, requote_seconds=0.2)], indirect=True)
async def test_waits_are_quoted_anew_though_nothing_happens(ways: Ways) -> None:
    await send(ways.door.node, customer(7), **ways.door.shop.join())
    async with ways.enter() as socket:
        first = await hear(socket)
        again = await hear(socket, "queue_updated")
        assert (again["epoch"], again["seq"]) == (first["epoch"], first["seq"])
        assert again["next"]["estimatedWait"].keys() == {"p50Minutes", "p90Minutes"}


async def test_a_command_that_comes_when_the_server_ends_is_refused_and_not_begun(ways: Ways) -> None:
    async with ways.enter() as socket:
        await hear(socket)
        ways.doors.connections.closing = True
        await socket.send_json({"event": "command", "commandId": new_id(), **ways.door.shop.join()})
        ack = await hear(socket, "ack")
        assert (ack["error"]["code"], ack["error"]["temporary"]) == ("SHUTTING_DOWN", True)
