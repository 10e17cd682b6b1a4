"""How a gauge went in a long run: whether it is at the end where it was at the beginning, and where it is going."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import Final

_WINDOWS: Final = 6
"""The first and the last of so many parts of the run are compared."""
LEAST: Final = 2 * _WINDOWS
"""Values that a course takes: two a window, so that none decides alone."""
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Course:
    """first, last: the medians of the first and the last sixth of the run. most: the highest value of all.

    a_day: how much more there would be after a day, if it went on as in the second half (least squares).
    """

    first: float
    last: float
    most: float
    a_day: float

    @property
    def grown(self) -> float:
        return self.last - self.first


def course_of(times: Sequence[float], values: Sequence[float]) -> Course:
    """times: in seconds, ascending. Raises ValueError of too few."""
    if len(values) < LEAST:
        raise ValueError(f"{len(values)} values are too few: {LEAST} are needed")
    size = len(values) // _WINDOWS
    half = len(values) // 2
    slope, _ = linear_regression(times[half:], values[half:])
    return Course(median(values[:size]), median(values[-size:]), max(values), slope * _DAY)


@dataclass(frozen=True, slots=True)
class Bound:
    """By how much a gauge may grow from the first sixth to the last and still be called flat.

    part: of what it was at first. least: in the gauge's own unit, for what is small.
    """

    part: float
    least: float

    def holds(self, course: Course) -> bool:
        return course.grown <= max(self.part * course.first, self.least)

    @property
    def words(self) -> str:
        return f"<= {self.part:.0%} more than in the first sixth, or {self.least:g}"
