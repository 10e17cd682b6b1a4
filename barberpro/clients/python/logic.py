"""What the client decides, without any I/O: which state is newer, how long to wait, whether to try again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

Dice = Callable[[], float]
"""Gives a number from 0 up to 1, as random.random does."""


class Version(NamedTuple):
    """Where a room's state stands. Tuples compare as the contract asks: the epoch first, then the seq."""

    epoch: int
    seq: int

    def to_wire(self) -> dict[str, int]:
        return {"epoch": self.epoch, "seq": self.seq}


def version_of(message: Mapping[str, Any]) -> Version | None:
    """The version that a message carries; None when it carries none."""
    epoch, seq = message.get("epoch"), message.get("seq")
    return Version(epoch, seq) if isinstance(epoch, int) and isinstance(seq, int) else None


def is_older(candidate: Version, last: Version | None) -> bool:
    """Whether a state would take back what the client has. One of the same version does not: its waits may be new."""
    return last is not None and candidate < last


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """All in seconds.

    ack_timeout: how long one attempt waits for its answer.
    deadline: how long a call goes on in all, its attempts and the waits between them.
    first_delay, longest_delay: the bounds of the wait after the first attempt and after any.
    """

    ack_timeout: float = 5.0
    deadline: float = 30.0
    first_delay: float = 0.2
    longest_delay: float = 5.0

    def delay(self, attempt: int, dice: Dice, at_least: float = 0.0) -> float:
        """How long to wait after the given attempt (1 is the first), in seconds.

        'Full jitter' (Brooker, 'Exponential backoff and jitter', 2015): anything up to a bound that doubles,
        so that a thousand clients cut off at once do not come back at once. `at_least` is what the server
        asked for; the jitter comes on top of it.
        """
        bound: float = self.first_delay * 2 ** min(attempt - 1, 16)
        return at_least + dice() * min(bound, self.longest_delay)


class Verdict(Enum):
    """What a refusal means for the one who was refused."""

    GIVE_UP = auto()
    REPEAT = auto()
    RENEW_TOKEN = auto()


def judge(refusal: BarberProError, *, may_renew: bool) -> Verdict:
    """Whether the same request can succeed later. `may_renew`: a fresh token can be had."""
    if refusal.code is ErrorCode.TOKEN_EXPIRED and may_renew:
        return Verdict.RENEW_TOKEN
    return Verdict.REPEAT if refusal.temporary else Verdict.GIVE_UP


def restart_delay(announced_at: float, reconnect_after_ms: float, now: float, dice: Dice) -> float:
    """Seconds to wait before going back to a server that said it restarts; times are of one monotonic clock.

    Up to half of what was asked comes on top, or all clients would be back in the same millisecond.
    """
    asked = max(reconnect_after_ms, 0.0) / 1000
    return max(announced_at + asked - now, 0.0) + dice() * asked / 2
