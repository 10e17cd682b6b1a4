"""The verdict on a run: its history and what Postgres holds at the end, held against every promise.

The history is read once, line by line. What is kept: a small record of each attempt, and of each event.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from loadtests.faults.attempts import Attempt, Attempts, highest
from loadtests.faults.checks import acknowledged, answered, explained, no_fault, no_trace, real_time, recovered, seen
from loadtests.faults.durable import Durable
from loadtests.faults.finding import Finding
from loadtests.faults.history import LEFT_OUT, Json, read
from loadtests.faults.invariants import INVARIANTS
from loadtests.faults.replay import Happened, Replay

_KEPT: Final = 20
_LOSSES: Final = frozenset(
    {"Valkey killed", "FLUSHALL", "lagging replica promoted", "fault in the middle of a rebuild"}
)
WHOLE: Final = "the history is whole"
CHECKS: Final = (
    acknowledged.NAME,
    no_trace.NAME,
    no_trace.ONE_ANSWER,
    answered.NAME,
    *INVARIANTS,
    real_time.NAME,
    explained.NAME,
    seen.BACK,
    seen.CONFIRMED,
    recovered.NAME,
    no_fault.NAME,
    WHOLE,
)


@dataclass(slots=True)
class Checked:
    """looked: at how much. found: how many findings; kept: the first of them."""

    looked: int = 0
    found: int = 0
    kept: list[str] = field(default_factory=list)

    def add(self, told: str) -> None:
        self.found += 1
        if self.found <= _KEPT:
            self.kept.append(told)


@dataclass(slots=True)
class Totals:
    """by_outcome: attempts, by 'type, door, outcome'. refusals, not_judged: by code. recoveries: seconds, or None."""

    attempts: int = 0
    commands: int = 0
    by_outcome: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    not_judged: Counter[str] = field(default_factory=Counter)
    events: int = 0
    seen: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    recoveries: list[float | None] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """checks: by name. timed: whether Postgres said when each event was committed."""

    timed: bool
    checks: dict[str, Checked] = field(default_factory=lambda: {name: Checked() for name in CHECKS})
    totals: Totals = field(default_factory=Totals)

    @property
    def kept(self) -> bool:
        """Whether every promise was."""
        return not any(check.found for check in self.checks.values())

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.checks[finding.check].add(finding.told)

    def to_json(self) -> Json:
        """For orjson, which knows dataclasses and counters."""
        return {"kept": self.kept, "timed": self.timed, "checks": self.checks, "totals": self.totals}


def judge(history: Path | Iterable[Json], durable: Durable, within: float = recovered.WITHIN) -> Verdict:
    """history: a file of lines, or the lines; all of the shops in `durable`. within: seconds for a recovery."""
    judging = _Judging(durable, within)
    for line in read(history) if isinstance(history, Path) else history:
        judging.take(line)
    return judging.end()


class _Judging:
    """A verdict as it grows."""

    def __init__(self, durable: Durable, within: float) -> None:
        self._within = within
        self._shops = durable.shops
        self._verdict = Verdict(durable.timed)
        self._attempts = Attempts(durable.shops)
        self._acknowledged = acknowledged.Acknowledged()
        self._never_back = seen.NeverBack()
        self._barbers: defaultdict[str, list[str]] = defaultdict(list)
        for shop_id, replay in durable.shops.items():
            self._barbers[shop_id] = list(replay.queues)
        self._confirmed = seen.Confirmed(self._shops, self._barbers)
        self._losses: list[float] = []
        """When something was done to Valkey after which it may have lost its newest writes."""
        self._played: set[str] = set()
        """The shops whose people wrote the history."""
        self._last = "nothing"
        self._take: dict[str, Callable[[Json], None]] = {
            "run": self._run,
            "call": self._called,
            "answer": self._answered,
            "seen": self._seen,
            "fault": self._fault,
            "calm": self._calm,
            "shut_out": lambda line: self._verdict.add(no_fault.shut_out(line)),
            "logged": lambda line: self._verdict.add(no_fault.logged(line)),
        }
        self._rows(durable)

    def take(self, line: Json) -> None:
        self._last = line["kind"]
        take = self._take.get(self._last)
        if take is not None:
            take(line)

    def end(self) -> Verdict:
        verdict, totals = self._verdict, self._verdict.totals
        for shop_id in self._played & self._shops.keys():
            self._verdict.add(acknowledged.unasked(self._shops[shop_id], self._attempts.by_command))
        for (shop_id, command_id), attempts in self._attempts.by_command.items():
            totals.commands += 1
            for attempt in attempts:
                totals.by_outcome[f"{attempt.type}, {attempt.door}, {attempt.outcome}"] += 1
            self._command(attempts, shop_id, command_id)
        self._refusals()
        self._whole(self._last == "end", f"its last line is {self._last!r}: the run was cut off")
        return verdict

    def _looked(self, check: str, many: int = 1) -> None:
        self._verdict.checks[check].looked += many

    def _whole(self, fine: bool, told: str) -> None:
        self._looked(WHOLE)
        if not fine:
            self._verdict.add([Finding(WHOLE, told)])

    def _rows(self, durable: Durable) -> None:
        self._verdict.add(durable.broken)
        for replay in durable.shops.values():
            self._verdict.add(replay.broken)
            self._verdict.totals.events += len(replay.happened)
            for name in INVARIANTS:
                self._looked(name, len(replay.happened))

    # The lines -------------------------------------------------------------------------------------------------

    def _run(self, line: Json) -> None:
        self._played |= line["shops"].keys()
        for shop_id, barbers in line["shops"].items():
            self._whole(shop_id in self._shops, f"Postgres holds nothing of {shop_id}")
            self._barbers[shop_id] = barbers
        self._confirmed = seen.Confirmed(self._shops, self._barbers)

    def _called(self, line: Json) -> None:
        self._verdict.totals.attempts += 1
        self._attempts.called(line)

    def _answered(self, line: Json) -> None:
        attempt = self._attempts.answered(line)
        self._whole(attempt is not None, f"call {line['call']} was answered, and not sent before, or twice")
        if attempt is None:
            return
        self._looked(no_fault.NAME)
        self._verdict.add(no_fault.nothing_impossible(attempt))
        if attempt.outcome == "ok":
            self._looked(acknowledged.NAME)
            replay = self._shops.get(attempt.shop)
            self._verdict.add(self._acknowledged.look(attempt, line["replayed"], line["data"], replay))
        elif attempt.outcome == "refused":
            self._verdict.totals.refusals[attempt.code or "no code"] += 1

    def _seen(self, line: Json) -> None:
        self._verdict.totals.seen += 1
        self._verdict.add(self._never_back.look(line))
        self._verdict.add(self._confirmed.look(line))

    def _fault(self, line: Json) -> None:
        if line["name"] in _LOSSES:
            self._losses.append(line["at"])
        if line["phase"] == "healed" and line["how"] != LEFT_OUT:
            self._verdict.totals.faults[line["name"]] += 1

    def _calm(self, line: Json) -> None:
        self._looked(recovered.NAME)
        self._verdict.totals.recoveries.append(line["seconds"])
        self._verdict.add(recovered.recovered(line, self._within))

    # At the end ------------------------------------------------------------------------------------------------

    def _command(self, attempts: list[Attempt], shop_id: str, command_id: str) -> None:
        replay = self._shops.get(shop_id)
        event = replay.concluding(command_id) if replay is not None else None
        self._looked(real_time.NAME, event is not None)
        self._verdict.add(real_time.in_real_time(attempts, event))
        self._looked(no_trace.NAME, any(attempt.outcome == "refused" for attempt in attempts))
        open_once = any(attempt.final for attempt in attempts) and any(attempt.unknown for attempt in attempts)
        self._looked(no_trace.ONE_ANSWER, self._verdict.timed and open_once)
        if replay is not None:
            self._verdict.add(no_trace.left_no_trace(attempts, event, partial(self._forgotten, replay)))
        self._looked(answered.NAME)
        self._verdict.add(answered.left_open(attempts))

    def _forgotten(self, replay: Replay, since: float, event: Happened) -> bool:
        """Whether Redis may have forgotten by the time of the event what it knew then."""
        if event.committed is None or event.epoch > replay.epoch_at(since):
            return True
        return any(since < at < event.committed for at in self._losses)

    def _refusals(self) -> None:
        for check in (seen.BACK, seen.CONFIRMED):
            self._looked(check, self._verdict.totals.seen)
        earliest = {shop_id: self._attempts.earliest(replay) for shop_id, replay in self._shops.items()}
        for attempts in self._attempts.by_command.values():
            for attempt in attempts:
                if attempt.outcome == "refused":
                    told = self._judged(attempt, attempts[0].low, earliest)
                    self._looked(explained.NAME, told is not None)
                    if told is None:
                        self._verdict.totals.not_judged[attempt.code or "no code"] += 1
                    self._verdict.add(explained.unexplained(attempt, attempts[0].low, told))

    def _judged(self, attempt: Attempt, low: int, earliest: dict[str, list[float]]) -> bool | None:
        """low: of the command's first attempt, which may have been refused so without being told."""
        replay, answered = self._shops.get(attempt.shop), attempt.answered
        if replay is None or answered is None:
            return None
        high = max(highest(earliest[attempt.shop], answered), low)
        asked: dict[str, Any] = {"command": attempt.command, "details": attempt.details}
        barbers = frozenset(self._barbers[attempt.shop])
        who = (attempt.role, attempt.user, attempt.code or "")
        return explained.judge(explained.Refusal(replay, barbers, low, high, *who, **asked))
