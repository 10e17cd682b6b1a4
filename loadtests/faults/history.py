"""What happened in a run, as a file of JSON lines that a checker can read again.

`at` is in seconds since 1970 by one clock of one process, which only goes forwards; so all lines are in order, and can
be set beside the times that Postgres keeps on the same machine. The kinds, and what they carry:

run      seed, seconds, shops {shopId: [barberId]}: the first line
call     call (a number of its own), client, door, role, user, shop, command {commandId, type, ...}: an attempt is sent
answer   call, outcome: "ok" with replayed and data, "refused" with code and details, or "unknown" with why (cut,
         timed out, PERSISTENCE_UNAVAILABLE): it may or may not have happened
seen     client, room, full (whether staff's state), epoch, seq, facts (facts.py): a state that a client was shown
fault    fault (a number of its own), name, phase ("begun", "healed"), and what it was done to
shut_out client, room, code: it was refused a room for good
logged   server, told: an error in its log
calm     since (when the last fault was healed), seconds (until all was well, or null), wrong (what was not), last
         (what was wrong just before)
end      nothing: the last line
"""

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson

Json = dict[str, Any]

LEFT_OUT: Final = "left out: no disk of its own can be made here"
"""How a fault was done that could not be."""


class History:
    """Writes the lines, for `with`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=1024 * 1024)
        self._ahead = time.time() - time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def now(self) -> float:
        return self._ahead + time.monotonic()

    def write(self, kind: str, **fields: object) -> float:
        """Returns `at`."""
        at = self.now()
        self._file.write(orjson.dumps({"at": round(at, 6), "kind": kind, **fields}) + b"\n")
        return at


def read(path: Path) -> Iterator[Json]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)
