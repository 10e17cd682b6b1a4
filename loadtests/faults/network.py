"""A network between two ends that can be cut, can fall silent or slow, and can be stopped at a chosen message."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Literal, Self, cast

from loadtests.bench.served import free_port

Target = int | str
"""A port of this machine, or the path of a unix socket."""

_FULL: Final = 1024 * 1024
"""Bytes that may wait for an end that does not read, until the other one is not read from either."""


Stage = Literal["asked", "passed", "answered"]


class Trap:
    """Waits for a message that begins something, and holds that connection from a chosen moment on.

    asked: the message itself is held. passed: it has gone through, and no answer comes back. answered: the same, and
    the answer has come and is held. sprung: set in that moment.
    """

    def __init__(self, wanted: Callable[["Link", bytes], bool], stage: Stage) -> None:
        self.sprung = asyncio.Event()
        self.wanted = wanted
        self.stage: Stage = stage
        self.link: Link | None = None

    def holds(self, *, forth: bool) -> bool:
        return forth == (self.stage == "asked")

    def open(self) -> None:
        """Lets through what it holds, if its connection is still there."""
        if self.link is not None:
            self.link.trap = None
            self.link.there.flush()
            self.link.back.flush()


class Network:
    """Carries TCP from `port` to its target, for the time of a block."""

    def __init__(self, target: Target) -> None:
        self.port = free_port()
        self.traps: list[Trap] = []
        self.delay = 0.0
        """Seconds that each piece of data is under way."""
        self.links: set[Link] = set()
        self._target = target
        self._server: asyncio.Server | None = None
        self._silent = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    async def cut(self) -> None:
        """Resets every connection, and refuses new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    def reset(self) -> None:
        """Resets every connection; new ones are welcome."""
        for link in list(self.links):
            link.abort()

    def aim(self, target: Target) -> None:
        """Leads elsewhere from now on; what is connected is reset."""
        self._target = target
        self.reset()

    def fall_silent(self) -> None:
        """Carries nothing any more and tells nobody: what is connected now stays so, for good."""
        self._silent = True
        for link in self.links:
            link.silent = True

    async def mend(self) -> None:
        """New connections work again."""
        self._silent, self.delay = False, 0.0
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accepted, "127.0.0.1", self.port)

    def _accepted(self) -> "_End":
        link = Link(self, silent=self._silent)
        return link.there

    async def reach(self, back: "_End") -> None:
        """Connects the far end. Raises OSError."""
        loop = asyncio.get_running_loop()
        if isinstance(self._target, str):
            await loop.create_unix_connection(lambda: back, self._target)
        else:
            await loop.create_connection(lambda: back, "127.0.0.1", self._target)


class Link:
    """One connection. there: the end that called; back: the one that was called. marks: for who looks for traps."""

    def __init__(self, network: Network, *, silent: bool) -> None:
        self.network = network
        self.silent = silent
        self.trap: Trap | None = None
        self.marks: set[str] = set()
        self.there, self.back = _End(self), _End(self)
        self._task: asyncio.Task[None] | None = None

    def called(self) -> None:
        self.network.links.add(self)
        self._task = asyncio.create_task(self._reach())

    async def _reach(self) -> None:
        try:
            await self.network.reach(self.back)
        except OSError:
            self.abort()

    def carry(self, source: "_End", data: bytes) -> None:
        if self.silent:
            return
        forth = source is self.there
        if forth:
            self._look(data)
        held = self.trap is not None and self.trap.holds(forth=forth)
        if self.trap is not None and (held or self.trap.stage == "passed"):
            self.trap.sprung.set()
        self.back_of(source).take(data, held=held)

    def _look(self, data: bytes) -> None:
        for trap in self.network.traps:
            if self.trap is None and trap.wanted(self, data):
                self.network.traps.remove(trap)
                self.trap, trap.link = trap, self
                return

    def back_of(self, source: "_End") -> "_End":
        return self.back if source is self.there else self.there

    def abort(self) -> None:
        self.network.links.discard(self)
        for end in (self.there, self.back):
            end.abort()


class _End(asyncio.Protocol):
    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[bytes] = deque()
        self._held = False
        self._ended = False
        self._coming: deque[bytes] = deque()
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not say that it is one
        self._transport.set_write_buffer_limits(_FULL)
        if self._ended:
            self._transport.abort()
        elif self is self._link.there:
            self._link.called()
        else:
            self._pour()

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._due = max(self._due, now + self._link.network.delay)
        if self._due <= now and not self._coming:  # the loop may be late with those that are due
            self._link.carry(self, data)
        else:
            self._coming.append(data)
            loop.call_at(self._due, self._arrived)

    def _arrived(self) -> None:
        self._link.carry(self, self._coming.popleft())

    def connection_lost(self, error: Exception | None) -> None:
        if self._link.back_of(self).holds:
            self._link.abort()  # who asked has gone: what is held has never been sent
        elif error is not None or not self._link.silent:
            self._link.network.links.discard(self._link)
            self._link.back_of(self).close()

    def pause_writing(self) -> None:
        self._link.back_of(self).read(going=False)

    def resume_writing(self) -> None:
        self._link.back_of(self).read(going=True)

    def read(self, *, going: bool) -> None:
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(RuntimeError):  # it is as it is to be
                (self._transport.resume_reading if going else self._transport.pause_reading)()

    def take(self, data: bytes, *, held: bool = False) -> None:
        """Sends it on, behind what waits here already."""
        self._held = self._held or held
        self._waiting.append(data)
        self._pour()

    def flush(self) -> None:
        self._held = False
        self._pour()

    def _pour(self) -> None:
        if self._transport is None or self._held or self._transport.is_closing():
            return
        while self._waiting:
            self._transport.write(self._waiting.popleft())
        if self._ended:
            self._transport.close()

    @property
    def holds(self) -> bool:
        """Whether a trap keeps back what is to be sent here."""
        return self._held

    def close(self) -> None:
        """The other end has hung up: what it sent goes first."""
        self._ended = True
        self._pour()

    def abort(self) -> None:
        """With a reset, which loses what is under way."""
        self._ended = True
        if self._transport is not None and not self._transport.is_closing():
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
