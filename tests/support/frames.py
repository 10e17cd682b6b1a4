"""A client's WebSocket frames. Holds no tests itself."""

from typing import Final

from barberpro.protocol.frames import Opcode, frame

_MASK: Final = b"\x01\x80\xff\x00"


def masked(opcode: int, payload: bytes, *, fin: bool = True, reserved: int = 0) -> bytes:
    """One frame, as a client sends it. reserved: bits that only extensions set."""
    whole = frame(Opcode.TEXT, payload)
    head = whole[: len(whole) - len(payload)]
    first = (0x80 if fin else 0) | reserved | opcode
    body = bytes(byte ^ _MASK[at % 4] for at, byte in enumerate(payload))
    return bytes([first, head[1] | 0x80]) + head[2:] + _MASK + body
