"""Nothing happened that is the server's own fault: no answer was INTERNAL_ERROR."""

from collections.abc import Iterator

from loadtests.faults.attempts import Attempt
from loadtests.faults.finding import Finding

NAME = "nothing impossible"


def nothing_impossible(attempt: Attempt) -> Iterator[Finding]:
    if attempt.code == "INTERNAL_ERROR":
        yield Finding(NAME, f"{attempt}: INTERNAL_ERROR {attempt.details or ''}".rstrip())
