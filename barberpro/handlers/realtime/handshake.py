"""The WebSocket handshake, and taking the connection over from aiohttp once it is done (RFC 6455, section 4.2).

aiohttp keeps a request, its parser and the handler's stack, middlewares and all, for as long as a WebSocket is open:
half of what an idle connection costs. Once the handshake is answered, none of it is needed.
"""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from aiohttp import hdrs, web

from barberpro.protocol.errors import bad_field

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES: Final = 16


def accepted(request: web.Request, protocols: Sequence[str] = ()) -> bytes:
    """The answer to a handshake. protocols: those that the server speaks; the first that the client offers is taken.

    Extensions are declined, compression among them. Raises BAD_REQUEST, naming the header.
    """
    headers = request.headers
    if headers.get(hdrs.UPGRADE, "").strip().lower() != "websocket":
        raise bad_field(hdrs.UPGRADE, "is not websocket")
    if "upgrade" not in _listed(headers.get(hdrs.CONNECTION, "").lower()):
        raise bad_field(hdrs.CONNECTION, "is not Upgrade")
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION, "").strip() != "13":
        raise bad_field(hdrs.SEC_WEBSOCKET_VERSION, "is not 13")
    key = headers.get(hdrs.SEC_WEBSOCKET_KEY, "").strip()
    if not _is_key(key):
        raise bad_field(hdrs.SEC_WEBSOCKET_KEY, "is not 16 bytes in base64")
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        f"{hdrs.UPGRADE}: websocket",
        f"{hdrs.CONNECTION}: Upgrade",
        f"{hdrs.SEC_WEBSOCKET_ACCEPT}: {base64.b64encode(digest).decode()}",
    ]
    offered = _listed(headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, ""))
    lines += [f"{hdrs.SEC_WEBSOCKET_PROTOCOL}: {name}" for name in offered if name in protocols][:1]
    return "\r\n".join([*lines, "", ""]).encode()


class Successor(Protocol):
    """An asyncio protocol that a connection may be given to."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...

    def began(self, behind: bytes) -> None:
        """behind: what the client sent right behind its handshake. It comes before whatever is received later."""
        ...


def take_over(request: web.Request, answer: bytes, wire: Successor) -> web.StreamResponse:
    """Gives the request's connection to `wire`, and writes the answer. What this returns, the handler returns.

    Raises ConnectionResetError when the client has gone: then the handler returns `gone()`.
    """
    handler, transport = request.protocol, request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    behind = _Behind()
    handler.set_parser(behind)  # type: ignore[arg-type]  # it is no reader of frames, but takes what one would be given
    # As far as aiohttp is concerned, the connection is lost here; it must not close what it no longer has.
    handler.transport = None
    handler.connection_lost(None)
    transport.set_protocol(cast("asyncio.Protocol", wire))
    wire.connection_made(transport)
    transport.write(answer)
    wire.began(bytes(behind.data))
    return _TakenOver(status=101)


def gone() -> web.StreamResponse:
    """For a client that did not wait for the answer. It is no error of ours, and is counted as none."""
    return web.Response(status=499)


class _Behind:
    """What the client sent right behind its handshake."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """The connection is lost, as aiohttp sees it."""


class _TakenOver(web.StreamResponse):
    """An answer that was given already."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """There is nothing left to send."""

    async def write_eof(self, data: Any = b"") -> None:  # noqa: ANN401 - as in the class above it
        """There is nothing left to end."""


def _listed(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except ValueError:  # what is no base64, or not even ASCII
        return False
