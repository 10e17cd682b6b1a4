"""Outlets: what is written at once, what waits, what is replaced, and who is cut off."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.outlet import Congestion, TransportOutlet
from barberpro.protocol.frames import close_frame, text_frame

SLOW = close_frame(4408)


class Wire(asyncio.Transport):
    """A transport whose client takes what it is told to take."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer: list[bytes] = []
        self.taken: list[bytes] = []
        self.stuck = False
        self.ended = ""
        self._changed = asyncio.Event()

    async def becomes(self, met: Callable[[], bool]) -> None:
        """Waits for something that is written, or for an end, that meets this."""
        async with asyncio.timeout(20):
            while not met():
                self._changed.clear()
                await self._changed.wait()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        (self.buffer if self.stuck else self.taken).append(bytes(data))
        self._changed.set()

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.buffer))

    def unstick(self) -> None:
        self.taken += self.buffer
        self.buffer, self.stuck = [], False

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"
        self._changed.set()

    def abort(self) -> None:
        self.ended = "aborted"
        self._changed.set()


@pytest.fixture
async def congestion() -> AsyncIterator[Congestion]:
    made = Congestion(limit_bytes=1000, patience_seconds=0.3)
    made.start()
    yield made
    await made.close()


def outlet_on(wire: Wire, congestion: Congestion) -> TransportOutlet:
    return TransportOutlet(wire, "websocket", congestion, SLOW)


def behind(congestion: Congestion, states: int, *rooms: str) -> tuple[Wire, TransportOutlet]:
    """A client that takes nothing, and has been offered so many states of each room."""
    wire = Wire()
    wire.stuck = True
    outlet = outlet_on(wire, congestion)
    for seq in range(states):
        for room in rooms:
            outlet.offer(room, state(room, seq))
    return wire, outlet


def state(room: str, seq: int) -> Message:
    return Message("queue_updated", {"room": room, "epoch": 1, "seq": seq, "filler": "x" * 200})


async def test_a_quick_client_gets_everything_at_once(congestion: Congestion) -> None:
    wire = Wire()
    outlet = outlet_on(wire, congestion)
    sent = [state("a", seq) for seq in range(20)]
    for message in sent:
        outlet.offer("a", message)
    assert wire.taken == [message.websocket for message in sent]


async def test_a_slow_client_gets_the_newest_of_each_room_in_bounded_memory(congestion: Congestion) -> None:
    wire, outlet = behind(congestion, 1000, "a", "b")
    assert wire.get_write_buffer_size() <= 1000
    wire.unstick()
    held = len(wire.taken)
    await wire.becomes(lambda: len(wire.taken) == held + 2)
    assert set(wire.taken[-2:]) == {state("a", 999).websocket, state("b", 999).websocket}
    assert not wire.ended
    outlet.offer("a", state("a", 1000))
    assert wire.taken[-1] == state("a", 1000).websocket


async def test_a_client_that_stays_behind_is_cut_off_with_a_word(congestion: Congestion) -> None:
    wire, outlet = behind(congestion, 10, "a")
    await wire.becomes(lambda: bool(wire.ended))
    assert wire.buffer[-1] == SLOW
    assert congestion.evicted == 1
    outlet.offer("a", state("a", 99))
    assert wire.buffer[-1] == SLOW, "nothing follows the last word"
    await wire.becomes(lambda: wire.ended == "aborted")


async def test_a_room_that_was_left_is_not_caught_up_with(congestion: Congestion) -> None:
    wire, outlet = behind(congestion, 10, "a")
    next_wire, _ = behind(congestion, 10, "a")
    outlet.forget("a")
    held = len(wire.buffer)
    for each in (wire, next_wire):
        each.unstick()
    await next_wire.becomes(lambda: len(next_wire.taken) > held)  # it is looked at after the other
    assert len(wire.taken) == held


async def test_answers_are_never_dropped_but_a_flood_of_them_ends_it(congestion: Congestion) -> None:
    wire = Wire()
    wire.stuck = True
    outlet = outlet_on(wire, congestion)
    answer = text_frame(b'{"event":"ack"}')
    while not wire.ended:
        outlet.send(answer)
    assert set(wire.buffer[:-1]) == {answer}
    assert 2000 < wire.get_write_buffer_size() < 2100 + len(SLOW)


@pytest.mark.parametrize(("size", "head"), [(1, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_frames_tell_their_length(size: int, head: int) -> None:
    frame = text_frame(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
    assert frame[1] & 0x80 == 0, "a server's frames are not masked"
    told = frame[1] if head == 2 else int.from_bytes(frame[2:head], "big")
    assert told == size
