"""The limits of P5, and whether a run keeps them. No Locust in here, so that it can be tested without."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from loadtests.bench.report import Figure

BOOKING: Final = "booking"
SEEN: Final = "update seen"
OWNERS: Final = {BOOKING: 500.0, SEEN: 1000.0}
"""What the owner asked for first, in ms; the limits below are stricter."""


OWN_DELAY: Final = "own delay"
"""How late Locust wakes a user who wanted to sleep."""
_IDS: Final = {BOOKING: "P5-booking", SEEN: "P5-seen"}
BOOKERS: Final = frozenset({"customer", "guest"})


class Entry(Protocol):
    """A line of Locust's statistics."""

    name: str
    num_requests: int
    num_failures: int

    def get_response_time_percentile(self, percent: float) -> float:
        """In ms; `percent` is between 0 and 1."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """In ms; errors: how many there may be."""

    booking_p99: float = 100.0
    seen_p99: float = 100.0
    errors: int = 0


@dataclass(slots=True)
class Verdict:
    """lines: each limit with what was measured. broken: those of them that are. figures: the same as a benchmark's."""

    lines: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    def tell(self, holds: bool, words: str) -> bool:
        self.lines.append(("holds:  " if holds else "BROKEN: ") + words)
        if not holds:
            self.broken.append(words)
        return holds


def judge(entries: Iterable[Entry], limits: Limits, roles: Iterable[str], faults: int = 0) -> Verdict:
    """Each role is held to the limits by itself: none hides behind another.

    roles: who was there, by the names below. faults: errors that no entry tells of.
    """
    every = {entry.name: entry for entry in entries}
    verdict = Verdict()
    for what, limit, who in (
        (BOOKING, limits.booking_p99, sorted(BOOKERS.intersection(roles))),
        (SEEN, limits.seen_p99, sorted(roles)),
    ):
        found = [every.get(named(what, role)) for role in who]
        held = [_held(verdict, entry, named(what, role), what, limit) for role, entry in zip(who, found, strict=True)]
        verdict.figures.append(_figure(what, limit, found, all(held)))
    errors = sum(entry.num_failures for entry in every.values()) + faults
    holds = verdict.tell(errors <= limits.errors, f"{errors} errors <= {limits.errors}")
    verdict.figures.append(
        Figure("P5-errors", "errors of any user", errors, "errors", f"<= {limits.errors}", holds, details=_about(every))
    )
    return verdict


def _held(verdict: Verdict, entry: Entry | None, name: str, what: str, limit: float) -> bool:
    if entry is None or entry.num_requests <= entry.num_failures:
        return verdict.tell(False, f"{name}: there was none")
    p99, owners = entry.get_response_time_percentile(0.99), OWNERS[what]
    told = f"{name}: p99 {p99:g} ms <= {limit:g} ms, of {entry.num_requests:,}"
    return verdict.tell(p99 <= limit, f"{told}; the owner's < {owners:g} ms {'holds' if p99 < owners else 'is broken'}")


def _figure(what: str, limit: float, entries: list[Entry | None], holds: bool) -> Figure:
    """The worst of the roles counts."""
    worst = max((entry.get_response_time_percentile(0.99) for entry in entries if entry is not None), default=0.0)
    told = {entry.name: _percentiles(entry) for entry in entries if entry is not None}
    asked = f"<= {limit:g} (the owner's: < {OWNERS[what]:g})"
    return Figure(_IDS[what], f"p99 of '{what}', the worst of the roles", worst, "ms", asked, holds, details=told)


def _about(entries: dict[str, Entry]) -> dict[str, Any]:
    """What explains the figures: how often what was done, and how late the load itself was."""
    about: dict[str, Any] = {"done": {name: entry.num_requests for name, entry in entries.items() if name != OWN_DELAY}}
    if OWN_DELAY in entries:
        about[OWN_DELAY] = _percentiles(entries[OWN_DELAY])
    return about


def _percentiles(entry: Entry) -> dict[str, float]:
    return {f"p{percent}_ms": entry.get_response_time_percentile(percent / 100) for percent in (50, 95, 99)}


def named(what: str, role: str) -> str:
    """The name of an entry."""
    return f"{what}: {role}"
