"""What is sent: any JSON, and commands that were right until somebody spoiled them. Holds no tests itself."""

import json
from typing import Final

import orjson
from hypothesis import strategies as st

from barberpro.protocol.commands import COMMAND_TYPES
from tests.support.commands import changed, paths, whole
from tests.support.shops import Json

DEEP: Final = "<deep>"
"""Stands for a list in a list in a list, as deep as orjson reads: Python itself could not even print it."""
_DEPTH: Final = 1000
_EDGES: Final = (
    "", " ", "\x00", "\n", "\u202e", "\ud800", "\udfff", "\ufeff", "\u0301", "\uffff", "\U0010ffff", "null",
    "__proto__", "٣", "²", "%00", "{}", "'; --", "x" * 64, "x" * 65, "é" * 501, "bk_1_1", "queue:bb_1", DEEP,
)  # fmt: skip
_EDGE_NUMBERS: Final = (
    -1, 0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63), 1e308, 5e-324, 1.0, -0.0,
    float("nan"), float("inf"),
)  # fmt: skip

texts: Final = st.sampled_from(_EDGES) | st.text(max_size=30)
_scalars: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(_EDGE_NUMBERS) | texts
anything: Final = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)
"""Any JSON, and a little more than that: NaN, halves of characters, integers of any size."""


def written(document: object) -> bytes:
    """As a client without scruples writes it; not all of it is JSON."""
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return text.replace(f'"{DEEP}"'.encode(), b"[" * _DEPTH + b"]" * _DEPTH)


def as_read(document: object) -> object:
    """The document as a door hands it on, after somebody has written it."""
    return read(written(document))


def read(sent: bytes) -> object:
    """What a door makes of it; None when it is no JSON."""
    try:
        return orjson.loads(sent)
    except orjson.JSONDecodeError:
        return None


def _spoiled(document: Json, path: tuple[str, ...], value: object) -> tuple[Json, tuple[str, ...]]:
    return changed(document, path, value), path


def spoil(document: Json) -> st.SearchStrategy[tuple[Json, tuple[str, ...]]]:
    """The document with one field changed, taken away or added; and that field's path."""
    known = st.sampled_from(list(paths(document)))
    unknown = texts.filter(lambda name: name not in document).map(lambda name: (name,))
    return st.builds(_spoiled, st.just(document), known, anything | st.just(...)) | st.builds(
        _spoiled, st.just(document), unknown, anything
    )


spoiled_commands: Final = st.sampled_from(COMMAND_TYPES).map(whole).flatmap(spoil)
commands: Final = (
    spoiled_commands.map(lambda spoiled: spoiled[0])
    | st.sampled_from(COMMAND_TYPES).map(whole)
    | st.dictionaries(st.sampled_from(["type", "commandId", "barberId", "bookingId", "expect", "x"]), anything)
)
"""Right ones, nearly right ones, and what hardly looks like one."""


Flips = list[tuple[int, int]]
flips: Final = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 7)), max_size=4)


def flipped(sent: bytes, flips: Flips) -> bytes:
    """The bytes, with some of their bits turned over."""
    spoiled = bytearray(sent)
    for at, bit in flips:
        if spoiled:
            spoiled[at % len(spoiled)] ^= 1 << bit
    return bytes(spoiled)
