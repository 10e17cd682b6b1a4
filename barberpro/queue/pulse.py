"""A part's sign of life, for whoever judges whether the node can work."""

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any


class Pulse:
    """How long a part has had something to do without getting anything done.

    The part says `due` when there is something to do, `beat` when it got some of it done, `rest` when nothing is left.
    """

    __slots__ = ("_since", "_tasks")

    def __init__(self) -> None:
        self._since: float | None = None
        self._tasks: Sequence[asyncio.Task[Any]] = ()

    def carried_by(self, *tasks: "asyncio.Task[Any]") -> None:
        """The tasks that do the part's work: once one of them has ended, the part is dead."""
        self._tasks = tasks

    def due(self) -> None:
        if self._since is None:
            self._since = time.monotonic()

    def beat(self) -> None:
        self._since = time.monotonic()

    def rest(self) -> None:
        self._since = None

    @property
    def age(self) -> float:
        """Seconds since the last sign of life; 0 at rest, infinite for a part that is dead, or not started."""
        if not self._tasks or any(task.done() for task in self._tasks):
            return math.inf
        return time.monotonic() - self._since if self._since is not None else 0.0
