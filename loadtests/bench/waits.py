"""W1 to W3: how true the waits are on simulated days, and what they cost.

Every quote that anybody in a line is given, when they join and at each change, is compared with the minutes until the
barber was ready for them. Who gives up before that has no true wait, and is not counted. The same days are quoted by
the planned minutes; by the estimator, never measuring, which shows what measuring gives; and by the estimator that is
told each barber's true speed, which shows what better measuring could give.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from barberpro.queue.estimate import InChair, PaceEstimator, Wait, WaitEstimator
from barberpro.queue.pace import NEW_BARBER, Pace, Record
from barberpro.storage.snapshot import VISITS_KEPT, Visit
from loadtests.bench.career import Moment, career, habits_of
from loadtests.bench.plan import Plan
from loadtests.bench.planned import PlannedMinutes
from loadtests.bench.report import Figure, Json

LEAST_COVERED: Final = 0.85
MOST_COVERED: Final = 0.95
ASKED_US: Final = 5.0
_OURS: Final = "ours"
_PLANNED: Final = "planned minutes"
_UNMEASURED: Final = "ours, never measured"
_TOLD: Final = "ours, told the speed"
_FIRST_SEED: Final = 1000
"""The estimator's constants were chosen on barbers below it."""
_LINE: Final = (20.0,) * 10


@dataclass(slots=True)
class _Tally:
    """count: of quotes. off, above: summed minutes between P50 and the truth, without and with its sign.

    half, covered: how often the truth was at most P50, at most P90.
    """

    count: int = 0
    off: float = 0.0
    above: float = 0.0
    half: int = 0
    covered: int = 0

    def add(self, quote: Wait, truth: float) -> None:
        self.count += 1
        self.off += abs(quote.p50_minutes - truth)
        self.above += quote.p50_minutes - truth
        self.half += truth <= quote.p50_minutes
        self.covered += truth <= quote.p90_minutes

    @property
    def error(self) -> float:
        return self.off / max(self.count, 1)

    @property
    def coverage(self) -> float:
        return self.covered / max(self.count, 1)

    def details(self) -> Json:
        return {
            "quotes": self.count,
            "error_minutes": round(self.error, 2),
            "bias_minutes": round(self.above / max(self.count, 1), 2),
            "at_most_p50": round(self.half / max(self.count, 1), 3),
            "at_most_p90": round(self.coverage, 3),
        }


class _Scores:
    """One estimator's: of all its quotes, of those given at join, and of those of a barber's first day."""

    def __init__(self, estimator: WaitEstimator) -> None:
        self._estimator = estimator
        self.all, self.at_join, self.first_day = _Tally(), _Tally(), _Tally()

    def quote(self, moment: Moment, pace: Pace, truths: list[float | None]) -> None:
        chair = InChair(moment.chair[0], moment.at - moment.chair[1]) if moment.chair is not None else None
        line = [customer.minutes for customer in moment.line]
        waits = self._estimator.waits(pace, chair, line, paused=moment.paused)
        for place, (quote, truth) in enumerate(zip(waits, truths, strict=False), 1):
            if truth is None:
                continue
            self.all.add(quote, truth)
            if moment.joined and place == len(truths):
                self.at_join.add(quote, truth)
            if moment.day == 0:
                self.first_day.add(quote, truth)

    def details(self) -> Json:
        return {
            "all": self.all.details(),
            "at_join": self.at_join.details(),
            "barbers_first_day": self.first_day.details(),
        }


async def waits(plan: Plan) -> list[Figure]:
    """Needs no stores. The days are the same in every run, so there is one round only."""
    barbers, days = (40, 5) if plan.quick else (400, 20)
    scores = {
        _OURS: _Scores(PaceEstimator()),
        _PLANNED: _Scores(PlannedMinutes()),
        _UNMEASURED: _Scores(PaceEstimator()),
        _TOLD: _Scores(PaceEstimator()),
    }
    plan.say(f"W: {barbers} barbers, {days} days each")
    for number in range(barbers):
        _play(_FIRST_SEED + number, days, scores)
        await asyncio.sleep(0)  # where Ctrl-C is heard
    details = {name: score.details() for name, score in scores.items()}
    ours, peers = scores[_OURS].all, {name: score.all for name, score in scores.items() if name != _OURS}
    return [
        Figure(
            id="W1",
            title="mean error of the P50 wait",
            value=ours.error,
            unit="minutes",
            asked="less than planned minutes",
            holds=ours.error < peers[_PLANNED].error,
            peers={name: peer.error for name, peer in peers.items()},
            ratios={name: ours.error / peer.error for name, peer in peers.items()},
            details={"barbers": barbers, "days": days, **details},
        ),
        Figure(
            id="W2",
            title="waits that are at most their P90",
            value=ours.coverage,
            unit="of all",
            asked=f"{LEAST_COVERED:g} to {MOST_COVERED:g}",
            holds=LEAST_COVERED <= ours.coverage <= MOST_COVERED,
            peers={name: peer.coverage for name, peer in peers.items()},
            ratios={name: ours.coverage / peer.coverage for name, peer in peers.items()},
        ),
        _cost(1000 if plan.quick else 20_000),
    ]


def _play(seed: int, days: int, scores: dict[str, _Scores]) -> None:
    record, ratio = Record(), habits_of(seed).ratio
    for moment in career(seed, days):
        if moment.completed is not None:
            minutes, start, end = moment.completed
            record.add(Visit(round(end * 60_000), round(start * 60_000), minutes))
        truths = [customer.wait_from(moment.at) for customer in moment.line]
        told = replace(record.pace, ratio=ratio, doubt=0.0)
        for name, score in scores.items():
            score.quote(moment, {_UNMEASURED: NEW_BARBER, _TOLD: told}.get(name, record.pace), truths)


def _cost(times: int) -> Figure:
    chair = InChair(30, 12.0)
    ours, planned = (
        _microseconds(partial(estimator.waits, NEW_BARBER, chair, _LINE), times) / (len(_LINE) + 1)
        for estimator in (PaceEstimator(), PlannedMinutes())
    )
    visits = [Visit(number * 100 + 1_500_000, number * 100, 20) for number in range(VISITS_KEPT)]
    pace_us = _microseconds(partial(_new_pace, Record(visits), visits[-1]), times // 20)
    return Figure(
        id="W3",
        title=f"the waits of a line of {len(_LINE)}, per person",
        value=ours,
        unit="us",
        asked=f"<= {ASKED_US:g}",
        holds=ours <= ASKED_US,
        peers={_PLANNED: planned},
        ratios={_PLANNED: ours / planned},
        details={"us_for_a_new_pace_after_a_visit": round(pace_us, 1)},
    )


def _new_pace(record: Record, visit: Visit) -> Pace:
    record.add(visit)
    return record.pace


def _microseconds(what: Callable[[], object], times: int) -> float:
    """Processor time of one call, in us."""
    before = time.process_time()
    for _ in range(times):
        what()
    return (time.process_time() - before) / times * 1e6
