"""How long those in a line will wait. One small interface, so that a better estimator can take this one's place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

_SPREAD: Final = 0.35
"""Standard deviation of a visit's length over its planned minutes; to be measured per barber."""
_P90: Final = 1.2816
"""The 90th percentile of the standard normal distribution."""
_LEAST_LEFT: Final = 0.1
"""A visit that is past its planned minutes is taken to need this share of them still."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Whole minutes: half of all waits are at most p50, nine of ten at most p90."""

    p50_minutes: int
    p90_minutes: int

    def to_wire(self) -> dict[str, int]:
        return {"p50Minutes": self.p50_minutes, "p90Minutes": self.p90_minutes}


@dataclass(frozen=True, slots=True)
class InChair:
    """Who is being served: planned and elapsed minutes."""

    minutes: float
    elapsed: float


class WaitEstimator(Protocol):
    def waits(self, chair: InChair | None, line: Sequence[float]) -> list[Wait]:
        """The wait of each in the line, and last of one who would join now.

        line: the planned minutes of those in it, next first.
        """
        ...


class PlannedMinutes:
    """The sum of what is planned ahead, each visit's length varying independently around its plan."""

    def waits(self, chair: InChair | None, line: Sequence[float]) -> list[Wait]:
        mean = variance = 0.0
        if chair is not None:
            mean = max(chair.minutes - chair.elapsed, _LEAST_LEFT * chair.minutes)
            variance = (_SPREAD * mean) ** 2
        waits = []
        for minutes in (*line, 0.0):
            waits.append(Wait(round(mean), math.ceil(mean + _P90 * math.sqrt(variance))))
            mean += minutes
            variance += (_SPREAD * minutes) ** 2
        return waits
