"""A live connection's session: who it is, which rooms it sits in, and when its token ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from barberpro.domain.identity import Identity
from barberpro.handlers.realtime.rooms import Seat
from barberpro.handlers.services import Limits
from barberpro.protocol.actors import Actor
from barberpro.protocol.times import rfc3339


@dataclass(slots=True)
class Session:
    """identity may be renewed on the live connection. seats: by room name."""

    identity: Identity
    ip: str | None
    seats: dict[str, Seat] = field(default_factory=dict)
    clock: asyncio.Task[None] | None = None
    renewed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when `identity` was."""

    @property
    def actor(self) -> Actor:
        return self.identity.actor

    def renew(self, identity: Identity) -> None:
        """Goes on with another token of the same actor, which may end later or sooner."""
        self.identity = identity
        self.renewed.set()

    def expires_at(self) -> str:
        return rfc3339(round(self.identity.expires_at * 1000))


Warn = Callable[[str], Awaitable[None]]


async def watch_expiry(session: Session, limits: Limits, warn: Warn, end: Callable[[], Awaitable[None]]) -> None:
    """Warns before the session's token ends, and ends the session when it was not renewed within the grace."""
    while True:
        session.renewed.clear()
        expires = session.identity.expires_at
        if await _renewed_before(session, expires - limits.session_warning_seconds):
            continue
        await warn(session.expires_at())
        if not await _renewed_before(session, expires + limits.session_grace_seconds):
            await end()
            return


async def _renewed_before(session: Session, moment: float) -> bool:
    """Waits until the session is renewed, or until the moment (seconds since the epoch) has come."""
    try:
        async with asyncio.timeout(max(0.0, moment - time.time())):
            await session.renewed.wait()
    except TimeoutError:
        return False
    return True
