"""A Socket.IO client's WebSocket, in the shape that python-engineio asks of its driver, on a connection taken over.

The library reads frame by frame and writes its own packets. What there is most of goes past it: ready frames of rooms
(socketio_outlet.py), and commands, for each of which the library would make four tasks and encode two packets.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import orjson
import structlog
from aiohttp import WSCloseCode, web
from engineio import packet
from engineio.async_drivers import aiohttp as driver

from barberpro.handlers.realtime.handshake import accepted, gone, take_over
from barberpro.handlers.realtime.wire import Wire
from barberpro.protocol.frames import FrameError, Opcode, text_frame

log = structlog.get_logger(__name__)

FROM_CLIENTS: Final = frozenset({packet.CLOSE, packet.PONG, packet.MESSAGE, packet.UPGRADE})
_FRAMES_BEGIN: Final = frozenset({*(b"%d" % kind for kind in FROM_CLIENTS), b"%d" % packet.PING})
"""The types of packets in text frames: a client that changes to a websocket tries it out with a ping."""
_UPGRADE: Final = b"%d" % packet.UPGRADE
_COMMAND: Final = re.compile(rb'42(\d{1,15})(?=\["command",)')
"""A command that asks for an acknowledgement, on the namespace /."""
Command = Callable[[int, object, Wire], None]
"""Gets the acknowledgement's number, what the command says, and where it came from."""
_WAITING: Final = 64
"""Frames that the library has not asked for; with more, nothing is read from the client."""


class EngineWire(driver.WebSocket):  # type: ignore[misc]  # the library ships no types
    """A frame that is no packet closes it.

    It leaves its wire with the Engine.IO socket that it is for: at once, or when that has changed over from polling.
    """

    async def __call__(self, environ: dict[str, Any]) -> web.StreamResponse:
        """What the handler of the request is to return; the library's own handler runs on by itself."""
        request: web.Request = environ["aiohttp.request"]
        self._engine_socket: Any = self.handler.__self__
        self._frames: deque[str | bytes] = deque()
        self._news: asyncio.Future[None] | None = None
        self._over = False
        limit = self.server.max_http_buffer_size
        self.wire = Wire(self, "socketio", self.server.congestion, limit)
        if not self._engine_socket.connected:
            self._engine_socket.wire = self.wire
        answer = accepted(request)
        try:
            response = take_over(request, answer, self.wire)
        except ConnectionResetError:
            if not self._engine_socket.connected:
                await self._engine_socket.close(wait=False, abort=True)
            return gone()
        self._task = asyncio.create_task(self._serve())
        return response

    async def _serve(self) -> None:
        engine_socket = self._engine_socket
        try:
            await self.handler(self)
        except OSError:
            log.debug("engineio_cut_while_it_changed")  # from polling: that goes on
        except Exception:
            log.exception("engineio_handler_failed")
        finally:
            # Had it been cut in the middle of the change, the library would answer every poll at once with nothing.
            engine_socket.upgrading = False
            if engine_socket.closed:
                self.server.sockets.pop(engine_socket.sid, None)
            self.wire.close(WSCloseCode.OK, "")

    # What the library asks for -----------------------------------------------------------------------------------

    async def wait(self) -> str | bytes | None:
        """The next frame. When the connection has ended: None, or OSError for a change from polling that was cut."""
        while not self._frames:
            if self._over and self._engine_socket.upgraded:
                # An exception and the library's frame would hold each other, and with them all of the connection.
                return None
            if self._over:
                raise ConnectionResetError("the connection has ended")
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        frame = self._frames.popleft()
        if len(self._frames) == _WAITING:
            self.wire.listen(on=True)
        return frame

    async def send(self, message: str | bytes) -> None:
        """One of the library's own packets: an acknowledgement, a ping. Raises OSError as `wait` does."""
        if self.wire.closing:
            raise ConnectionResetError("the connection has ended")
        self.wire.outlet.send(text_frame(message.encode() if isinstance(message, str) else message))

    async def close(self) -> None:
        self.wire.close(WSCloseCode.OK, "")

    # What the wire tells -------------------------------------------------------------------------------------------

    def heard(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.BINARY:
            self._take(payload)
        elif payload == _UPGRADE and self._engine_socket.upgraded:
            self._refuse(WSCloseCode.PROTOCOL_ERROR, "another websocket was faster")
        elif payload[:1] in _FRAMES_BEGIN:
            if payload == _UPGRADE:
                self._engine_socket.wire = self.wire
            if not self._commanded(payload):
                try:
                    self._take(payload.decode())
                except UnicodeDecodeError:
                    self._refuse(WSCloseCode.INVALID_TEXT, "no text")
        else:
            self._refuse(WSCloseCode.PROTOCOL_ERROR, "no Engine.IO packet")

    def _commanded(self, payload: bytes) -> bool:
        """Whether it was a command of a client that has come in. The library is left all else, what is no JSON, too."""
        command: Command | None = getattr(self._engine_socket, "command", None)
        asked = _COMMAND.match(payload) if command is not None and self._engine_socket.upgraded else None
        if command is None or asked is None:
            return False
        try:
            _, document, *_ = orjson.loads(payload[asked.end() :])
        except (orjson.JSONDecodeError, ValueError):
            return False
        command(int(asked.group(1)), document, self.wire)
        return True

    def broken(self, error: FrameError) -> None:
        self._refuse(error.code, str(error))

    def ended(self) -> None:
        self._over = True
        self._wake()

    def _refuse(self, code: int, reason: str) -> None:
        log.info("engineio_frame_refused", reason=reason)
        self.wire.close(code, reason)
        self.ended()  # as far as the library is concerned, which finds it closed and tidies up

    def _take(self, frame: str | bytes) -> None:
        self._frames.append(frame)
        if len(self._frames) == _WAITING + 1:
            self.wire.listen(on=False)
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
