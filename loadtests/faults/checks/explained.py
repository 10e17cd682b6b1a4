"""A refusal was true of the shop at one moment at least between the command's first call and the answer.

low, high: the shopSeqs that bound that moment (attempts.py). What each code claims: docs/state-machine.md. `judge`
tells None for what the events cannot judge: who may do what, what is well-formed, free appointments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from loadtests.faults.attempts import Attempt
from loadtests.faults.checks.impossible import impossible
from loadtests.faults.finding import Finding
from loadtests.faults.history import Json
from loadtests.faults.replay import Happened, Life, Replay

NAME = "refusals explained"
_STAFF: Final = frozenset({"barber", "admin", "system"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """barbers: the shop's. details: of the error."""

    replay: Replay
    barbers: frozenset[str]
    low: int
    high: int
    role: str
    user: str
    code: str
    command: Json
    details: Json

    @property
    def staff(self) -> bool:
        return self.role in _STAFF

    @property
    def life(self) -> Life | None:
        """Of the booking that the command names."""
        return self.replay.lives.get(self.command.get("bookingId", ""))

    def moments(self, barber: str) -> list[Happened]:
        """The barber's queue as it stood between low and high."""
        return self.replay.between(barber, self.low, self.high)


def unexplained(attempt: Attempt, low: int, told: bool | None) -> list[Finding]:
    """told: what `judge` said."""
    if told is not False:
        return []
    return [Finding(NAME, f"{attempt}: {attempt.code} {attempt.details} was true at no moment from {low} on")]


def judge(refusal: Refusal) -> bool | None:
    """Whether it was true; None when that is not for the events to say."""
    rule = _RULES.get(refusal.code)
    return rule(refusal) if rule is not None else None


def _already(refusal: Refusal) -> bool | None:
    customer = refusal.user if refusal.command["type"] == "join" else refusal.life and refusal.life.customer
    other = refusal.details.get("bookingId")
    held = refusal.replay.held_by(customer or "", refusal.low, refusal.high)
    return any(each is not None and other in {None, each} for each in held)


def _queue_is(status: str) -> Callable[[Refusal], bool | None]:
    def rule(refusal: Refusal) -> bool | None:
        barber = _barber(refusal)
        return any(moment.status == status for moment in refusal.moments(barber)) if barber else None

    return rule


def _full(refusal: Refusal) -> bool | None:
    barber, capacity = _barber(refusal), refusal.details.get("capacity", refusal.replay.capacity)
    if barber is None or capacity is None:
        return None
    if refusal.replay.capacity not in {None, capacity}:
        return False
    return any(moment.length >= capacity for moment in refusal.moments(barber))


def _barber(refusal: Refusal) -> str | None:
    """Whose queue was refused: the one that would have been joined."""
    named = refusal.command.get("toBarberId") or refusal.command.get("barberId")
    told: str | None = refusal.details.get("barberId", named)
    return told if named in {None, told} else named


def _stale(refusal: Refusal) -> bool | None:
    barber, saw = refusal.details.get("barberId"), refusal.command.get("expect")
    if barber is None or not saw:
        return None if saw else False
    return any(
        moment.seq == refusal.details.get("seq", moment.seq)
        and moment.status == refusal.details.get("status", moment.status)
        and not _as_seen(saw, moment)
        for moment in refusal.moments(barber)
    )


def _as_seen(saw: Json, moment: Happened) -> bool:
    return bool(
        saw.get("seq") in {None, moment.seq}
        and ("servingBookingId" not in saw or saw["servingBookingId"] == moment.serving)
    )


def _not_found(refusal: Refusal) -> bool | None:
    resource: Any = refusal.details.get("resource")
    if resource == "queue":
        there = refusal.command.get("barberId") in refusal.barbers
        return (None if refusal.role == "guest" else False) if there else True
    if resource != "booking":
        return None
    life = refusal.life
    if life is None or life.since[0] > refusal.low:
        return True
    if refusal.role == "customer":
        return life.customer != refusal.user
    return False if refusal.staff else None  # whose ticket a guest has, no event says


def _mismatch(refusal: Refusal) -> bool | None:
    """That its id was used; whether for something else, only the digest tells."""
    event = refusal.replay.concluding(refusal.command["commandId"])
    return event is not None and event.shop_seq <= refusal.high


def _impossible(refusal: Refusal) -> bool | None:
    return impossible(refusal.replay, refusal.low, refusal.high, refusal.command, refusal.details, refusal.staff)


_RULES: Final[dict[str, Callable[[Refusal], bool | None]]] = {
    "ALREADY_IN_QUEUE": _already,
    "QUEUE_CLOSED": _queue_is("closed"),
    "QUEUE_PAUSED": _queue_is("paused"),
    "QUEUE_FULL": _full,
    "STALE_STATE": _stale,
    "NOT_FOUND": _not_found,
    "IDEMPOTENCY_MISMATCH": _mismatch,
    "INVALID_TRANSITION": _impossible,
}
