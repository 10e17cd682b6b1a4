"""What the doors really send, and what they really take, against the asyncapi.json that the same server shows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import orjson
import pytest

from barberpro.handlers.asyncapi.document import document
from barberpro.server.node import NodeOptions
from tests.support.asyncapi import Contract
from tests.support.event_streams import Stream
from tests.support.raw_socketio import EVENTS, SECONDS, RawClient, raw_client, refusal_of
from tests.support.shops import Json, customer, new_id, send
from tests.support.whole_server import WholeServer, whole_server

ME, OTHER = customer(1), customer(2)
KINDS = ("queue", "booking", "display")
Messages = AsyncIterator[tuple[str, Json]]


class Ear:
    """Hears a connection out: `heard` has every message so far, by its event."""

    def __init__(self, messages: Messages) -> None:
        self.heard: list[tuple[str, Json]] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._listen(messages))

    async def _listen(self, messages: Messages) -> None:
        async for message in messages:
            async with self._news:
                self.heard.append(message)
                self._news.notify_all()

    async def hears(self, event: str, where: Callable[[Json], bool] = lambda _: True) -> None:
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(lambda: any(name == event and where(data) for name, data in self.heard))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def frames(socket: aiohttp.ClientWebSocketResponse) -> Messages:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            frame = orjson.loads(message.data)
            yield frame["event"], frame


async def stream_events(stream: Stream) -> Messages:
    while True:
        event, _, data = await stream.state()
        yield event, data


class Visit:
    """Clients of all doors. What they ask is held to the contract when it is sent, what they hear by `hold`."""

    def __init__(self, server: WholeServer, contract: Contract, stack: AsyncExitStack) -> None:
        self.server = server
        self.contract = contract
        self.clients: list[RawClient] = []
        self.sockets: list[Ear] = []
        self.streams: list[Ear] = []
        self._stack = stack

    async def client(self, token: str, transport: str = "websocket") -> RawClient:
        self.contract.hold("connect", {"token": token})
        url = str(self.server.client.make_url("/"))
        self.clients.append(await self._stack.enter_async_context(raw_client(url, {"token": token}, transport)))
        return self.clients[-1]

    async def socket(self, path: str, token: str | None) -> tuple[aiohttp.ClientWebSocketResponse, Ear]:
        """Without a token: it has to say who it is."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        socket = await self._stack.enter_async_context(self.server.client.ws_connect(f"/ws/{path}", headers=headers))
        self.sockets.append(self._ear(frames(socket)))
        return socket, self.sockets[-1]

    async def stream(self, query: str, token: str) -> Ear:
        headers = {"Authorization": f"Bearer {token}"}
        opened = self.server.client.get(f"/api/v1/queue/stream?{query}", headers=headers)
        self.streams.append(self._ear(stream_events(Stream(await self._stack.enter_async_context(opened)))))
        return self.streams[-1]

    def _ear(self, messages: Messages) -> Ear:
        ear = Ear(messages)
        self._stack.push_async_callback(ear.close)
        return ear

    async def ask(self, client: RawClient, event: str, asked: Json, *, refused: bool = False) -> Json:
        """The ack. refused: the server is to refuse it."""
        if not refused:
            self.contract.hold(event, asked)
        ack: Json = await client.ask(event, asked)
        assert ack["ok"] is not refused, ack
        self.contract.hold(f"{event}_ack", ack)
        return ack

    async def say(self, socket: aiohttp.ClientWebSocketResponse, event: str, **fields: object) -> None:
        self.contract.hold(f"ws_{event}", {"event": event, **fields})
        await socket.send_json({"event": event, **fields})

    def hold(self) -> None:
        """All that was heard."""
        for client in self.clients:
            for event in EVENTS:
                for data in client.heard[event]:
                    self.contract.hold(event, data)
        for event, data in (message for ear in self.streams for message in ear.heard):
            self.contract.hold(event, data)
        for event, data in (message for ear in self.sockets for message in ear.heard):
            self.contract.hold(f"ws_{event}", data)


@pytest.fixture
async def visit(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[Visit]:
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with whole_server(options, tmp_path) as server, AsyncExitStack() as stack:
        async with server.client.get("/asyncapi.json") as response:
            assert (response.status, response.content_type) == (200, "application/json")
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            shown = await response.json()
        assert shown == orjson.loads(orjson.dumps(document()))
        yield Visit(server, Contract(shown), stack)


async def enter_all_rooms(visit: Visit, barber: RawClient, me: RawClient) -> list[str]:
    """Everybody watches everything that they may. The bookings of the line, first to last: mine is the second."""
    shop, node, token = visit.server.shop, visit.server.node, visit.server.token(ME)
    queue, display = f"queue:{shop.barbers[0]}", f"display:{shop.shop_id}"
    await visit.ask(barber, "subscribe", {"room": queue})
    has = await visit.ask(me, "request_queue_stream", {"barberId": shop.barbers[0]})
    has = await visit.ask(me, "subscribe", {"room": queue, "since": {"epoch": has["epoch"], "seq": has["seq"]}})
    assert has["upToDate"]
    await visit.ask(me, "subscribe", {"room": display})
    bookings = []
    for client, fields in (
        (barber, {"customer": {"name": "Ann", "phone": "+91 98765 43210"}}),
        (me, {"notes": "short at the sides"}),
        (barber, {"customer": {"name": "Eve"}}),
    ):
        join = {"commandId": new_id(), **shop.join(**fields)}
        bookings.append((await visit.ask(client, "command", join))["data"]["booking"]["bookingId"])
    at = datetime.now(UTC) + timedelta(hours=5)
    later = await send(node, OTHER, type="schedule", barberId=shop.barbers[0], serviceIds=[shop.service], at=at)
    await visit.ask(barber, "subscribe", {"room": f"booking:{later.data['booking']['bookingId']}"})
    await visit.ask(me, "subscribe", {"room": f"booking:{bookings[1]}"})
    for path in (f"queue/{shop.barbers[0]}", f"booking/{bookings[1]}", f"display/{shop.shop_id}"):
        await visit.socket(path, token)
    await visit.socket(f"queue/{shop.barbers[0]}", visit.server.token(shop.staff[0]))
    for query in (f"barberId={shop.barbers[0]}", f"bookingId={bookings[1]}", f"shopId={shop.shop_id}"):
        await visit.stream(query, token)
    return bookings


async def work_a_line(visit: Visit, barber: RawClient, bookings: list[str]) -> None:
    """Every command but a join, in an order in which each is possible; the last one empties the line."""
    first, second = visit.server.shop.barbers
    ann, me, eve = bookings
    for fields in (
        {"type": "start", "bookingId": ann},
        {"type": "complete", "barberId": first, "payment": {"method": "cash", "amount": "250.00", "tip": "20"}},
        {"type": "skip", "bookingId": me, "reason": "in the yard"},
        {"type": "step_back", "bookingId": eve, "places": 1},
        {"type": "no_show", "bookingId": me},
        {"type": "recall", "bookingId": me, "to": "back"},
        {"type": "pause", "barberId": first, "reason": "tea"},
        {"type": "open", "barberId": first},
        {"type": "transfer", "bookingId": eve, "toBarberId": second},
        {"type": "cancel", "bookingId": eve, "reason": "gone home"},
        {"type": "advance", "barberId": first},
        {"type": "close", "barberId": first, "waiting": "cancel"},
    ):
        await visit.ask(barber, "command", {"commandId": new_id(), **fields})


async def ask_in_vain(visit: Visit, me: RawClient) -> None:
    """What is refused, on the door that acknowledges everything."""
    nowhere = {"commandId": new_id(), "type": "open", "barberId": "bb_nobody"}
    for event, asked in (
        ("subscribe", {"room": "queue:bb_nobody"}),
        ("subscribe", {"room": "kitchen"}),
        ("request_queue_stream", {"barberId": "bb_nobody"}),
        ("unsubscribe", {}),
        ("command", nowhere),
        ("command", {"type": "dance"}),
        ("authenticate", {"token": "garbage"}),
    ):
        await visit.ask(me, event, asked, refused=True)
    await visit.ask(me, "unsubscribe", {"room": f"queue:{visit.server.shop.barbers[0]}"})
    await visit.ask(me, "authenticate", {"token": visit.server.token(ME, 7200)})


async def talk_by_frames(visit: Visit) -> None:
    """Whatever may be sent on a WebSocket, and what may not."""
    shop = visit.server.shop
    socket, ear = await visit.socket(f"queue/{shop.barbers[1]}", None)
    await visit.say(socket, "authenticate", token=visit.server.token(OTHER))
    await ear.hears("subscribed")
    await visit.say(socket, "subscribe", since={"epoch": 1, "seq": 0})
    await visit.say(socket, "authenticate", token=visit.server.token(OTHER, 7200))
    await visit.say(socket, "authenticate", token="garbage")  # noqa: S106 - it opens nothing
    await visit.say(socket, "command", commandId=new_id(), **shop.join(1))
    await socket.send_json({"event": "command", "commandId": 7})
    await socket.send_json({"event": "command"})
    await socket.send_json({"event": "dance"})
    await ear.hears("authenticated", lambda frame: frame["ok"])
    await ear.hears("authenticated", lambda frame: not frame["ok"])
    await ear.hears("ack", lambda frame: frame["ok"])
    await ear.hears("ack", lambda frame: frame["commandId"] == 7)
    await ear.hears("ack", lambda frame: frame["commandId"] is None)
    await ear.hears("error")


async def leave(visit: Visit) -> None:
    """Tokens that end, tokens that are revoked, and a server that ends, on every door."""
    doors, shop, soon = visit.server.doors, visit.server.shop, visit.server.token(ME, 30)
    for ends in (doors.connections.expel(lambda _: True), doors.connections.close()):
        client = await visit.client(soon)
        _, frames_ear = await visit.socket(f"display/{shop.shop_id}", soon)
        stream_ear = await visit.stream(f"shopId={shop.shop_id}", soon)
        ears: list[Ear | RawClient] = [client, frames_ear, stream_ear]
        for ear in ears:
            await ear.hears("session_expiring")
        await ends
        ending = "server_restarting" if doors.connections.closing else "session_expired"
        for ear in ears:
            await ear.hears(ending)


async def test_all_that_the_doors_say_is_in_the_document_and_all_of_the_document_is_said(visit: Visit) -> None:
    server, contract = visit.server, visit.contract
    barber = await visit.client(server.token(server.shop.staff[0]))
    me = await visit.client(server.token(ME), "polling")
    await work_a_line(visit, barber, await enter_all_rooms(visit, barber, me))
    ears: list[Ear | RawClient] = [*visit.sockets[:3], *visit.streams, me, me, me]
    for ear, kind in zip(ears, KINDS * 3, strict=True):
        await ear.hears(f"{kind}_updated", lambda state: state["cause"]["type"] == "close")
    await ask_in_vain(visit, me)
    await talk_by_frames(visit)
    url = str(server.client.make_url("/"))
    contract.hold("connect_error", await refusal_of(url, {"token": "garbage"}, "websocket"))
    await leave(visit)
    visit.hold()
    assert contract.seen == contract.of("send") | contract.of("receive")


async def test_the_document_names_every_request_of_the_socketio_door(visit: Visit) -> None:
    operations = visit.contract.document["operations"]
    received = {name for name, operation in operations.items() if operation["action"] == "receive"}
    taken = {"connect", *visit.server.doors.socketio.server.events}
    assert {name for name in received if name.startswith("socketio_")} == {f"socketio_{event}" for event in taken}
