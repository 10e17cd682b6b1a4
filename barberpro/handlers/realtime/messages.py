"""A message to the clients of a room, as the bytes that each door's sockets are given.

A server's frames are not masked, so they are the same for everybody: each form is made once, when the first asks for
it.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import orjson

from barberpro.protocol.frames import text_frame

_SOCKETIO_EVENT: Final = b"42"
"""Engine.IO's message, and in it Socket.IO's event on the namespace /."""


class Message:
    """An event by name with its document, a JSON object that is not empty."""

    def __init__(self, event: str, document: Mapping[str, Any]) -> None:
        self.event = event
        self.document = document

    @cached_property
    def json(self) -> bytes:
        return orjson.dumps(self.document)

    @cached_property
    def websocket(self) -> bytes:
        """A frame of the WebSocket door: the document with its event's name in it."""
        return text_frame(b'{"event":"%b",%b' % (self.event.encode(), self.json[1:]))

    @cached_property
    def socketio_packet(self) -> str:
        """A Socket.IO packet without Engine.IO's own letter, for clients that poll."""
        return f'2["{self.event}",{self.json.decode()}]'

    @cached_property
    def socketio(self) -> bytes:
        """A frame for a Socket.IO client on a websocket."""
        return text_frame(b'%b["%b",%b]' % (_SOCKETIO_EVENT, self.event.encode(), self.json))

    @cached_property
    def sse(self) -> bytes:
        """An event of a text/event-stream, as a chunk of a chunked body. A state brings its place as the event's id."""
        place = b""
        if "epoch" in self.document and "seq" in self.document:
            place = b"id: %d:%d\n" % (self.document["epoch"], self.document["seq"])
        return chunk(b"event: %b\n%bdata: %b\n\n" % (self.event.encode(), place, self.json))


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked HTTP body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
