"""Answers that are kept in Redis for a moment. Nothing rests on it: without Redis everybody is answered anew."""

import asyncio
from typing import Final

import structlog
from redis.exceptions import RedisError

from barberpro.storage.primaries import Primaries

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS: Final = 0.25


class Cache:
    """name: what is kept, the second part of its keys."""

    def __init__(self, primaries: Primaries, prefix: str, name: str) -> None:
        self._primaries = primaries
        self._root = f"{prefix}:{name}:"

    async def get(self, key: str) -> bytes | None:
        """None, too, when Redis cannot be asked."""
        name = self._root + key
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                kept = await self._primaries.at(name).get(name)
        except (RedisError, OSError) as error:
            self._missed(error)
            return None
        return kept if isinstance(kept, bytes) else None

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        """For so long; not at all when that is no time."""
        name, millis = self._root + key, int(seconds * 1000)
        if millis <= 0:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._primaries.at(name).set(name, value, px=millis)
        except (RedisError, OSError) as error:
            self._missed(error)

    def _missed(self, error: Exception) -> None:
        log.info("cache_missed", problem=repr(error))
        self._primaries.doubt()
