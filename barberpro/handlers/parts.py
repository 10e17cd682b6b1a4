"""The files of the pages, ready to be sent: packed, and named by what is in them.

All parts have one build, a hash of all of them, and pages name their parts by it: /static/<build>/display.js. So such a
part may be kept for ever, a module's relative imports lead into the same build, and a page is never made of parts of
two.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

_WEB: Final = files("barberpro.clients") / "web"
_TYPES: Final = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
_PACKED: Final = frozenset({"html", "js", "css", "json", "svg", "webmanifest"})
_NAMING: Final = ("html", "webmanifest", "sw.js")
"""Whose references to parts are made to name the build: modules name each other relatively."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file. packed: its body in gzip, for those that are the smaller for it. etag: as in the header."""

    kind: str
    body: bytes
    packed: bytes | None
    etag: str

    @classmethod
    def of(cls, name: str, body: bytes) -> "Part":
        packed = gzip.compress(body, mtime=0) if _ending(name) in _PACKED else None
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return cls(_TYPES[_ending(name)], body, packed if packed and len(packed) < len(body) else None, etag)


@dataclass(frozen=True, slots=True)
class Parts:
    """All of them, by name."""

    build: str
    by_name: Mapping[str, Part]

    @classmethod
    def of(cls, bodies: Mapping[str, bytes]) -> "Parts":
        whole = hashlib.sha256()
        for name in sorted(bodies):
            whole.update(name.encode() + b"\0" + bodies[name] + b"\0")
        build = whole.hexdigest()[:12]
        named = f"/static/{build}/".encode()
        return cls(
            build,
            {
                name: Part.of(name, body.replace(b"/static/", named) if name.endswith(_NAMING) else body)
                for name, body in bodies.items()
            },
        )


def read_parts() -> Parts:
    """The pages and their parts. They are few and small: read once, kept. Blocking."""
    return Parts.of({part.name: part.read_bytes() for part in _WEB.iterdir() if _ending(part.name) in _TYPES})


def is_there(name: str) -> bool:
    """Whether there is a file of that name. Blocking."""
    return (_WEB / name).is_file()


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
