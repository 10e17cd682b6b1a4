"""A client's bytes become messages, however they are cut; and whatever is no WebSocket ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.protocol.frames import ClientFrames, FrameError, Opcode, close_frame, text_frame
from tests.support.frames import masked

LIMIT = 70_000
PIECES = st.lists(st.binary(max_size=300), min_size=1, max_size=4)
PINGS = st.lists(st.binary(max_size=125), max_size=2)


def fed(*chunks: bytes) -> list[tuple[Opcode, bytes]]:
    frames = ClientFrames(LIMIT)
    return [message for chunk in chunks for message in frames.feed(chunk)]


@given(st.lists(st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY]), PIECES, PINGS), max_size=5), st.data())
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    messages: list[tuple[Opcode, list[bytes], list[bytes]]], data: st.DataObject
) -> None:
    sent, expected = b"", []
    for opcode, pieces, pings in messages:
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            sent += masked(opcode if number == 0 else Opcode.CONTINUATION, piece, fin=last)
            if not last:  # control frames may come between the pieces of a message
                sent += b"".join(masked(Opcode.PING, ping) for ping in pings)
                expected += [(Opcode.PING, ping) for ping in pings]
        expected.append((opcode, b"".join(pieces)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=8)))
    assert fed(*(sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True))) == expected


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_every_form_of_a_length_is_read_byte_by_byte(size: int) -> None:
    payload = bytes(size)
    sent = masked(Opcode.TEXT, payload)
    assert fed(*(sent[at : at + 1] for at in range(20)), sent[20:]) == [(Opcode.TEXT, payload)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (text_frame(b"{}"), 1002),
        (masked(Opcode.TEXT, b"{}", reserved=0x40), 1002),
        (masked(3, b"{}"), 1002),
        (masked(11, b"{}"), 1002),
        (masked(Opcode.PING, b"", fin=False), 1002),
        (masked(Opcode.PING, bytes(126)), 1002),
        (masked(Opcode.CONTINUATION, b"{}"), 1002),
        (masked(Opcode.TEXT, b"{", fin=False) + masked(Opcode.TEXT, b"}"), 1002),
        (masked(Opcode.TEXT, b"", fin=False) + 1024 * masked(Opcode.CONTINUATION, b"", fin=False), 1002),
        (masked(Opcode.TEXT, bytes(LIMIT + 1)), 1009),
        (masked(Opcode.TEXT, bytes(LIMIT), fin=False) + masked(Opcode.CONTINUATION, b"x"), 1009),
        (b"\x81\xff" + 8 * b"\xff", 1009),
    ],
)
def test_what_is_no_websocket_is_refused(sent: bytes, code: int) -> None:
    with pytest.raises(FrameError) as refused:
        fed(sent)
    assert refused.value.code == code


def test_a_frame_that_is_too_large_is_refused_by_its_head() -> None:
    with pytest.raises(FrameError):
        fed(masked(Opcode.TEXT, bytes(LIMIT + 1))[:14])


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_bytes_at_all_do_anything_else(one: bytes, other: bytes) -> None:
    try:
        messages = fed(one, other)
    except FrameError:
        return
    assert sum(len(payload) for _, payload in messages) <= len(one + other)


def test_a_close_frame_keeps_its_reason_short_and_whole() -> None:
    closing = close_frame(4400, "é" * 100)
    assert closing[:4] == b"\x88\x7c\x11\x30"
    assert closing[4:].decode() == "é" * 61
