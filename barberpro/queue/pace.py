"""A barber's pace: how long visits really take against what was planned, learnt from the visits that ended last."""

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from statistics import median
from typing import Final

from barberpro.storage.snapshot import VISITS_KEPT, Visit

_USUAL_RATIO: Final = 1.0
_USUAL_SPREAD: Final = 0.4
_USUAL_VISITS: Final = 5
"""What a new barber is taken to be (the spread is of the logarithm), and how many measured visits that is worth."""
_NEWER: Final = 1.04
"""A visit weighs so many times what the one before it weighs: a barber changes."""
_FARTHEST: Final = math.log(2.5)
"""A visit of more than 2.5 times, or less than the 2.5th part, of the barber's middle ratio is taken to be just that
far off: somebody forgot to press 'complete', or pressed twice."""
_LEAST_RATIO: Final = 0.01
_USUAL: Final = math.log(_USUAL_RATIO) - _USUAL_SPREAD**2 / 2
"""The mean of the logarithm, for the usual barber."""
_WEIGHTS: Final = [_NEWER**-older for older in reversed(range(VISITS_KEPT))]


@dataclass(frozen=True, slots=True)
class Pace:
    """ratio: real minutes per planned minute, on average. spread: the standard deviation of one visit's length, as a
    part of that length. doubt: how far the ratio itself may be off, likewise; it is the same for all visits ahead.
    """

    ratio: float
    spread: float
    doubt: float


class Record:
    """A barber's last visits, and the pace that they show; the same whichever order they are added in."""

    __slots__ = ("_logs", "_pace", "_visits")

    def __init__(self, visits: Iterable[Visit] = ()) -> None:
        self._visits = sorted(visits)[-VISITS_KEPT:]
        self._logs = [_log_ratio(visit) for visit in self._visits]
        self._pace: Pace | None = None

    def add(self, visit: Visit) -> None:
        place = bisect(self._visits, visit)
        self._visits.insert(place, visit)
        self._logs.insert(place, _log_ratio(visit))
        del self._visits[:-VISITS_KEPT], self._logs[:-VISITS_KEPT]
        self._pace = None

    @property
    def visits(self) -> Sequence[Visit]:
        """Oldest first."""
        return self._visits

    @property
    def pace(self) -> Pace:
        """Worked out when it is asked for, once until the next visit."""
        if self._pace is None:
            self._pace = _pace_of(self._logs)
        return self._pace


def _pace_of(logs: Sequence[float]) -> Pace:
    """The pace of visits with these logarithms of real by planned minutes, oldest first. With none, a new barber's.

    Mean and variance of the logarithms, in which half and double are equally far off. The usual barber counts as some
    visits among the measured ones, so a few of those move the figure only a little.
    """
    middle = median([*logs, *[_USUAL] * _USUAL_VISITS])
    least, most = middle - _FARTHEST, middle + _FARTHEST
    near = [least if log < least else min(log, most) for log in logs]
    weights = _WEIGHTS[len(_WEIGHTS) - len(near) :]
    weight = _USUAL_VISITS + sum(weights)
    mean = (_USUAL_VISITS * _USUAL + sum(map(mul, weights, near))) / weight
    off = [log - mean for log in near]
    variance = (_USUAL_VISITS * _USUAL_SPREAD**2 + sum(map(mul, weights, map(mul, off, off)))) / weight
    return Pace(math.exp(mean + variance / 2), math.sqrt(math.expm1(variance)), math.sqrt(variance / weight))


def _log_ratio(visit: Visit) -> float:
    return math.log(max((visit.ended_at - visit.started_at) / 60_000 / visit.minutes, _LEAST_RATIO))


NEW_BARBER: Final = _pace_of(())
