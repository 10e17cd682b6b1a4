"""After the last of a round of faults, all is well again by itself, and soon."""

from collections.abc import Iterator
from typing import Final

from loadtests.faults.finding import Finding, clock
from loadtests.faults.history import Json

NAME = "recovered"
WITHIN: Final = 15.0
"""Seconds from the last fault's healing that are promised."""


def recovered(calm: Json, within: float) -> Iterator[Finding]:
    since, seconds = clock(calm["since"]), calm["seconds"]
    if seconds is None:
        yield Finding(NAME, f"after {since} it never was well again: {calm['wrong']}")
        return
    if seconds > within:
        yield Finding(NAME, f"after {since} it took {seconds:.1f} s to be well again")
    if calm["wrong"]:
        yield Finding(NAME, f"after {since} all was calm, but: {calm['wrong']}")
