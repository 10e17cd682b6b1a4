"""The ways in to the server for Locust's greenlets: Socket.IO, WebSocket, REST and Server-Sent Events.

Locust has patched the standard library, so what blocks here lets others run.
"""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
import gevent.event
import orjson

from loadtests.bench.askers import Asker
from loadtests.bench.sockets import Way

Json = dict[str, Any]
OnUpdate = Callable[[Json], object]

_SECONDS: Final = 30.0
_UPDATES: Final = frozenset({"queue_updated", "booking_updated", "display_updated"})


class Refused(Exception):
    """The server answered with an error of the contract."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code = str(error.get("code"))


class _Wire:
    """A connected socket, as the light client asks of a transport."""

    def __init__(self, tcp: socket.socket) -> None:
        self._tcp = tcp

    def write(self, data: bytes) -> None:
        self._tcp.sendall(data)

    def get_extra_info(self, _name: str) -> socket.socket:
        return self._tcp

    def is_closing(self) -> bool:
        return self._tcp.fileno() < 0

    def abort(self) -> None:
        self._tcp.close()


class Line(Asker):
    """The benchmarks' light client, driven by a greenlet: one connection over Socket.IO or raw WebSocket.

    `on_update` is given every state that the server sends of itself. A library's client costs Locust several greenlets
    a user, and hands each message from one to another; the figures would be of that, too.
    """

    def __init__(self, way: Way, token: str, on_update: OnUpdate) -> None:
        """Connects, and waits to be let in. Raises OSError."""
        super().__init__(way, token, _nobody)
        self._on_update = on_update
        tcp = socket.create_connection((way.host, way.port), timeout=_SECONDS)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tcp.settimeout(None)
        self.connection_made(_Wire(tcp))  # type: ignore[arg-type]  # it does all that is asked of one here
        self._reader = gevent.spawn(self._read, tcp)
        self._wait(self.ready)

    def call(self, event: str, document: Json) -> Json:
        """The answer to a request. Raises Refused, and OSError when none comes."""
        answer: Json = self._wait(self.ask(document, event))
        if answer.get("ok") is not True:
            raise Refused(answer["error"])
        return answer

    def lost(self) -> None:
        """Waits until the server hangs up."""
        self._reader.join()

    def close(self) -> None:
        self.abort()
        self._reader.kill(block=False)

    @staticmethod
    def _promise() -> Any:  # noqa: ANN401 - gevent ships no types
        return gevent.event.AsyncResult()

    @staticmethod
    def _wait(promise: Any) -> Any:  # noqa: ANN401 - as above
        try:
            return promise.get(timeout=_SECONDS)
        except gevent.Timeout:
            raise TimeoutError(f"no answer within {_SECONDS:g} s") from None

    def _read(self, tcp: socket.socket) -> None:
        try:
            while data := tcp.recv(65_536):
                self.data_received(data)
        except OSError:
            pass  # hung up, by whichever side
        finally:
            self.connection_lost(None)

    def _told(self, payload: bytes) -> None:
        if payload.startswith((b"43", b'{"event":"ack"')):
            super()._told(payload)
        elif payload.startswith(b"42"):
            event, message = orjson.loads(payload[2:])
            if event in _UPDATES:
                self._on_update(message)
        else:
            message = orjson.loads(payload)
            if message["event"] == "subscribed":
                self._on_update(message["state"])
            elif message["event"] in _UPDATES:
                self._on_update(message)


def _nobody() -> None:
    """Whoever uses the line is told by its calls."""


def way_to(host: str, path: str | None = None) -> Way:
    """Into the server at http://host:port: by Socket.IO, or by raw WebSocket when there is a path."""
    parts = urlsplit(host)
    assert parts.hostname is not None
    return Way("websocket" if path else "socketio", parts.port or 80, path or "/", host=parts.hostname)


class GuestDoor:
    """REST and a stream, as a browser without an app has them."""

    def __init__(self, host: str) -> None:
        self._host = urlsplit(host).netloc

    def post(self, path: str, token: str, document: Json) -> Json:
        """The answer's `data`. Raises Refused."""
        connection = http.client.HTTPConnection(self._host, timeout=_SECONDS)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(document), headers)
            answer: Json = orjson.loads(connection.getresponse().read())
        finally:
            connection.close()
        if not answer["success"]:
            raise Refused(answer["error"])
        data: Json = answer["data"]
        return data

    def stream(self, query: str, token: str) -> Iterator[Json]:
        """The states of a room. Raises OSError when none comes for long."""
        connection = http.client.HTTPConnection(self._host, timeout=_SECONDS)
        try:
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
            connection.request("GET", f"/api/v1/queue/stream?{query}", headers=headers)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise Refused(orjson.loads(response.read())["error"])
            event = b""
            for line in response:
                if line.startswith(b"event: "):
                    event = line[7:].strip()
                elif line.startswith(b"data: ") and event.endswith(b"_updated"):
                    yield orjson.loads(line[6:])
        finally:
            connection.close()
