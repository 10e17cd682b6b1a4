"""How often one connection may send commands."""

import time
from typing import Self

from barberpro.handlers.services import Limits
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError


class Pace:
    """At most `most` at once, and `most` more in each `seconds`: the generic cell rate algorithm."""

    def __init__(self, most: int, seconds: float) -> None:
        self._interval = seconds / most
        self._burst = seconds - self._interval
        self._next = 0.0

    @classmethod
    def of(cls, limits: Limits) -> Self:
        return cls(limits.commands, limits.commands_seconds)

    def take(self) -> None:
        """Counts one. Raises RATE_LIMIT_EXCEEDED with the seconds to wait."""
        now = time.monotonic()
        due = max(self._next, now)
        if due - now > self._burst:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=due - now - self._burst)
        self._next = due + self._interval
