"""One Socket.IO connection, from its handshake to its end.

python-socketio's client is kept to framing and heartbeats. It is not asked to reconnect, nor to `call`: its
own call goes on waiting after the connection is gone, and a message sent while it closes is dropped silently.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import aiohttp
import orjson
import socketio
import socketio.exceptions
from socketio.packet import Packet

from barberpro.clients.python.closing import finish
from barberpro.clients.python.errors import ConnectionLost, error_from_wire
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.rooms import EVENT_OF_ROOM

_LOG: Final = logging.getLogger("barberpro.client.transport")
_LOG.addHandler(logging.NullHandler())  # or Python prints the library's words about every cut to stderr
_LARGEST_MESSAGE: Final = 16 * 1024 * 1024
_SILENT_TIMEOUTS: Final = 2
_GOODBYE: Final = 1.0
"""Seconds that a peer gets to answer a farewell."""

_NOTICES: Final = ("session_expiring", "session_expired", "server_restarting")

OnMessage = Callable[[str, dict[str, Any]], None]


class _Orjson:
    """What python-socketio asks of a json module."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value: object, **_options: object) -> str:
        return orjson.dumps(value).decode()


class _OrjsonPacket(Packet):  # type: ignore[misc]  # the library ships no types
    """A packet class of our own: the library's `json` option would change it for the whole process."""

    json = _Orjson


class _Dialer:
    """Stands in for the library's HTTP session and remembers its socket, which the library may leave open."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.closed = False
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def ws_connect(self, url: str, **options: Any) -> aiohttp.ClientWebSocketResponse:  # noqa: ANN401 - the library's
        self.socket = await self._http.ws_connect(url, max_msg_size=_LARGEST_MESSAGE, **options)
        return self.socket


class Connection:
    """Made by `open`. `lost` is set once, when the connection has ended for whatever reason."""

    def __init__(self, http: aiohttp.ClientSession, on_message: OnMessage, seconds: float) -> None:
        self.lost = asyncio.Event()
        self._dialer = _Dialer(http)
        self._on_message = on_message
        self._refusal: BarberProError | None = None
        self._pending: set[asyncio.Future[Any]] = set()
        self._silent_timeouts = 0
        self._socket = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            serializer=_OrjsonPacket,
            http_session=self._dialer,
            request_timeout=seconds,
            logger=_LOG,
            engineio_logger=_LOG,
        )
        for event in (*EVENT_OF_ROOM.values(), *_NOTICES):
            self._socket.on(event, partial(self._deliver, event))
        self._socket.on("connect_error", self._refused)
        self._socket.on("disconnect", lambda _reason: self._end())

    @classmethod
    async def open(
        cls, url: str, token: str, http: aiohttp.ClientSession, on_message: OnMessage, seconds: float
    ) -> "Connection":
        """Connect and be let in, within `seconds`.

        Raises BarberProError when the server refuses, ConnectionLost when there is no talking to it.
        """
        connection = cls(http, on_message, seconds)
        try:
            async with asyncio.timeout(seconds):
                await connection._dial(url, token, seconds)
        except TimeoutError as error:
            await finish(connection.close())
            raise ConnectionLost("the handshake took too long") from error
        except BaseException:
            await finish(connection.close())
            raise
        return connection

    async def _dial(self, url: str, token: str, seconds: float) -> None:
        try:
            await self._socket.connect(
                url, auth={"token": token}, transports=["websocket"], namespaces=["/"], wait_timeout=seconds
            )
        except Exception as error:
            # Not only its own exceptions: a first frame that is no OPEN packet fails inside the library.
            if self._refusal is not None:
                raise self._refusal from None
            raise ConnectionLost(f"could not connect: {error}") from error
        reader = self._socket.eio.read_loop_task
        if reader is None or reader.done():
            raise ConnectionLost("the server hung up at once")
        reader.add_done_callback(lambda _task: self._end())

    async def call(self, event: str, data: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send, and wait `seconds` for the ack. Raises ConnectionLost: then the outcome is unknown."""
        if self.lost.is_set():
            raise ConnectionLost("the connection has ended")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending.add(answer)
        try:
            async with asyncio.timeout(seconds):
                await self._socket.emit(event, data, callback=partial(self._answered, answer))
                ack = await answer
        except TimeoutError as error:
            self._count_silence()
            raise ConnectionLost(f"no answer to {event} within {seconds:.1f} s") from error
        except socketio.exceptions.SocketIOError as error:
            raise ConnectionLost(str(error)) from error
        finally:
            self._pending.discard(answer)
        return ack if isinstance(ack, dict) else {}

    async def close(self) -> None:
        """End the connection and everything the library started for it. May be called twice."""
        self._end()
        engine = self._socket.eio
        with contextlib.suppress(Exception):  # it is going away; how it fails is of no interest
            async with asyncio.timeout(_GOODBYE):
                await self._socket.disconnect()
        tasks = [task for task in (engine.read_loop_task, engine.write_loop_task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._dialer.socket is not None:
            with contextlib.suppress(Exception):  # when time is up, aiohttp drops the transport
                async with asyncio.timeout(_GOODBYE):
                    await self._dialer.socket.close()

    def _answered(self, answer: asyncio.Future[Any], *values: object) -> None:
        self._silent_timeouts = 0
        if not answer.done():
            answer.set_result(values[0] if values else None)

    def _deliver(self, event: str, *values: object) -> None:
        self._silent_timeouts = 0
        message = values[0] if values else {}
        self._on_message(event, message if isinstance(message, dict) else {})

    def _refused(self, *values: object) -> None:
        document = values[0] if values else None
        data = document.get("data") if isinstance(document, dict) else None
        # Without a code it is no refusal of ours, but a proxy or a library speaking; that may pass.
        if isinstance(data, dict) and "code" in data:
            self._refusal = error_from_wire(data)

    def _count_silence(self) -> None:
        """A peer that answers nothing and says nothing is gone, long before the heartbeat notices."""
        self._silent_timeouts += 1
        if self._silent_timeouts >= _SILENT_TIMEOUTS:
            self._end()

    def _end(self) -> None:
        self.lost.set()
        for answer in self._pending:
            if not answer.done():
                answer.set_exception(ConnectionLost("the connection was cut"))
        self._pending.clear()


def checked(ack: dict[str, Any]) -> dict[str, Any]:
    """The ack, when it says ok. Raises the BarberProError that it tells otherwise."""
    if ack.get("ok") is True:
        return ack
    raise error_from_wire(ack.get("error"))
