"""The limits of P5, and whether a run keeps them. No Locust in here, so that it can be tested without."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

BOOKING: Final = "booking"
SEEN: Final = "update seen"
OWNERS: Final = {BOOKING: 500.0, SEEN: 1000.0}
"""What the owner asked for first, in ms; the limits below are stricter."""


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """lines: each limit with what was measured. broken: those of them that are."""

    lines: list[str]
    broken: list[str]


def judge(entries: Iterable[Entry], limits: Limits, roles: Iterable[str], faults: int = 0) -> Verdict:
    """Each role is held to the limits by itself: none hides behind another.

    roles: who was there, by the names below. faults: errors that no entry tells of.
    """
    every = {entry.name: entry for entry in entries}
    lines: list[str] = []
    broken: list[str] = []

    def tell(holds: bool, words: str) -> None:
        lines.append(("holds:  " if holds else "BROKEN: ") + words)
        if not holds:
            broken.append(words)

    for role in sorted(roles):
        for what in (BOOKING, SEEN) if role in BOOKERS else (SEEN,):
            limit = limits.booking_p99 if what == BOOKING else limits.seen_p99
            entry = every.get(named(what, role))
            if entry is None or entry.num_requests <= entry.num_failures:
                tell(False, f"{named(what, role)}: there was none")
                continue
            p99, owners = entry.get_response_time_percentile(0.99), OWNERS[what]
            told = f"{entry.name}: p99 {p99:g} ms <= {limit:g} ms, of {entry.num_requests:,}"
            tell(p99 <= limit, f"{told}; the owner's < {owners:g} ms {'holds' if p99 < owners else 'is broken'}")
    errors = sum(entry.num_failures for entry in every.values()) + faults
    tell(errors <= limits.errors, f"{errors} errors <= {limits.errors}")
    return Verdict(lines, broken)


def named(what: str, role: str) -> str:
    """The name of an entry."""
    return f"{what}: {role}"
