"""A connection that is kept: made again after every cut, with a jittered wait, and every room resumed."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp

from barberpro.clients.python.closing import finish
from barberpro.clients.python.connection import Connection, checked
from barberpro.clients.python.errors import ClientClosed, ConnectionLost
from barberpro.clients.python.logic import Dice, RetryPolicy, Verdict, judge, restart_delay
from barberpro.clients.python.results import ClientStats
from barberpro.clients.python.rooms import Rooms
from barberpro.clients.python.tokens import TokenSource
from barberpro.protocol.errors import BarberProError

_STEADY: Final = 5.0
"""Seconds after which a connection counts as good, so that the next cut starts again with a short wait."""

_PASSING: Final = (ConnectionLost, aiohttp.ClientError, OSError)
"""What may go away by itself: no network, a server that restarts (a TimeoutError is an OSError)."""


class Session:
    """Between `start` and `close` there is a connection, or one is being made."""

    def __init__(
        self,
        url: str,
        tokens: TokenSource,
        retry: RetryPolicy,
        stats: ClientStats,
        dice: Dice = random.random,
    ) -> None:
        self.retry = retry
        self.dice = dice
        self.rooms = Rooms(retry, dice, stats, self._spawn)
        self._url = url
        self._tokens = tokens
        self._stats = stats
        self._http: aiohttp.ClientSession | None = None
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = ClientClosed("the client has not been started")
        self._runner: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts = 0
        self._renewed = False
        self._restart: tuple[float, float] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def can_renew(self) -> bool:
        """Whether there is a provider to ask for a fresh token."""
        return self._tokens.renewable

    @property
    def failure(self) -> Exception | None:
        """Why there is no connection and none is being made; None while the session is alive."""
        return self._failure

    def start(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._failure = None
        self._ready.clear()
        self._runner = asyncio.create_task(self._keep_connected(http))

    async def close(self) -> None:
        """End everything that was started. Watches end; who waits for a connection gets ClientClosed."""
        self._fail(ClientClosed("the client was closed"))
        tasks = [*self._tasks, *([self._runner] if self._runner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def up(self) -> Connection:
        """The live connection, once there is one.

        Raises BarberProError when the server refuses this client, ClientClosed, or what the token provider
        raised.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._connection is not None:
                return self._connection
            await self._ready.wait()

    async def authenticate(self, token: str) -> dict[str, Any]:
        """Use a new token from now on, on the live connection too.

        Returns the ack, empty when there is no connection: then the next handshake carries the token. A
        session that had ended because its token was refused starts again. Raises BarberProError when the
        token is refused.
        """
        self._tokens.replace(token)
        if self._connection is not None:
            with contextlib.suppress(ConnectionLost):
                return await self._authenticate(self._connection)
        elif isinstance(self._failure, BarberProError) and self._http is not None:
            self.start(self._http)
        return {}

    async def renew_token(self) -> None:
        """Ask the provider for a fresh token and present it; raises as `authenticate` and the provider."""
        self._tokens.expire()
        if self._connection is not None:
            with contextlib.suppress(ConnectionLost):
                await self._authenticate(self._connection)

    async def _keep_connected(self, http: aiohttp.ClientSession) -> None:
        try:
            while True:
                await self._connect(http)
                await asyncio.sleep(self._pause())
        except Exception as error:
            # A refusal that will not pass, or a token provider that failed: the callers are told, not a log.
            self._fail(error)

    async def _connect(self, http: aiohttp.ClientSession) -> None:
        """One connection, from its making to its end. Raises what trying again cannot mend."""
        self._attempts += 1
        try:
            token = await self._tokens.get()
            connection = await Connection.open(self._url, token, http, self._on_message, self.retry.ack_timeout)
        except BarberProError as refusal:
            self._refused(refusal)
        except _PASSING:
            pass  # the pause comes next
        else:
            try:
                await self._serve(connection)
            finally:
                await finish(connection.close())

    def _refused(self, refusal: BarberProError) -> None:
        verdict = judge(refusal, may_renew=self._tokens.renewable and not self._renewed)
        if verdict is Verdict.GIVE_UP:
            raise refusal
        if verdict is Verdict.RENEW_TOKEN:
            self._renewed = self._tokens.expire()

    async def _serve(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._stats.connects += 1
        self._connection, self._restart, self._renewed = connection, None, False
        self._ready.set()
        self.rooms.connected(connection)
        try:
            await connection.lost.wait()
        finally:
            self._connection = None
            self._ready.clear()
            self.rooms.disconnected()
        self._stats.cuts += 1
        if loop.time() - started >= _STEADY:
            self._attempts = 0

    def _pause(self) -> float:
        """Seconds until the next attempt: what a restarting server asked for, else the backoff."""
        announced, self._restart = self._restart, None
        if announced is not None:
            return restart_delay(*announced, asyncio.get_running_loop().time(), self.dice)
        return self.retry.delay(max(self._attempts, 1), self.dice)

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._ready.set()
        self.rooms.fail(error)

    def _on_message(self, event: str, message: dict[str, Any]) -> None:
        if event == "server_restarting":
            after = message.get("reconnectAfterMs")
            asked = float(after) if isinstance(after, int | float) else 0.0
            self._restart = (asyncio.get_running_loop().time(), asked)
        elif event == "session_expired":
            self._tokens.expire()
        elif event == "session_expiring":
            # A fixed token has nothing to follow it; the handshake after the cut is refused, and told.
            if self._tokens.renewable:
                self._spawn(self._renew_quietly())
        else:
            self.rooms.take(message)

    async def _renew_quietly(self) -> None:
        # When this fails the session expires, and the next handshake asks again and tells what is wrong.
        with contextlib.suppress(Exception):
            await self.renew_token()

    async def _authenticate(self, connection: Connection) -> dict[str, Any]:
        token = await self._tokens.get()
        return checked(await connection.call("authenticate", {"token": token}, self.retry.ack_timeout))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
