"""Nothing happened that is a server's own fault: none answers INTERNAL_ERROR, refuses whom it has to let in, or logs an
error, whatever is done to it."""

from collections.abc import Iterator

from loadtests.faults.attempts import Attempt
from loadtests.faults.finding import Finding, clock
from loadtests.faults.history import Json

NAME = "nothing impossible"


def nothing_impossible(attempt: Attempt) -> Iterator[Finding]:
    if attempt.code == "INTERNAL_ERROR":
        yield Finding(NAME, f"{attempt}: INTERNAL_ERROR {attempt.details or ''}".rstrip())


def shut_out(line: Json) -> Iterator[Finding]:
    """line: somebody was refused a room for good; all people of a run ask for what is theirs."""
    yield Finding(NAME, f"at {clock(line['at'])} {line['client']} was refused {line['room']}: {line['code']}")


def logged(line: Json) -> Iterator[Finding]:
    """line: a server wrote an error into its log."""
    yield Finding(NAME, f"{line['server']} logged: {line['told']}")
