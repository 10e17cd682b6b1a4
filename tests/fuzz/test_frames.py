"""Bytes on a WebSocket: what they mean does not depend on how they are cut; nothing is raised but FrameError."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from barberpro.protocol.frames import ClientFrames, FrameError, Opcode
from tests.fuzz.documents import flipped, flips
from tests.fuzz.effort import examples
from tests.support.frames import masked

LIMIT = 200
OPCODES = st.integers(0, 15)
FRAMES = st.builds(
    masked, OPCODES, st.binary(max_size=LIMIT + 10), fin=st.booleans(), reserved=st.sampled_from([0, 0, 0, 0x40])
)
RIGHT = st.builds(masked, st.sampled_from(list(Opcode)), st.binary(max_size=90), fin=st.booleans())
streams = st.builds(flipped, st.lists(RIGHT | FRAMES, max_size=6).map(b"".join), flips) | st.binary(max_size=300)


def outcome(chunks: list[bytes]) -> tuple[list[tuple[Opcode, bytes]], int | None]:
    """The messages that come of these bytes, and the code of the error that ends them."""
    frames, messages = ClientFrames(LIMIT), []
    try:
        for chunk in chunks:
            for message in frames.feed(chunk):
                messages.append(message)  # noqa: PERF402 - those before an error count, too
    except FrameError as error:
        return messages, error.code
    return messages, None


def cut(sent: bytes, places: set[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(sent) + 1) for place in places), len(sent)]
    return [sent[begin:end] for begin, end in pairwise(at)]


@examples(400)
@given(streams, st.sets(st.integers(0, 2**16), max_size=12))
def test_what_bytes_mean_does_not_depend_on_how_they_are_cut(sent: bytes, places: set[int]) -> None:
    told = outcome([sent])
    assert outcome(cut(sent, places)) == told
    assert outcome([bytes([byte]) for byte in sent]) == told


@examples(200)
@given(streams)
def test_no_message_is_larger_than_is_allowed(sent: bytes) -> None:
    messages, code = outcome([sent])
    assert code in {None, 1002, 1009}
    assert all(len(payload) <= LIMIT for _, payload in messages)
