"""A network between a client and a server that can be cut, and that can fall silent."""

import asyncio
import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from tests.support.sites import free_port

_CHUNK = 65_536


class Network:
    """Carries TCP from `url` to a port of this machine, for the time of a block."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.StreamWriter] = set()
        self._silenced: set[asyncio.StreamWriter] = set()
        self._silent = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()
        await asyncio.gather(*self._tasks)

    async def cut(self) -> None:
        """Resets every connection, and refuses new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.transport.abort()

    def fall_silent(self) -> None:
        """Carries nothing any more and tells nobody: what is connected now stays so, for good."""
        self._silent = True
        self._silenced |= self._links

    async def mend(self) -> None:
        """New connections work again."""
        self._silent = False
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._linked(writer), contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            with self._linked(back):
                await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    @contextlib.contextmanager
    def _linked(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._links.add(writer)
        if self._silent:
            self._silenced.add(writer)
        try:
            yield
        finally:
            self._links.discard(writer)
            self._silenced.discard(writer)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until one of both ends hangs up; then the other is hung up on."""
        while data := await reader.read(_CHUNK):
            if writer not in self._silenced:
                writer.write(data)
                await writer.drain()
        writer.close()
