"""Rooms as the client keeps them: the newest state of each, and who watches it."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from barberpro.clients.python.errors import ClientClosed
from barberpro.clients.python.logic import Version, is_older, version_of

State = dict[str, Any]


class Feed:
    """One room: its newest state, and its watchers. Failing it is final."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.version: Version | None = None
        self.watches: set[Watch] = set()
        self._state: State | None = None
        self._error: Exception | None = None

    def apply(self, state: State) -> bool:
        """Take a state unless it is older than what is here, or the same; says whether it was taken."""
        version = version_of(state)
        if version is None or is_older(version, self.version):
            return False
        self.version = version
        if state == self._state:
            return False
        self._state = state
        for watch in self.watches:
            watch.offer(state)
        return True

    def join(self, watch: "Watch") -> None:
        """A new watcher gets at once what is already known."""
        self.watches.add(watch)
        if self._state is not None:
            watch.offer(self._state)
        if self._error is not None:
            watch.fail(self._error)

    def fail(self, error: Exception) -> None:
        self._error = error
        for watch in self.watches:
            watch.fail(error)


class Watch:
    """The states of a room, none older than the one before; iterate with `async for`. One of the same version has new
    waits. Only a server that, after a cut, never had what was told before is believed with an older one.

    The slot holds one state: who is slow gets the newest and misses what was in between, which an absolute
    state allows. Iterating ends when the client is closed; it raises BarberProError when the server refuses
    the room or the token. To leave earlier, and let the server know, use it as a context:
    `async with client.watch(room) as states`.
    """

    def __init__(self, feed: Feed, on_close: Callable[[Feed, "Watch"], None]) -> None:
        self._feed = feed
        self._on_close = on_close
        self._slot: State | None = None
        self._error: Exception | None = None
        self._wake = asyncio.Event()
        feed.join(self)

    @property
    def room(self) -> str:
        return self._feed.room

    def offer(self, state: State) -> None:
        self._slot = state
        self._wake.set()

    def fail(self, error: Exception) -> None:
        """End it; what ended it first counts."""
        self._error = self._error or error
        self._wake.set()

    def close(self) -> None:
        """Stop watching. Iterating ends; the room is left when this was its last watcher."""
        self._slot = None
        self.fail(ClientClosed())
        self._on_close(self._feed, self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> State:
        while self._slot is None:
            if isinstance(self._error, ClientClosed):
                raise StopAsyncIteration
            if self._error is not None:
                raise self._error
            self._wake.clear()
            await self._wake.wait()
        state, self._slot = self._slot, None
        return state

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
