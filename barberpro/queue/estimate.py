"""How long those in a line will wait. One small interface, so that a better estimator can take this one's place."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

from barberpro.protocol.states import EstimatedWait
from barberpro.queue.pace import Pace

_P90: Final = 1.2816
"""The 90th percentile of the standard normal distribution."""
_ROOT_2: Final = math.sqrt(2)
_CALL: Final = 1.5
"""Minutes until somebody sits in a free chair. Like a break's, its length has no memory: mean and standard deviation
are equal, and stay what they are however long it has lasted."""
_BREAK: Final = 15.0
"""Minutes until a barber who has paused is back."""
_SERVED: Final = 0.9
"""The part of those in a line who are served; the others cancel, or are not there when called."""
_LONGEST: Final = 3.0
"""A visit that lasts this many times what was expected says no more: somebody forgot to press 'complete'."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Whole minutes: half of all waits are at most p50, nine of ten at most p90."""

    p50_minutes: int
    p90_minutes: int

    def to_wire(self) -> EstimatedWait:
        return {"p50Minutes": self.p50_minutes, "p90Minutes": self.p90_minutes}


@dataclass(frozen=True, slots=True)
class InChair:
    """Who is being served: planned and elapsed minutes."""

    minutes: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a newcomer's wait comes from until the next event; with the time that has passed it tells the wait.

    mean, variance: minutes, of all that is ahead but the visit in the chair. expected, square: that visit's minutes,
    and the square of its spread as a part of them; None while the chair is free.
    """

    mean: float
    variance: float
    expected: float | None
    square: float | None


class WaitEstimator(Protocol):
    def waits(self, pace: Pace, chair: InChair | None, line: Sequence[float], *, paused: bool = False) -> list[Wait]:
        """The wait of each in the line, and last of one who would join now.

        pace: the barber's. line: the planned minutes of those in it, next first. paused: the barber is on a break.
        """
        ...


class Estimator(WaitEstimator, Protocol):
    """What judges by the same measure whether there is time for one more."""

    def finishes(
        self, pace: Pace, chair: InChair | None, line: Iterable[float], own: float, *, paused: bool = False
    ) -> Iterator[int]:
        """For a visit of `own` planned minutes: how long until it is over, at most, nine times out of ten.

        Whole minutes, behind nobody of the line, behind the first, and so on, taken from the line as it is asked for.
        """
        ...


class PaceEstimator:
    """What is left of the visit in the chair, and the visits ahead at the barber's measured pace.

    Means and variances are added up. A visit is taken to be log-normal, and so is a wait: it is given the percentiles
    of the log-normal distribution with that mean and variance (Fenton and Wilkinson).
    """

    def waits(self, pace: Pace, chair: InChair | None, line: Sequence[float], *, paused: bool = False) -> list[Wait]:
        # If the pace is wrong it is wrong for all of them: these errors add up and do not even out.
        return [
            _percentiles(mean + ahead, variance + (pace.doubt * ahead) ** 2)
            for mean, ahead, variance in _moments(pace, chair, line, paused=paused)
        ]

    def finishes(
        self, pace: Pace, chair: InChair | None, line: Iterable[float], own: float, *, paused: bool = False
    ) -> Iterator[int]:
        visit = own * pace.ratio
        for mean, ahead, variance in _moments(pace, chair, line, paused=paused):
            spread = variance + (pace.spread * visit) ** 2 + (pace.doubt * (ahead + visit)) ** 2
            yield _percentiles(mean + ahead + visit, spread).p90_minutes

    @staticmethod
    def outlook(pace: Pace, chair: float | None, line: Sequence[float], *, paused: bool = False) -> Outlook:
        """What the last of `waits` comes from. chair: the planned minutes of the visit in it."""
        ahead = _SERVED * pace.ratio * sum(line)
        spread = (_SERVED * (1 + pace.spread**2) - _SERVED**2) * pace.ratio**2 * sum(each**2 for each in line)
        pauses = (_BREAK if paused else 0.0, _CALL if chair is None else 0.0)
        mean, variance = ahead + sum(pauses), spread + (pace.doubt * ahead) ** 2 + sum(each**2 for each in pauses)
        if chair is None:
            return Outlook(mean, variance, None, None)
        return Outlook(mean, variance, chair * pace.ratio, pace.spread**2 + pace.doubt**2)


def _moments(
    pace: Pace, chair: InChair | None, line: Iterable[float], *, paused: bool
) -> Iterator[tuple[float, float, float]]:
    """For each in the line, and for who joins now: the mean of what goes before the line, the mean of the visits ahead
    in it, and the variance of both, without the pace's own doubt; in minutes.
    """
    mean, variance = _left(pace, chair) if chair is not None else (_CALL, _CALL**2)
    if paused:
        mean, variance = mean + _BREAK, variance + _BREAK**2
    # A visit that takes place with probability _SERVED, and then has the pace's spread.
    part = _SERVED * (1 + pace.spread**2) - _SERVED**2
    ahead = 0.0
    for minutes in chain(line, (0.0,)):
        yield mean, ahead, variance
        expected = minutes * pace.ratio
        ahead += _SERVED * expected
        variance += part * expected**2


def _left(pace: Pace, chair: InChair) -> tuple[float, float]:
    """Mean and variance of the minutes that a visit needs still, having lasted for so many already."""
    expected = chair.minutes * pace.ratio
    square = pace.spread**2 + pace.doubt**2
    elapsed = min(chair.elapsed, _LONGEST * expected)
    if elapsed <= 0:
        return expected, square * expected**2
    # Moments of a log-normal length, given that it is longer than what has elapsed. z: how many standard deviations
    # the logarithm of what has elapsed lies above its mean.
    sigma = math.sqrt(math.log1p(square))
    z = math.log(elapsed / expected) / sigma + sigma / 2
    longer = math.erfc(z / _ROOT_2)
    mean = expected * math.erfc((z - sigma) / _ROOT_2) / longer
    mean_square = expected**2 * (1 + square) * math.erfc((z - 2 * sigma) / _ROOT_2) / longer
    return mean - elapsed, mean_square - mean**2


def _percentiles(mean: float, variance: float) -> Wait:
    square = math.log1p(variance / mean**2)
    p50 = mean * math.exp(-square / 2)
    return Wait(round(p50), math.ceil(p50 * math.exp(_P90 * math.sqrt(square))))
