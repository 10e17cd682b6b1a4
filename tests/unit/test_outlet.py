"""Outlets: what is written at once, what waits, what is replaced, and who is cut off."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
import uvloop

from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.outlet import Congestion, TransportOutlet
from barberpro.protocol.frames import close_frame, text_frame

SLOW = close_frame(4408)
LITTLE, MUCH = 4096, 1 << 18
"""Room for a few states, and for all."""


class Client(asyncio.Protocol):
    """A connection on which one side writes through a transport, and the other reads when it is told to."""

    transport: asyncio.Transport

    def __init__(self, room: int) -> None:
        """room: bytes that the kernel keeps for the one who reads, about."""
        self._near, self._far = socket.socketpair()
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        for each in (self._near, self._far):
            each.setblocking(False)
        self.taken = b""
        self.gone = asyncio.Event()

    async def connect(self) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self, self._near)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none by class

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    def has(self) -> bytes:
        """What is there for it already."""
        with contextlib.suppress(BlockingIOError):
            while more := self._far.recv(1 << 20):
                self.taken += more
        return self.taken

    async def takes(self, met: Callable[[bytes], bool]) -> None:
        """Reads until all that it has read meets this, or the other side is at its end."""
        async with asyncio.timeout(20):
            while not met(self.taken):
                more = await asyncio.get_running_loop().sock_recv(self._far, 1 << 20)
                self.taken += more
                if not more:
                    return

    async def close(self) -> None:
        self._far.close()
        if not self.gone.is_set():
            self.transport.abort()
            await self.gone.wait()


Clients = Callable[[int], Awaitable[Client]]
on_both_loops = pytest.mark.parametrize(
    "loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
"""What is written past a transport hangs on what it tells; servers run on uvloop."""
Loop = Callable[[], asyncio.AbstractEventLoop]


@asynccontextmanager
async def client_with(room: int) -> AsyncIterator[Client]:
    client = Client(room)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    made: list[Client] = []

    async def connected(room: int) -> Client:
        made.append(Client(room))
        await made[-1].connect()
        return made[-1]

    yield connected
    for client in made:
        await client.close()


@pytest.fixture
async def congestion() -> AsyncIterator[Congestion]:
    made = Congestion(limit_bytes=1000, patience_seconds=0.3)
    made.start()
    yield made
    await made.close()


def outlet_to(client: Client, congestion: Congestion) -> TransportOutlet:
    outlet = TransportOutlet("websocket", congestion, SLOW)
    outlet.open(client.transport)
    return outlet


async def behind(clients: Clients, congestion: Congestion, states: int, *rooms: str) -> tuple[Client, TransportOutlet]:
    """A client that has taken nothing yet, and has been offered so many states of each room."""
    client = await clients(LITTLE)
    outlet = outlet_to(client, congestion)
    for seq in range(states):
        for room in rooms:
            outlet.offer(room, state(room, seq))
    return client, outlet


def state(room: str, seq: int) -> Message:
    return Message("queue_updated", {"room": room, "epoch": 1, "seq": seq, "filler": "x" * 200})


async def cut_off(congestion: Congestion) -> None:
    async with asyncio.timeout(20):
        while not congestion.evicted:  # noqa: ASYNC110 - a figure for operators, and it has no event
            await asyncio.sleep(0.01)


async def test_a_quick_client_gets_everything_before_the_loops_turn_ends(
    clients: Clients, congestion: Congestion
) -> None:
    client = await clients(MUCH)
    outlet = outlet_to(client, congestion)
    sent = [state("a", seq) for seq in range(20)]
    for message in sent:
        outlet.offer("a", message)
    assert client.has() == b"".join(message.websocket for message in sent)


@on_both_loops
def test_a_state_does_not_overtake_what_the_transport_still_has(loop: Loop) -> None:
    async def offered() -> None:
        async with client_with(LITTLE) as client:
            outlet = outlet_to(client, Congestion(limit_bytes=1_000_000, patience_seconds=20))
            sent = [Message("queue_updated", {"seq": seq, "filler": "x" * (3000 + seq)}) for seq in range(50)]
            for message in sent[:25]:
                outlet.offer("a", message)
            assert client.transport.get_write_buffer_size() > 0, "a state that went in part waits for its rest"
            client.has()  # now the kernel has room again, and the transport does not know yet
            for message in sent[25:]:
                outlet.offer("a", message)
            everything = b"".join(message.websocket for message in sent)
            await client.takes(lambda taken: len(taken) >= len(everything))
            assert client.taken == everything

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(offered())


@on_both_loops
@pytest.mark.parametrize("ends", ["close", "abort"])
def test_nothing_is_written_to_whoever_gets_a_closed_connections_descriptor(loop: Loop, ends: str) -> None:
    async def offered() -> None:
        async with client_with(MUCH) as client:
            outlet = outlet_to(client, Congestion(limit_bytes=1000, patience_seconds=20))
            outlet.offer("a", state("a", 1))
            descriptor = client.transport.get_extra_info("socket").fileno()
            getattr(client.transport, ends)()
            await client.gone.wait()
            _offer_to_the_next(outlet, descriptor)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(offered())


def _offer_to_the_next(outlet: TransportOutlet, descriptor: int) -> None:
    """Offers a state when the descriptor is another's. Fails the test when that one gets it."""
    # The kernel gives the lowest that are free: one of these two has it, or it is given to one of them, too.
    near, far = sorted(socket.socketpair(), key=lambda each: each.fileno() != descriptor)
    with near, far, contextlib.ExitStack() as others:
        far.setblocking(False)
        if near.fileno() != descriptor:
            os.dup2(near.fileno(), descriptor)
            others.callback(os.close, descriptor)
        outlet.offer("a", state("a", 2))
        with pytest.raises(BlockingIOError):
            far.recv(1)


async def test_a_slow_client_gets_the_newest_of_each_room_in_bounded_memory(
    clients: Clients, congestion: Congestion
) -> None:
    client, outlet = await behind(clients, congestion, 1000, "a", "b")
    assert 0 < client.transport.get_write_buffer_size() <= 1000
    newest = {state("a", 999).websocket, state("b", 999).websocket}
    await client.takes(lambda taken: all(frame in taken for frame in newest))
    assert client.taken.count(b"queue_updated") < 100
    assert client.taken.endswith(tuple(newest))
    outlet.offer("a", state("a", 1000))
    assert client.has().endswith(state("a", 1000).websocket)


async def test_a_client_that_stays_behind_is_cut_off_with_a_word(clients: Clients, congestion: Congestion) -> None:
    client, outlet = await behind(clients, congestion, 100, "a")
    await cut_off(congestion)
    outlet.offer("a", state("a", 999))
    await client.takes(lambda _: False)
    assert client.taken.endswith(SLOW), "nothing follows the last word"
    assert congestion.evicted == 1


async def test_a_client_that_does_not_even_take_the_last_word_is_let_go(
    clients: Clients, congestion: Congestion
) -> None:
    client, _ = await behind(clients, congestion, 100, "a")
    async with asyncio.timeout(20):
        await client.gone.wait()
    assert SLOW not in client.has()


async def test_a_room_that_was_left_is_not_caught_up_with(clients: Clients, congestion: Congestion) -> None:
    client, outlet = await behind(clients, congestion, 100, "a")
    next_client, _ = await behind(clients, congestion, 100, "a")
    outlet.forget("a")
    newest = state("a", 99).websocket
    client.has()
    await next_client.takes(lambda taken: newest in taken)  # it is looked at after the other
    assert newest not in client.has()


async def test_answers_are_never_dropped_but_a_flood_of_them_ends_it(clients: Clients, congestion: Congestion) -> None:
    client = await clients(LITTLE)
    outlet = outlet_to(client, congestion)
    answer, sent = text_frame(b'{"event":"ack"}'), 0
    while not client.transport.is_closing():
        outlet.send(answer)
        sent += 1
    assert 2000 < client.transport.get_write_buffer_size() < 2100 + len(SLOW)
    await client.takes(lambda _: False)
    assert client.taken == (sent - 1) * answer + SLOW


@pytest.mark.parametrize(("size", "head"), [(1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_frames_tell_their_length(size: int, head: int) -> None:
    frame = text_frame(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
    assert frame[1] & 0x80 == 0, "a server's frames are not masked"
    told = frame[1] if head == 2 else int.from_bytes(frame[2:head], "big")
    assert told == size
