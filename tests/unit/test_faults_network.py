"""The network of the runs with faults: what it carries, holds back, delays and cuts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from loadtests.faults.network import Link, Network, Stage, Trap

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """In front of one who answers each line with itself."""

    echoes = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echoes.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        async with Network(server.sockets[0].getsockname()[1]) as network:
            yield network
        await asyncio.gather(*filter(None, echoes))


@pytest.fixture
async def connect(network: Network) -> AsyncIterator[Connect]:
    """Connects to it, and hangs up in the end."""
    writers = []

    async def connected() -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", network.port)
        writers.append(streams[1])
        return streams

    yield connected
    for writer in writers:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def said(streams: Streams, line: bytes) -> bytes:
    reader, writer = streams
    writer.write(line)
    return await reader.readline()


async def test_it_carries_both_ways_and_hangs_up_when_one_end_does(connect: Connect) -> None:
    reader, writer = streams = await connect()
    assert await said(streams, b"hello\n") == b"hello\n"
    writer.write_eof()
    assert await reader.read() == b""


async def test_a_cut_resets_and_refuses_until_it_is_mended(network: Network, connect: Connect) -> None:
    streams = await connect()
    assert await said(streams, b"hello\n") == b"hello\n"
    await network.cut()
    with pytest.raises(ConnectionError):
        await streams[0].readexactly(1)
    with pytest.raises(ConnectionError):
        await connect()
    await network.mend()
    again = await connect()
    assert await said(again, b"again\n") == b"again\n"


async def test_what_was_silenced_stays_silent_and_new_connections_are_not(network: Network, connect: Connect) -> None:
    silent = await connect()
    assert await said(silent, b"hello\n") == b"hello\n"
    network.fall_silent()
    await network.mend()
    silent[1].write(b"anybody?\n")
    other = await connect()
    assert await said(other, b"here\n") == b"here\n"
    assert silent[0]._buffer == b""  # type: ignore[attr-defined] # to look without waiting
    network.reset()
    with pytest.raises(ConnectionError):
        await silent[0].readexactly(1)


async def test_what_is_slow_keeps_its_order_when_the_delay_ends(network: Network, connect: Connect) -> None:
    reader, writer = await connect()
    network.delay = 0.05
    lines = [b"%d\n" % number for number in range(5)]
    for line in lines:
        writer.write(line)
        await asyncio.sleep(0.01)
        network.delay = 0.0
    assert [await reader.readline() for _ in lines] == lines


async def test_what_is_slow_keeps_its_order_when_the_loop_is_late(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is due has not been carried yet when more comes."""
    link, loop, carried = Link(network, silent=False), asyncio.get_running_loop(), []
    all_there = asyncio.Event()

    def carry(_: object, data: bytes) -> None:
        carried.append(data)
        if len(carried) == 2:
            all_there.set()

    monkeypatch.setattr(link, "carry", carry)
    network.delay = 0.01
    link.back.data_received(b"first")
    network.delay = 0.0
    late = loop.time() + 1.0
    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: late)
        link.back.data_received(b"second")
    await all_there.wait()
    assert carried == [b"first", b"second"]


@pytest.mark.parametrize(("stage", "reached"), [("asked", False), ("passed", True), ("answered", True)])
async def test_a_trap_holds_the_message_or_its_answer(
    network: Network, connect: Connect, stage: Stage, reached: bool
) -> None:
    reader, writer = streams = await connect()
    other = await connect()
    trap = Trap(lambda _, data: b"commit" in data, stage)
    network.traps.append(trap)
    assert await said(streams, b"begin\n") == b"begin\n"
    writer.write(b"commit\n")
    await trap.sprung.wait()
    assert await said(other, b"others\n") == b"others\n", "only that connection is held"
    assert trap.link is not None
    assert bool(trap.link.back._waiting) is not reached
    trap.open()
    assert await reader.readline() == b"commit\n"
    assert await said(streams, b"on\n") == b"on\n"


async def test_what_a_trap_holds_is_lost_when_the_connection_is_cut(network: Network, connect: Connect) -> None:
    reader, writer = await connect()
    trap = Trap(lambda _, data: b"commit" in data, "asked")
    network.traps.append(trap)
    writer.write(b"commit\n")
    await trap.sprung.wait()
    network.reset()
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    trap.open()


async def test_what_a_trap_holds_is_lost_when_whoever_asked_is_killed(network: Network, connect: Connect) -> None:
    """Or a server that is killed before its commit would commit all the same."""
    _, writer = await connect()
    trap = Trap(lambda _, data: b"commit" in data, "asked")
    network.traps.append(trap)
    writer.write(b"commit\n")
    await trap.sprung.wait()
    assert trap.link is not None
    link = trap.link
    writer.transport.abort()
    while link in network.links:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    trap.open()
    assert link.back._transport is not None
    assert link.back._transport.is_closing()


async def test_two_traps_wait_side_by_side(network: Network, connect: Connect) -> None:
    first, second = Trap(lambda _, data: b"one" in data, "asked"), Trap(lambda _, data: b"two" in data, "asked")
    network.traps += [first, second]
    for line in (b"two\n", b"one\n"):
        (await connect())[1].write(line)
    await first.sprung.wait()
    await second.sprung.wait()
    assert first.link is not second.link
    first.open()
    second.open()
