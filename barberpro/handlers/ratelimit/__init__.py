"""How many requests a caller may send a minute, counted in Redis for all nodes together."""

import asyncio
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import structlog
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from barberpro.storage.primaries import Primaries

log = structlog.get_logger(__name__)

_SOURCE: Final = (files(__name__) / "gcra.lua").read_text()
_PERIOD_MS: Final = 60_000
_PATIENCE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a caller's requests. retry_after: seconds until the next may come; 0 when this one may."""

    limit: int
    remaining: int
    retry_after: float = 0.0

    @property
    def allowed(self) -> bool:
        return self.retry_after == 0.0


class RateLimiter:
    """One for a node; the count is Redis's, so all nodes of a deployment share it."""

    def __init__(self, primaries: Primaries, prefix: str, per_minute: int) -> None:
        """per_minute: 0 switches it off."""
        self._primaries = primaries
        self._script: AsyncScript = primaries.at(prefix).register_script(_SOURCE)
        self._prefix = prefix
        self._limit = per_minute

    async def take(self, caller: str) -> Quota | None:
        """Counts one request of `caller`. None when limiting is off."""
        if self._limit <= 0:
            return None
        key = f"{self._prefix}:rate:{caller}"
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reply = await self._script([key], [self._limit, _PERIOD_MS], self._primaries.at(key))
        except (RedisError, OSError) as error:
            # Let pass: the limit protects the service, and turning everybody away would be worse than any flood
            # that could come in meanwhile. Reads go on from memory, commands are refused for want of Redis.
            log.warning("rate_limit_uncounted", problem=repr(error))
            self._primaries.doubt()
            return Quota(self._limit, self._limit)
        allowed, remaining, wait_ms = reply
        return Quota(self._limit, remaining, 0.0 if allowed else max(wait_ms, 1) / 1000)
