"""A reserved address: workers share it, nobody else has it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from barberpro.server.ports import CannotListenError, reserved
from tests.support.sites import free_port

HERE = "127.0.0.1"


@asynccontextmanager
async def listener(port: int, *, shares: bool) -> AsyncIterator[None]:
    """Says `here` to whoever connects, and hangs up first."""

    def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"here")
        writer.close()

    async with await asyncio.start_server(answer, HERE, port, reuse_port=shares or None):
        yield


async def said_by(port: int) -> bytes:
    reader, writer = await asyncio.open_connection(HERE, port)
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said


async def test_workers_share_a_reserved_port_and_get_all_its_connections() -> None:
    port = free_port()
    async with reserved(HERE, port, "--port"), listener(port, shares=True), listener(port, shares=True):
        assert [await said_by(port) for _ in range(20)] == [b"here"] * 20


async def test_a_reserved_port_is_nobody_elses() -> None:
    port = free_port()
    async with reserved(HERE, port, "--port"):
        with pytest.raises(OSError, match="in use"):
            await listener(port, shares=False).__aenter__()
        with pytest.raises(CannotListenError, match=f"{HERE}:{port} .--port is taken"):
            await reserved(HERE, port, "--port").__aenter__()


@pytest.mark.parametrize("shares", [False, True])
async def test_where_somebody_listens_nothing_is_reserved(shares: bool) -> None:
    port = free_port()
    async with listener(port, shares=shares):
        with pytest.raises(CannotListenError, match=f"{HERE}:{port} .--port is taken"):
            await reserved(HERE, port, "--port").__aenter__()


async def test_what_a_server_left_behind_does_not_keep_the_next_one_out() -> None:
    port = free_port()
    async with reserved(HERE, port, "--port"), listener(port, shares=True):
        await said_by(port)  # it hung up first: the system remembers the connection for a minute
    with pytest.raises(OSError, match="in use"), socket.socket() as exclusive:
        exclusive.bind((HERE, port))
    async with reserved(HERE, port, "--port"), listener(port, shares=True):
        assert await said_by(port) == b"here"


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("nowhere.invalid", "--host .BARBERPRO_HOST. is nowhere.invalid: it has no address"),
        ("192.0.2.1", "--host .BARBERPRO_HOST. is 192.0.2.1: this machine has no such address"),  # RFC 5737
    ],
)
async def test_a_host_that_is_not_here_is_named(host: str, words: str) -> None:
    with pytest.raises(CannotListenError, match=words):
        await reserved(host, free_port(), "--port").__aenter__()
