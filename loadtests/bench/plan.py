"""How long and how often a suite measures."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.bench.served import BARBERPRO
from loadtests.bench.stores import Stores


@dataclass(frozen=True, slots=True)
class Plan:
    """What every benchmark is given. quick: shows that it runs; its figures mean nothing.

    minutes: how long a run lasts that lasts long; None: as long as it is meant to. program: what serves there.
    """

    stores: Stores
    rounds: int
    quick: bool
    minutes: float | None = None
    program: Sequence[str] = BARBERPRO

    @property
    def warm_up(self) -> float:
        """Seconds before a measured time."""
        return 0.1 if self.quick else 1.0

    @property
    def seconds(self) -> float:
        """Measured seconds a round."""
        return 0.4 if self.quick else 6.0

    def say(self, text: str) -> None:
        """Progress, on stderr: stdout is for the result."""
        print(text, file=sys.stderr, flush=True)
