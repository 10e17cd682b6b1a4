"""Everybody has a final answer in the end, after all is well again."""

from collections.abc import Iterator

from loadtests.faults.attempts import Attempt
from loadtests.faults.finding import Finding

NAME = "answered"


def left_open(attempts: list[Attempt]) -> Iterator[Finding]:
    """attempts: all of one command, in the order in which they were sent."""
    if not any(attempt.outcome == "ok" or attempt.final for attempt in attempts):
        yield Finding(NAME, f"{attempts[-1]}: it never had a final answer, in {len(attempts)} attempts")
