"""What a watcher is sent: in order, complete in the end, the same on every node, and true again after any loss."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from engineio import packet

from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.socketio_outlet import SocketIOOutlet
from barberpro.server.node import NodeOptions
from tests.support.faults import lose_memory
from tests.support.raw_socketio import EVENTS, TRANSPORTS, RawClient
from tests.support.shops import Json, customer, new_id
from tests.support.socket_door import SocketDoor, socket_door

BURST = 100


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[SocketDoor]:
    async with socket_door(options) as door:
        yield door


def version(state: Json) -> tuple[int, int]:
    return state["epoch"], state["seq"]


def assert_in_order(client: RawClient) -> None:
    """Every state of a room is newer than the one before."""
    for event in EVENTS[:3]:
        versions = [version(state) for state in client.heard[event]]
        assert versions == sorted(set(versions)), event


async def burst(clients: list[RawClient], door: SocketDoor) -> tuple[int, int]:
    """So many customers enter at once, through these connections in turn; the version of the last."""
    joins = [
        clients[number % len(clients)].command(**door.join(customer={"name": f"Customer {number}"}))
        for number in range(BURST)
    ]
    acks = await asyncio.gather(*joins)
    assert all(ack["ok"] for ack in acks)
    return max(version(ack["data"]["queue"]) for ack in acks)


def assert_complete(state: Json) -> None:
    people = [state["next"], *state["waiting"]]
    assert [entry["tokenNumber"] for entry in people] == list(range(1, BURST + 1))
    assert [entry["position"] for entry in people] == list(range(1, BURST + 1))
    assert state["counts"]["waiting"] == BURST - 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_after_a_burst_the_last_state_is_complete_and_none_came_late(door: SocketDoor, transport: str) -> None:
    watcher, sender = await door.barber(transport), await door.barber()
    await watcher.subscribe(door.room())
    await watcher.subscribe(f"display:{door.shop.shop_id}")
    last = await burst([sender], door)
    assert_complete(await watcher.hears("queue_updated", lambda state: version(state) == last))
    shown = await watcher.hears("display_updated", lambda state: state["queues"][0]["waitingCount"] == BURST - 1)
    assert [entry["position"] for entry in shown["queues"][0]["waiting"]] == list(range(2, 12))
    assert_in_order(watcher)


async def test_watchers_on_two_nodes_see_the_same_in_the_end(door: SocketDoor, options: NodeOptions) -> None:
    async with socket_door(options) as other:
        other.shop = door.shop
        watchers = [await door.barber(), await other.barber()]
        for watcher in watchers:
            await watcher.subscribe(door.room())
        last = await burst([await door.barber(), await other.barber()], door)
        states = [await watcher.hears("queue_updated", lambda state: version(state) == last) for watcher in watchers]
        assert states[0] == states[1]
        assert_complete(states[0])
        for watcher in watchers:
            assert_in_order(watcher)


async def test_a_redis_that_forgot_everything_raises_the_epoch_in_every_room(
    door: SocketDoor, options: NodeOptions
) -> None:
    client = await door.connect(customer(1))
    booking = (await client.command(**door.join()))["data"]["booking"]["bookingId"]
    rooms = {
        "queue_updated": door.room(),
        "booking_updated": f"booking:{booking}",
        "display_updated": f"display:{door.shop.shop_id}",
    }
    before = {event: (await client.subscribe(room))["state"] for event, room in rooms.items()}
    await lose_memory(door.node.redis, options.prefix)
    for event, was in before.items():
        # mypy cannot infer a lambda with a default.
        state = await client.hears(event, lambda state, was=was: state["epoch"] > was["epoch"])  # type: ignore[misc]  # a default
        assert state["seq"] >= was["seq"]
    barber = await door.barber()
    moved = await barber.command(commandId=new_id(), type="advance", barberId=door.shop.barbers[0])
    after = await client.hears("booking_updated", lambda state: state["status"] == "serving")
    assert moved["data"]["queue"]["epoch"] == after["epoch"]
    assert_in_order(client)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_shard_that_is_rebuilt_after_a_subscription_never_takes_its_rooms_back(
    door: SocketDoor, transport: str
) -> None:
    client, barber = await door.connect(customer(1), transport), await door.barber()
    joined = await client.command(**door.join())
    rooms = {
        "queue_updated": door.room(),
        "booking_updated": f"booking:{joined['data']['booking']['bookingId']}",
        "display_updated": f"display:{door.shop.shop_id}",
    }
    begun = {event: version((await client.subscribe(room))["state"]) for event, room in rooms.items()}
    shard = door.node.keys.shard_of(door.shop.shop_id)
    for number in range(2, 7):
        # The command runs beside the rebuild: its event may be of either epoch, and be told before the epoch is.
        _, ack = await asyncio.gather(
            door.node.recovery.distrust(shard, "a test"),
            barber.command(**door.join(customer={"name": f"Customer {number}"})),
        )
        assert ack["ok"] or ack["error"]["temporary"], ack
    last = await barber.command(**door.join(customer={"name": "The last"}))
    newest = version(last["data"]["queue"])
    await client.hears("queue_updated", lambda state: version(state) == newest)
    for event, first in begun.items():
        await client.hears(event, lambda state: state["epoch"] == newest[0])
        assert version(client.heard[event][0]) > first
    assert newest[0] > begun["queue_updated"][0]
    assert_in_order(client)


async def test_a_state_never_overtakes_what_the_library_is_about_to_send(door: SocketDoor) -> None:
    """Such as the answer to a subscription, which would take the client back."""
    client = await door.barber()
    [engine_socket] = door.sockets.socketio.server.eio.sockets.values()
    await door.sockets.socketio.server.emit("queue_updated", {"epoch": 1, "seq": 1})
    while not engine_socket.queue.empty():  # noqa: ASYNC110 - the library tells nobody
        await asyncio.sleep(0)
    # Taken out of the queue, and not written yet.
    SocketIOOutlet(engine_socket, door.sockets.congestion).offer(
        "queue", Message("queue_updated", {"epoch": 1, "seq": 2})
    )
    await client.hears("queue_updated", times=2)
    assert_in_order(client)


async def answered(engine_socket: Any, number: int) -> None:  # noqa: ANN401 - engineio's, untyped
    """Puts an answer into the library's queue, as it does itself, and gives it no turn to write that."""
    await engine_socket.send(packet.Packet(packet.MESSAGE, f'3{number}[{{"ok":true}}]'))
    assert engine_socket.queue.unsent == 1


def slow_outlet(door: SocketDoor, engine_socket: Any) -> SocketIOOutlet:  # noqa: ANN401 - engineio's, untyped
    """Of a client for whom state 1 of the queue is kept back."""
    congestion = door.sockets.congestion
    outlet = SocketIOOutlet(engine_socket, congestion)
    usual, congestion.limit = congestion.limit, 0  # nobody keeps up with that
    outlet.offer("queue", Message("queue_updated", {"epoch": 1, "seq": 1}))
    congestion.limit = usual
    return outlet


async def test_a_state_is_not_lost_behind_one_that_has_left_the_librarys_queue(door: SocketDoor) -> None:
    """An answer is in the queue each time, so the states go there, too; the first one is long gone by the second."""
    client = await door.barber()
    [engine_socket] = door.sockets.socketio.server.eio.sockets.values()
    outlet = SocketIOOutlet(engine_socket, door.sockets.congestion)
    for seq in (1, 2):
        await answered(engine_socket, seq)
        outlet.offer("queue", Message("queue_updated", {"epoch": 1, "seq": seq}))
        await client.hears("queue_updated", times=seq)
    assert_in_order(client)


async def test_a_state_behind_an_answer_is_not_followed_by_an_older_one_that_waited(door: SocketDoor) -> None:
    """It waited because the client was slow, while the answer, and the state behind it, went the library's way."""
    client = await door.barber()
    [engine_socket] = door.sockets.socketio.server.eio.sockets.values()
    outlet = slow_outlet(door, engine_socket)
    await answered(engine_socket, 1)
    outlet.offer("queue", Message("queue_updated", {"epoch": 1, "seq": 2}))
    await client.hears("queue_updated", lambda state: version(state) == (1, 2))
    outlet.offer("display", Message("display_updated", {"epoch": 1, "seq": 1}))
    await client.hears("display_updated")
    assert [version(state) for state in client.heard["queue_updated"]] == [(1, 2)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_second_subscription_is_answered_in_order(door: SocketDoor, transport: str) -> None:
    """A state of the first one waits in the queue: none that comes behind the answer may take its place."""
    client, barber = await door.connect(customer(1), transport), await door.barber()
    await client.subscribe(door.room())
    versions = []
    for number in range(2, 8):
        joined = barber.command(**door.join(customer={"name": f"Customer {number}"}))
        again, _ = await asyncio.gather(client.subscribe(door.room()), joined)
        versions.append(version(again["state"]))
    assert versions == sorted(versions)
    last = version((await client.subscribe(door.room()))["state"])
    await client.hears("queue_updated", lambda state: version(state) == last)
    assert_in_order(client)


async def test_what_waited_before_a_subscription_does_not_come_behind_its_answer(door: SocketDoor) -> None:
    client = await door.barber()
    [engine_socket] = door.sockets.socketio.server.eio.sockets.values()
    outlet = slow_outlet(door, engine_socket)
    outlet.forget("queue")
    outlet.offer("display", Message("display_updated", {"epoch": 1, "seq": 1}))
    await client.hears("display_updated")
    assert client.heard["queue_updated"] == []


async def test_a_polling_client_may_send_a_burst_itself(door: SocketDoor) -> None:
    sender = await door.barber("polling")
    await burst([sender], door)
    assert not sender.gone.is_set()
