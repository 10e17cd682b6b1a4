"""Who may not come in any more: the revoked users, kept up to date on every node."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.storage.postgres import Away
from barberpro.storage.revocations import revoked_since

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 2.0
_OVERLAP: Final = timedelta(seconds=60)
"""A revocation may be committed a while after its moment, and is not to be overlooked then."""

Listener = Callable[[], Awaitable[None]]


class Revocations:
    """Asks Postgres every two seconds. `listeners` are called after there were new ones."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool
        self._before: dict[str, float] = {}
        self._newest = datetime.min.replace(tzinfo=UTC) + _OVERLAP
        self._task: asyncio.Task[None] | None = None
        self.listeners: list[Listener] = []

    async def start(self) -> None:
        """Raises what Postgres raises while it is away: nobody is let in unlooked-at."""
        await self._look()
        self._task = asyncio.create_task(self._run(), name="revocations")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def covers(self, user_id: str, issued_at: float) -> bool:
        """Whether a token that the user was issued then (seconds since the epoch) has been revoked."""
        return issued_at < self._before.get(user_id, 0.0)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if await self._look():
                    for listener in self.listeners:
                        await listener()
            except Away as error:
                log.info("revocations_unread", problem=repr(error))
            except Exception:
                log.exception("revocations_failed")

    async def _look(self) -> bool:
        """Whether there were new ones."""
        found = False
        for user_id, before in await revoked_since(self._pool, self._newest - _OVERLAP):
            if self._before.get(user_id, 0.0) < before.timestamp():
                self._before[user_id] = before.timestamp()
                found = True
            self._newest = max(self._newest, before)
        return found
