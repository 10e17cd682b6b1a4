"""The peer of the waits: the sum of the planned minutes ahead, as most booking systems quote it."""

import math
from collections.abc import Sequence
from typing import Final

from barberpro.queue.estimate import InChair, Wait
from barberpro.queue.pace import Pace

_SPREAD: Final = 0.35
"""Standard deviation of a visit's length over its planned minutes."""
_P90: Final = 1.2816
_LEAST_LEFT: Final = 0.1
"""A visit that is past its planned minutes is taken to need this share of them still."""


class PlannedMinutes:
    """Each visit varies independently around its plan; no barber differs from another, no break is known of."""

    def waits(self, pace: Pace, chair: InChair | None, line: Sequence[float], *, paused: bool = False) -> list[Wait]:
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
