"""Rows of an export on their way: lines of a file, what they say, and what has become of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Generic, TypeVar

from barberpro.domain.importing.documents import Fields, NotTakenError, digest_of, fields_of
from barberpro.storage.imports import Problem

What = TypeVar("What")

_LONGEST: Final = 1 << 20
"""Bytes of a line: Firestore's own limit of a document."""
_MOST_BYTES: Final = 8 << 20
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Row(Generic[What]):
    """One line. read: what it comes to; None when it is not taken, for the reason in `refusal`."""

    line: int
    digest: bytes
    fields: Fields | None = None
    read: What | None = None
    refusal: NotTakenError | None = None

    @property
    def source_id(self) -> str:
        """The document's id, or "" where it could not be read."""
        return (self.fields.source_id or "") if self.fields is not None else ""

    def refuse(self, refusal: NotTakenError) -> None:
        self.read, self.refusal = None, refusal

    def problems(self) -> Iterator[Problem]:
        name = self.source_id or None
        if self.refusal is not None:
            yield Problem(self.line, name, self.refusal.field, self.refusal.reason, taken=False)
        for each in self.fields.problems if self.fields is not None and self.refusal is None else ():
            yield Problem(self.line, name, each.field, each.reason, taken=True)


@dataclass(slots=True)
class Place:
    """How far a file has been read: bytes, and lines."""

    offset: int = 0
    line: int = 0


@dataclass(slots=True)
class Lines:
    """Some lines with their numbers, and the place behind them."""

    lines: list[tuple[int, bytes]] = field(default_factory=list)
    behind: Place = field(default_factory=Place)


def read_lines(path: Path, after: Place, most: int) -> Lines:
    """The next lines, `most` of them or as many as fit into memory; empty ones are left out. Blocking.

    A line that is too long comes as one that is no JSON: its beginning.
    """
    read, size = Lines(behind=Place(after.offset, after.line)), 0
    with path.open("rb") as file:
        file.seek(after.offset)
        while len(read.lines) < most and size < _MOST_BYTES and (line := _line(file)):
            read.behind.line += 1
            size += len(line)
            if read.behind.line == 1:
                line = line.removeprefix(_BOM)
            if line.strip():
                read.lines.append((read.behind.line, line))
        read.behind.offset = file.tell()
    return read


def _line(file: BinaryIO) -> bytes:
    line = file.readline(_LONGEST)
    rest = line
    while len(rest) == _LONGEST and not rest.endswith(b"\n"):
        rest = file.readline(_LONGEST)
    return line


def parse(lines: Lines, inside: tuple[str, ...], read: Callable[[Fields], What]) -> list[Row[What]]:
    """Blocking, for a while."""
    rows = []
    for number, line in lines.lines:
        row: Row[What] = Row(number, digest_of(line))
        try:
            row.fields = fields_of(line, inside)
            row.read = read(row.fields)
        except NotTakenError as refusal:
            row.refuse(refusal)
        rows.append(row)
    return rows
