"""A refused command left no trace: its id concluded no event, unless it was tried again afterwards."""

from collections.abc import Iterator

from loadtests.faults.attempts import SLACK, Attempt
from loadtests.faults.finding import Finding, clock
from loadtests.faults.replay import Happened

NAME = "refused leaves no trace"


def left_no_trace(attempts: list[Attempt], event: Happened | None) -> Iterator[Finding]:
    """attempts: all of one command, in the order in which they were sent. event: that it concluded."""
    if event is None:
        return
    if all(attempt.outcome == "refused" and attempt.code != "IDEMPOTENCY_MISMATCH" for attempt in attempts):
        yield _finding(attempts[-1], event, "refused each time")
        return
    for refused in attempts:
        if refused.final and refused.code != "IDEMPOTENCY_MISMATCH":
            yield from (_finding(refused, event, why) for why in _contradictions(refused, attempts, event))


def _contradictions(refused: Attempt, attempts: list[Attempt], event: Happened) -> Iterator[str]:
    """Why the event cannot be of an attempt that came into force after the refusal."""
    assert refused.answered is not None
    if any(each.outcome == "ok" and each.answered and each.answered < refused.at for each in attempts):
        yield "refused after it was answered with ok"
    elif event.committed is not None and event.committed < refused.at - SLACK:
        yield "refused when it had happened"
    elif not any(
        (each.outcome == "ok" and each.answered and each.answered > refused.at)
        or (each.unknown and each.at > refused.answered)
        for each in attempts
    ):
        yield "refused, and an attempt before that, whose outcome was not known, happened all the same"


def _finding(attempt: Attempt, event: Happened, why: str) -> Finding:
    when = f"event {event.shop_seq}, committed at {clock(event.committed)}"
    return Finding(NAME, f"{attempt}: {why} ({attempt.code}), yet it concluded {when}")
