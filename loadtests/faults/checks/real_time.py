"""The order of a shop's events respects real time: what was asked for after an answer comes after what that told of.

With one order of all events (shopSeq), that makes each shop linearizable: every command takes effect at one moment
between its call and its answer.
"""

from collections.abc import Iterator

from loadtests.faults.attempts import Attempt
from loadtests.faults.finding import Finding
from loadtests.faults.replay import Happened

NAME = "real time"


def in_real_time(attempts: list[Attempt], event: Happened | None) -> Iterator[Finding]:
    """attempts: all of one command, in the order in which they were sent. event: that it concluded."""
    first = attempts[0]
    if event is not None and event.shop_seq <= first.low:
        told = f"concluded event {event.shop_seq}, and {first.low} was answered before it was first sent"
        yield Finding(NAME, f"{first}: {told}")
