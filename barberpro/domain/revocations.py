"""Who may not come in any more: revoked users and ended sessions, kept up to date on every node."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.domain.identity import LONGEST_ACCESS_SECONDS, Identity
from barberpro.storage.listening import Ear
from barberpro.storage.postgres import Away
from barberpro.storage.revocations import revoked_since
from barberpro.storage.sessions import sessions_revoked_since
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 2.0
_OVERLAP: Final = timedelta(seconds=60)
"""A revocation may be committed a while after its moment, and is not to be overlooked then."""

_REMEMBERED: Final = timedelta(seconds=LONGEST_ACCESS_SECONDS) + _OVERLAP
"""After which an ended session need not be known: its last token has ended by itself."""

Listener = Callable[[], Awaitable[None]]


class Revocations:
    """Postgres tells of them at once, and is asked every two seconds. `listeners` are called after new ones."""

    def __init__(self, pool: "Pool[Any]", database_url: str) -> None:
        self._pool = pool
        self._told = asyncio.Event()
        self._ear = Ear(database_url, "revocations", self.hear)
        self._before: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._newest = datetime.min.replace(tzinfo=UTC) + _OVERLAP
        self._newest_session = datetime.now(UTC) - _REMEMBERED
        self._task: asyncio.Task[None] | None = None
        self.listeners: list[Listener] = []

    async def start(self) -> None:
        """Raises what Postgres raises while it is away: nobody is let in unlooked-at."""
        await self._ear.listen()
        await self._look()
        self._task = asyncio.create_task(self._run(), name="revocations")

    async def close(self) -> None:
        await end([self._task])
        await self._ear.close()

    def covers(self, identity: Identity) -> bool:
        """Whether a token that was good has been revoked, with its session or with all of its user's."""
        if identity.session_id is not None and identity.session_id in self._ended:
            return True
        return identity.issued_at < self._before.get(identity.actor.id, 0.0)

    def hear(self) -> None:
        """There may be new ones."""
        self._told.set()

    async def look(self) -> None:
        """At once, for who has just revoked something: this node must not answer to it any more."""
        if await self._look():
            for listener in self.listeners:
                await listener()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _LOOK_SECONDS)
            self._told.clear()
            try:
                # Looking does without the ear, which needs a connection of its own.
                with contextlib.suppress(*Away):
                    await self._ear.listen()
                await self.look()
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
        return await self._look_at_sessions() or found

    async def _look_at_sessions(self) -> bool:
        found = False
        for session_id, ended in await sessions_revoked_since(self._pool, self._newest_session - _OVERLAP):
            found = found or session_id not in self._ended
            self._ended[session_id] = ended.timestamp()
            self._newest_session = max(self._newest_session, ended)
        forgotten = time.time() - _REMEMBERED.total_seconds()
        for session_id in [each for each, ended in self._ended.items() if ended < forgotten]:
            del self._ended[session_id]
        return found
