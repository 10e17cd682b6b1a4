"""How often one connection may ask."""

import time
from typing import Final, Self

from barberpro.handlers.services import Limits
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_REQUESTS_PER_COMMAND: Final = 8


class Pace:
    """At most `most` at once, and `most` more in each `seconds`: the generic cell rate algorithm."""

    def __init__(self, most: int, seconds: float) -> None:
        self._interval = seconds / most
        self._burst = seconds - self._interval
        self._next = 0.0

    @classmethod
    def of_commands(cls, limits: Limits) -> Self:
        return cls(limits.commands, limits.commands_seconds)

    @classmethod
    def of_requests(cls, limits: Limits) -> Self:
        """Of any kind: each may cost a look at Postgres. Enough to enter every room that a connection may have."""
        most = max(_REQUESTS_PER_COMMAND * limits.commands, 2 * limits.rooms_per_connection)
        return cls(most, limits.commands_seconds)

    def take(self) -> None:
        """Counts one. Raises RATE_LIMIT_EXCEEDED with the seconds to wait."""
        now = time.monotonic()
        due = max(self._next, now)
        if due - now > self._burst:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=due - now - self._burst)
        self._next = due + self._interval
