"""WebSocket frames (RFC 6455), without I/O: a server's frames made, a client's bytes taken apart into messages.

No extension is negotiated, so none is understood. A message's text is not decoded: whoever reads its JSON checks that.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

_FIN: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_CONTROL_BYTES: Final = 125
_REASON_BYTES: Final = 123


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_KNOWN: Final = frozenset(Opcode)


class FrameError(Exception):
    """What came is no WebSocket; code: with which the connection is closed (section 7.4.1)."""

    def __init__(self, code: int, problem: str) -> None:
        super().__init__(problem)
        self.code = code


PROTOCOL_ERROR: Final = 1002
TOO_LARGE: Final = 1009


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole, unmasked frame (section 5.2)."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b" % (_FIN | opcode, size, payload)
    if size < 65_536:
        return struct.pack("!BBH", _FIN | opcode, 126, size) + payload
    return struct.pack("!BBQ", _FIN | opcode, 127, size) + payload


def text_frame(payload: bytes) -> bytes:
    return frame(Opcode.TEXT, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """The reason is cut to what a control frame holds."""
    told = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
    return frame(Opcode.CLOSE, struct.pack("!H", code) + told.encode())


def may_be_told(code: bytes) -> bool:
    """Whether a close frame may carry this code (section 7.4), as it came in one."""
    number = int.from_bytes(code, "big")
    return len(code) == 2 and (1000 <= number < 1015 or 3000 <= number < 5000) and number not in _NEVER_SENT


_NEVER_SENT: Final = frozenset({1004, 1005, 1006})


class ClientFrames:
    """The messages in what one client sends, in whatever pieces it comes."""

    __slots__ = ("_fragments", "_limit", "_missing", "_opcode", "_rest", "_size")

    def __init__(self, limit: int) -> None:
        """limit: bytes of a message."""
        self._limit = limit
        self._rest = bytearray()
        self._missing = 0
        """Bytes without which there is nothing new to be found in the rest."""
        self._opcode: Opcode | None = None
        self._fragments: list[bytes] = []
        """Of the message that has begun, whose kind is opcode; size: their bytes together."""
        self._size = 0

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """The messages and control frames that are whole now. Raises FrameError; then nothing more may be fed."""
        if self._rest:
            self._rest += data
            self._missing -= len(data)
            if self._missing > 0:
                return
            data, self._rest = bytes(self._rest), bytearray()
        at = 0
        while (found := self._frame(data, at)) is not None:
            first, payload, at = found
            message = self._message(first, payload)
            if message is not None:
                yield message
        if at < len(data):
            self._rest = bytearray(data[at:] if at else data)

    def _frame(self, data: bytes, at: int) -> tuple[int, bytes, int] | None:
        """The frame that begins at `at`: its first byte, its payload, and where the next one begins."""
        there = len(data) - at
        if there < 2:
            self._missing = 1
            return None
        first, size = data[at], data[at + 1] & 127
        if not data[at + 1] & _MASKED or first & _RESERVED or first & 15 not in _KNOWN:
            raise FrameError(PROTOCOL_ERROR, "The frame is not masked, or of an extension that was not agreed on.")
        start = at + 2
        if size > _CONTROL_BYTES:
            width = 2 if size == 126 else 8
            start += width
            size = int.from_bytes(data[at + 2 : start], "big") if there >= 2 + width else 0
        end = start + _MASK_BYTES + size
        self._check(first, size)
        if end > len(data):
            self._missing = end - len(data)
            return None
        mask, payload = data[start : start + _MASK_BYTES], data[start + _MASK_BYTES : end]
        return first, _unmasked(payload, mask), end

    def _check(self, first: int, size: int) -> None:
        if first & 8:
            if size > _CONTROL_BYTES or not first & _FIN:
                raise FrameError(PROTOCOL_ERROR, "A control frame is too long, or in pieces.")
        elif (first & 15 == Opcode.CONTINUATION) != (self._opcode is not None):
            raise FrameError(PROTOCOL_ERROR, "A piece of a message that has not begun, or one message in another.")
        elif self._size + size > self._limit:
            raise FrameError(TOO_LARGE, f"A message has more than {self._limit} bytes.")

    def _message(self, first: int, payload: bytes) -> tuple[Opcode, bytes] | None:
        opcode = Opcode(first & 15)
        if opcode >= Opcode.CLOSE:
            return opcode, payload
        if self._opcode is None and first & _FIN:
            return opcode, payload
        if self._opcode is None:
            self._opcode = opcode
        self._fragments.append(payload)
        self._size += len(payload)
        if len(self._fragments) > _FRAGMENTS:
            raise FrameError(PROTOCOL_ERROR, f"A message is in more than {_FRAGMENTS} pieces.")
        if not first & _FIN:
            return None
        whole = self._opcode, b"".join(self._fragments)
        self._opcode, self._fragments, self._size = None, [], 0
        return whole


_FRAGMENTS: Final = 1024
"""Pieces of a message: empty ones would cost memory without bound."""


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """Section 5.3, all bytes at once."""
    size = len(payload)
    key = (mask * (size // _MASK_BYTES + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")
