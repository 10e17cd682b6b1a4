"""protocol.md section 3 with the official JavaScript client, as the shops' apps and pages use it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from barberpro.protocol.actors import Actor
from barberpro.server.node import NodeOptions
from tests.support.javascript import JavaScriptClient, Node, install_client, node_process, octets
from tests.support.live_server import LiveServer, live_server
from tests.support.raw_socketio import TRANSPORTS
from tests.support.shops import Json, TestShop, customer, new_id, send
from tests.support.sites import free_port

QUICK: Final = {"reconnectionDelay": 50, "reconnectionDelayMax": 200}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installed() -> None:
    """Installs the client."""
    await install_client()


pytestmark = pytest.mark.usefixtures("installed")


class Shop:
    """A shop of two open lines on a running server, and those who come in from Node."""

    def __init__(self, node: Node, server: LiveServer, shop: TestShop) -> None:
        self.node = node
        self.server = server
        self.shop = shop
        self.room = f"queue:{shop.barbers[0]}"

    async def client(self, who: Actor, *transports: str) -> JavaScriptClient:
        """Let in."""
        token = self.server.tokens.mint(who)
        client = await self.node.open(self.server.url, auth={"token": token}, transports=transports, **QUICK)
        await client.hears("connect")
        return client

    async def barber(self, transport: str) -> JavaScriptClient:
        return await self.client(self.shop.staff[0], transport)

    def join(self) -> Json:
        return {"commandId": new_id(), **self.shop.join()}


@pytest.fixture
async def shop(database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path) -> AsyncIterator[Shop]:
    options = NodeOptions(database_url, redis_url, redis_prefix)
    async with live_server(options, tmp_path) as server, node_process() as node:
        shop = await TestShop.create(server.node)
        await shop.open(server.node)
        yield Shop(node, server, shop)


def version(state: Json) -> tuple[int, int]:
    return state["epoch"], state["seq"]


def assert_never_back(client: JavaScriptClient) -> None:
    versions = [version(state) for state in client.heard["queue_updated"]]
    assert versions == sorted(versions)


async def test_a_refused_handshake_tells_its_code(shop: Shop) -> None:
    expired = shop.server.tokens.mint(customer(1), -60)
    good = shop.server.tokens.mint(customer(1))
    for transport in TRANSPORTS:
        for auth, code in (
            ({"token": expired}, "TOKEN_EXPIRED"),
            ({"token": "garbage"}, "UNAUTHORIZED"),
            ({"token": good[:-20] + "A" * 20}, "UNAUTHORIZED"),
            ({"token": 7}, "UNAUTHORIZED"),
            ({}, "UNAUTHORIZED"),
            (None, "UNAUTHORIZED"),
        ):
            client = await shop.node.open(shop.server.url, auth=auth, transports=[transport], reconnection=False)
            error = await client.hears("connect_error")
            assert error["data"].keys() == {"code", "message", "temporary"}, (transport, auth)
            assert (error["data"]["code"], error["data"]["temporary"]) == (code, False), (transport, auth)
            assert error["message"] == error["data"]["message"]
            assert not client.heard["connect"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_other_namespaces_are_refused_and_the_first_goes_on(shop: Shop, transport: str) -> None:
    token = shop.server.tokens.mint(customer(1))
    stray = await shop.node.open(f"{shop.server.url}/admin", auth={"token": token}, transports=[transport])
    error = await stray.hears("connect_error")
    assert (error["data"]["code"], error["data"]["temporary"]) == ("NOT_FOUND", False)
    client = await shop.client(customer(1), transport)
    assert (await client.subscribe(shop.room))["ok"]
    assert not stray.heard["connect"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_two_clients_see_one_truth_each_in_its_own_form(shop: Shop, transport: str) -> None:
    barber, visitor = await shop.barber(transport), await shop.client(replace(customer(1), name="Ann"), transport)
    for client in (barber, visitor):
        ack = await client.subscribe(shop.room)
        assert (ack["ok"], ack["upToDate"], ack["room"]) == (True, False, shop.room)
        assert version(ack["state"]) == (ack["epoch"], ack["seq"])
        again = await client.subscribe(shop.room, since={"epoch": ack["epoch"], "seq": ack["seq"]})
        assert again == {**ack, "upToDate": True, "state": None}
    join = shop.join()
    joined = await visitor.command(**join)
    assert (joined["ok"], joined["replayed"]) == (True, False)
    assert await visitor.command(**join) == {**joined, "replayed": True}
    last = version(
        (await barber.command(commandId=new_id(), type="advance", barberId=shop.shop.barbers[0]))["data"]["queue"]
    )
    full = await barber.hears("queue_updated", lambda state: version(state) == last)
    public = await visitor.hears("queue_updated", lambda state: version(state) == last)
    assert full["serving"]["customerName"] == "Ann"
    assert public["serving"] == {name: full["serving"][name] for name in public["serving"]}
    assert "customerName" not in public["serving"]
    booking = joined["data"]["booking"]["bookingId"]
    assert (await visitor.subscribe(f"booking:{booking}"))["state"]["status"] == "serving"
    assert await visitor.ask("unsubscribe", {"room": shop.room}) == {"ok": True}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_may_not_be_is_refused_in_the_ack(shop: Shop, transport: str) -> None:
    client = await shop.client(customer(1), transport)
    barber = shop.shop.barbers[0]
    for event, document, code in (
        ("command", {"commandId": new_id(), "type": "advance", "barberId": barber}, "FORBIDDEN"),
        ("command", {**shop.join(), "barberId": "bb_nobody"}, "NOT_FOUND"),
        ("command", {"commandId": new_id(), "type": "dance"}, "BAD_REQUEST"),
        ("command", {**shop.join(), "colour": "red"}, "BAD_REQUEST"),
        ("subscribe", {"room": "queue:bb_nobody"}, "NOT_FOUND"),
        ("subscribe", {"room": "elsewhere"}, "BAD_REQUEST"),
        ("authenticate", {"token": "garbage"}, "UNAUTHORIZED"),
    ):
        ack = await client.ask(event, document)
        assert ack.keys() == {"ok", "error"}, document
        assert ack["error"].keys() == {"code", "message", "temporary", "details"}, document
        assert (ack["ok"], ack["error"]["code"]) == (False, code), document


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_odd_payloads_are_refused_clearly_and_harm_nobody(shop: Shop, transport: str) -> None:
    client = await shop.client(customer(1), transport)
    raw = octets(b"\x00\xff")
    odd: tuple[tuple[object, ...], ...] = (
        (), (None,), (7,), ("text",), ([],), ([1, 2],), (True,), (raw,), ({"commandId": raw, "type": "open"},),
        ({"commandId": new_id(), "type": "join", "barberId": [raw, raw]}, raw),
    )  # fmt: skip
    for arguments in odd:
        ack = await client.ask("command", *arguments)
        assert (ack["ok"], ack["error"]["code"]) == (False, "BAD_REQUEST"), arguments
        assert ack["error"]["details"]["fields"], arguments
    unknown = await client.ask("dance", {})
    assert (unknown["ok"], unknown["error"]["code"]) == (False, "BAD_REQUEST")
    await client.tell("command", raw)
    await client.tell("dance")
    assert (await client.command(**shop.join()))["ok"]
    assert len(client.heard["connect"]) == 1, "no refusal ends the connection"


async def test_a_message_that_is_too_large_costs_the_connection_and_the_client_comes_back(shop: Shop) -> None:
    for transport in TRANSPORTS:
        client = await shop.client(customer(1), transport)
        await client.tell("command", {"notes": "x" * 70_000})
        assert await client.hears("disconnect") in {"transport close", "transport error"}
        await client.hears("connect", times=2)
        assert (await client.subscribe(shop.room))["ok"]


async def test_a_client_that_changes_from_polling_to_a_websocket_misses_nothing(shop: Shop) -> None:
    client = await shop.client(customer(1), "polling", "websocket")
    await client.subscribe(shop.room)
    for number in range(2, 12):
        last = await send(shop.server.node, customer(number), **shop.shop.join())
    assert await client.hears("upgrade") == "websocket"
    await client.hears("queue_updated", lambda state: state["seq"] == last.data["queue"]["seq"])
    assert_never_back(client)
    after = await client.command(**shop.join())
    await client.hears("queue_updated", lambda state: version(state) == version(after["data"]["queue"]))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_after_a_cut_a_client_comes_back_and_is_told_the_truth(shop: Shop, transport: str) -> None:
    client = await shop.client(customer(1), transport)
    had = await client.subscribe(shop.room)
    since = {"epoch": had["epoch"], "seq": had["seq"]}
    shop.server.cut()
    await client.hears("disconnect")
    result = await send(shop.server.node, customer(2), **shop.shop.join())
    await client.hears("connect", times=2)
    behind = await client.subscribe(shop.room, since=since)
    assert (behind["upToDate"], behind["seq"]) == (False, result.data["queue"]["seq"])
    assert behind["state"]["next"]["tokenNumber"] == 1
    shop.server.cut()
    await client.hears("connect", times=3)
    since = {"epoch": behind["epoch"], "seq": behind["seq"]}
    current = await client.subscribe(shop.room, since=since)
    assert (current["upToDate"], current["state"]) == (True, None)
    ahead = await client.subscribe(shop.room, since={**since, "seq": since["seq"] + 5})
    assert (ahead["upToDate"], version(ahead["state"])) == (False, version(behind["state"]))
    joined = await client.command(**shop.join())
    await client.hears("queue_updated", lambda state: state["seq"] == joined["data"]["queue"]["seq"])
    assert_never_back(client)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_comes_while_the_server_ends_goes_on_trying(shop: Shop, transport: str) -> None:
    connections = shop.server.running.doors.connections
    connections.closing = True
    token = shop.server.tokens.mint(customer(1))
    client = await shop.node.open(shop.server.url, auth={"token": token}, transports=[transport], **QUICK)
    await client.hears("connect_error", times=3)
    connections.closing = False
    await client.hears("connect")
    # A refusal with a code is final for this client: it would not try again.
    assert all(error["data"] is None for error in client.heard["connect_error"])


async def test_clients_come_back_by_themselves_after_a_restart_and_go_on(
    database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> None:
    options, port = NodeOptions(database_url, redis_url, redis_prefix), free_port()
    async with node_process() as node:
        async with live_server(options, tmp_path, port, farewell=True) as server:
            shop = Shop(node, server, await TestShop.create(server.node))
            barber = shop.shop.barbers[0]
            clients = {transport: await shop.barber(transport) for transport in TRANSPORTS}
            for client in clients.values():
                await client.subscribe(shop.room)
            opened = await clients["polling"].command(commandId=new_id(), type="open", barberId=barber)
            before = version(opened["data"]["queue"])
            for client in clients.values():
                await client.hears("queue_updated", lambda state: version(state) == before)
        for client in clients.values():
            await client.hears("disconnect")
            assert client.heard["server_restarting"][0]["reconnectAfterMs"] >= 500
        async with live_server(options, tmp_path, port):
            for client in clients.values():
                await client.hears("connect", times=2)
                ack = await client.subscribe(shop.room, since={"epoch": before[0], "seq": before[1]})
                assert (ack["upToDate"], version(ack)) == (True, before)
            paused = await clients["websocket"].command(commandId=new_id(), type="pause", barberId=barber)
            after = version(paused["data"]["queue"])
            for client in clients.values():
                state = await client.hears("queue_updated", lambda state: version(state) == after)
                assert state["status"] == "paused"
                assert_never_back(client)
