"""What a long run is told to have shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.bench.loop import Tally
from loadtests.bench.report import Figure, Json
from loadtests.bench.soak.flatness import Bound, Course, course_of
from loadtests.bench.soak.visits import Story

_FLAT: Final = {
    "memory_mb": ("S1-memory", "memory of the server", "MB", Bound(0.05, 4.0)),
    "descriptors": ("S1-descriptors", "open files of the server", "files", Bound(0.05, 20)),
    "tasks": ("S1-tasks", "tasks of the server", "tasks", Bound(0.05, 60)),
    "redis_keys": ("S1-redis-keys", "keys in Redis, without the days' answers", "keys", Bound(0.05, 10)),
    "redis_mb": ("S1-redis-memory", "memory of those keys", "MB", Bound(0.05, 0.2)),
    "redis_waste": ("S1-redis-waste", "memory of Redis' process for each byte that it holds", "bytes", Bound(0.1, 0.2)),
}
"""Figures by gauge. What is let grow covers what differs from moment to moment, since visitors come at random."""
_NONE_LEFT: Final = ("connections", "seats")
_LEAST_DONE: Final = 0.95
_MOST_REFUSED: Final = 0.03


@dataclass(frozen=True, slots=True)
class Soaked:
    """rate: commands a second that were to be done. looks: seconds since the beginning, and the gauges.

    before, after: the gauges when everybody had left, before the run and after it.
    """

    rate: float
    looks: Sequence[tuple[float, dict[str, float]]]
    before: dict[str, float]
    after: dict[str, float]
    tally: Tally
    story: Story

    def course(self, gauge: str) -> Course:
        return course_of([at for at, _ in self.looks], [seen[gauge] for _, seen in self.looks])


def figures_of(soaked: Soaked) -> list[Figure]:
    return [*(_flat(soaked, gauge) for gauge in _FLAT), _left(soaked), _visits(soaked)]


def _flat(soaked: Soaked, gauge: str) -> Figure:
    id_, title, unit, bound = _FLAT[gauge]
    course = soaked.course(gauge)
    return Figure(
        id=id_,
        title=f"{title} in the last sixth of the run",
        value=course.last,
        unit=unit,
        asked=bound.words,
        holds=bound.holds(course),
        peers={"in the first sixth": course.first},
        ratios={"in the first sixth": course.last / course.first if course.first else 1.0},
        details={
            "most": round(course.most, 3),
            "a_day_at_the_rate_of_the_second_half": round(course.a_day, 1),
            "at_rest_before": round(soaked.before[gauge], 3),
            "at_rest_after": round(soaked.after[gauge], 3),
        },
    )


def _left(soaked: Soaked) -> Figure:
    """What is there of those who have gone."""
    left = sum(soaked.after[name] for name in _NONE_LEFT)
    return Figure(
        id="S1-left",
        title="connections and seats that are left when everybody has gone",
        value=left,
        unit="left",
        asked="<= 0",
        holds=not left,
        details={
            "at_rest_before": _rounded(soaked.before),
            "at_rest_after": _rounded(soaked.after),
            "memory_grown_bytes_a_visit": round(
                1e6 * (soaked.after["memory_mb"] - soaked.before["memory_mb"]) / max(soaked.story.begun.total(), 1), 1
            ),
        },
    )


def _visits(soaked: Soaked) -> Figure:
    """The load that there was: without it nothing is shown by what did not grow."""
    story, tally = soaked.story, soaked.tally
    done, refused = tally.rate, tally.refused.total() / max(tally.count + tally.refused.total(), 1)
    answers, answers_mb = soaked.course("answers"), soaked.course("answers_mb")
    return Figure(
        id="S1-visits",
        title="visits that ended, each as its kind has to",
        value=story.ended.total(),
        unit="visits",
        asked=f"none ends in another way, >= {_LEAST_DONE:.0%} of {soaked.rate:,.0f} commands a second done",
        holds=not story.unexpected and done >= _LEAST_DONE * soaked.rate and refused <= _MOST_REFUSED,
        details={
            "minutes": round(tally.seconds / 60, 1),
            "begun": dict(story.begun.most_common()),
            "ended": dict(story.ended.most_common()),
            "unexpected": dict(story.unexpected.most_common()),
            "commands_per_second": round(done),
            "commands_p99_ms": round(tally.p99_ms, 1),
            "refused_percent": round(100 * refused, 2),
            "busy_percent_of_a_core": tally.busy(),
            "looks": len(soaked.looks),
            "most": {name: round(soaked.course(name).most, 2) for name in soaked.before},
            # Kept for a day and more, so that a command may be repeated: this grows as commands come.
            "answers_remembered": round(answers.most),
            "answers_bytes_each": round(1e6 * answers_mb.most / max(answers.most, 1)),
        },
    )


def _rounded(seen: dict[str, float]) -> Json:
    return {name: round(value, 2) for name, value in seen.items()}
