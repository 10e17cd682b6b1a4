"""The rooms of a client: subscribed on every new connection, each from where it stood."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from barberpro.clients.python.connection import Connection, checked
from barberpro.clients.python.errors import ConnectionLost
from barberpro.clients.python.feeds import Feed, Watch
from barberpro.clients.python.logic import Dice, RetryPolicy, Verdict, Version, judge
from barberpro.clients.python.results import ClientStats
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.rooms import Room

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine in the background and keeps it until it ends."""


class Rooms:
    def __init__(self, retry: RetryPolicy, dice: Dice, stats: ClientStats, spawn: Spawn) -> None:
        self._retry = retry
        self._dice = dice
        self._stats = stats
        self._spawn = spawn
        self._feeds: dict[str, Feed] = {}
        self._connection: Connection | None = None

    def watch(self, room: str) -> Watch:
        """Raises BarberProError(BAD_REQUEST) when `room` is none."""
        feed = self._feeds.get(str(Room.parse(room)))
        if feed is None:
            # Known here before the server is asked: no state that follows the ack can find nobody waiting.
            feed = self._feeds[room] = Feed(room)
            if self._connection is not None:
                self._spawn(self._subscribe(self._connection, feed))
        return Watch(feed, self._left)

    def connected(self, connection: Connection) -> None:
        self._connection = connection
        for feed in self._feeds.values():
            self._spawn(self._subscribe(connection, feed))

    def disconnected(self) -> None:
        self._connection = None

    def take(self, message: dict[str, Any]) -> None:
        """A room's message from the server."""
        feed = self._feeds.get(str(message.get("room")))
        if feed is not None and not feed.apply(message):
            self._stats.outdated += 1

    def fail(self, error: Exception) -> None:
        """End all watches; a later `watch` starts anew."""
        feeds, self._feeds = self._feeds, {}
        for feed in feeds.values():
            feed.fail(error)

    async def _subscribe(self, connection: Connection, feed: Feed) -> None:
        """Ask from where the room stands, until it is done, refused, left, or the connection has ended."""
        attempt = 0
        while not connection.lost.is_set() and self._feeds.get(feed.room) is feed:
            attempt += 1
            try:
                asked = feed.version
                self._subscribed(feed, asked, checked(await self._ask(connection, feed)))
                return
            except ConnectionLost:
                pass  # no answer; if the connection is gone, the next one asks
            except BarberProError as refusal:
                if judge(refusal, may_renew=False) is Verdict.GIVE_UP:
                    self._feeds.pop(feed.room, None)
                    feed.fail(refusal)
                    return
            await asyncio.sleep(self._retry.delay(attempt, self._dice))

    async def _ask(self, connection: Connection, feed: Feed) -> dict[str, Any]:
        since = {"since": feed.version.to_wire()} if feed.version else {}
        return await connection.call("subscribe", {"room": feed.room, **since}, self._retry.ack_timeout)

    def _subscribed(self, feed: Feed, asked: Version | None, ack: dict[str, Any]) -> None:
        if isinstance(ack.get("state"), dict):
            if feed.version == asked:  # nothing came meanwhile: it replaces what is here, even what is newer
                feed.version = None
            # The ack names the version; whether its state repeats it is the server's affair.
            feed.apply({"room": feed.room, "epoch": ack.get("epoch"), "seq": ack.get("seq"), **ack["state"]})

    def _left(self, feed: Feed, watch: Watch) -> None:
        feed.watches.discard(watch)
        if feed.watches or self._feeds.get(feed.room) is not feed:
            return
        del self._feeds[feed.room]
        if self._connection is not None:
            self._spawn(self._unsubscribe(self._connection, feed.room))

    async def _unsubscribe(self, connection: Connection, room: str) -> None:
        with contextlib.suppress(ConnectionLost):  # then it is left anyway
            await connection.call("unsubscribe", {"room": room}, self._retry.ack_timeout)
