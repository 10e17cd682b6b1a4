"""A refused command left no trace: its id concludes no event, neither by another attempt nor by an earlier one.

Refusals are kept in Redis. When its memory was lost in between, an attempt that comes later may find what it asks for
possible: that is seen by the epoch, which a rebuild raises, or by what was done to Valkey.
"""

from collections.abc import Callable, Iterator

from loadtests.faults.attempts import SLACK, Attempt
from loadtests.faults.finding import Finding, clock
from loadtests.faults.replay import Happened

NAME = "refused leaves no trace"
ONE_ANSWER = "no two answers"
"""Of a command whose first outcome was not known: once it is refused, no attempt happens any more."""


def left_no_trace(
    attempts: list[Attempt], event: Happened | None, forgotten: Callable[[float, Happened], bool]
) -> Iterator[Finding]:
    """attempts: all of one command, in the order in which they were sent. event: that it concluded.

    forgotten: whether Redis may have lost its memory between that moment and the event.
    """
    if event is None:
        return
    if all(attempt.outcome == "refused" and attempt.code != "IDEMPOTENCY_MISMATCH" for attempt in attempts):
        yield _finding(NAME, attempts[-1], event, "refused each time")
        return
    for refused in attempts:
        if refused.final and refused.code != "IDEMPOTENCY_MISMATCH":
            yield from _contradicted(refused, attempts, event, forgotten)


def _contradicted(
    refused: Attempt, attempts: list[Attempt], event: Happened, forgotten: Callable[[float, Happened], bool]
) -> Iterator[Finding]:
    assert refused.answered is not None
    if any(each.outcome == "ok" and each.answered and each.answered < refused.at for each in attempts):
        yield _finding(NAME, refused, event, "refused after it was answered with ok")
    elif event.committed is not None and event.committed < refused.at - SLACK:
        yield _finding(NAME, refused, event, "refused when it had happened")
    elif not forgotten(refused.at, event):
        yield _finding(ONE_ANSWER, refused, event, "refused, when another attempt's outcome was not known")


def _finding(check: str, attempt: Attempt, event: Happened, why: str) -> Finding:
    when = f"event {event.shop_seq}, committed at {clock(event.committed)}"
    return Finding(check, f"{attempt}: {why} ({attempt.code}), yet it concluded {when}")
