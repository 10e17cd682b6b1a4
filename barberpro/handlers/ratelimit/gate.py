"""What stands before every door: blocks, counts, and the step from one to the other."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from barberpro.domain.blocks import Blocks
from barberpro.handlers.metrics import RATE_REFUSALS
from barberpro.handlers.ratelimit import Quota, RateLimiter, Subjects
from barberpro.handlers.ratelimit.rules import Rated
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.times import rfc3339_of

_KEPT_OUT: Final = "Too much came from this address; it is kept out for a while."


@dataclass(frozen=True, slots=True)
class Gate:
    limiter: RateLimiter
    blocks: Blocks

    def refuse_blocked(self, network: str) -> None:
        """Raises RATE_LIMIT_EXCEEDED, with details.blockedUntil, for a network that is blocked."""
        left = self.blocks.left(network)
        if left:
            RATE_REFUSALS["blocked",] += 1
            until = rfc3339_of(datetime.now(UTC) + timedelta(seconds=left))
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, _KEPT_OUT, {"blockedUntil": until}, retry_after=left)

    async def count(self, rated: Rated, subjects: Subjects, request_id: str) -> Quota | None:
        """As RateLimiter.take. A network from which strangers, or guesses, go on after refusals is blocked."""
        quota = await self.limiter.take(rated, subjects)
        if quota is None or quota.allowed:
            return quota
        RATE_REFUSALS[rated.value,] += 1
        if subjects.user is None or quota.rule.guards:
            patience = await self.limiter.take(Rated.REFUSED, Subjects(subjects.network))
            if patience is not None and not patience.allowed:
                await self.blocks.punish(subjects.network, rated, request_id)
        return quota
