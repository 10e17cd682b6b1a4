"""The live connections of a node: how many a user has, what each may ask, and their end when the server ends."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import structlog

from barberpro.domain.identity import Identity
from barberpro.handlers.callers import network_of
from barberpro.handlers.metrics import DoorName
from barberpro.handlers.ratelimit import counted_user
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.session import Session
from barberpro.handlers.services import Limits
from barberpro.protocol.answers import ServerRestarting, SessionExpiring
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 1.0
_SPREAD_MS: Final = (500, 3000)
"""Within which clients are asked to come back, so that they do not all come at once."""


class Live(Protocol):
    """A live connection, on whichever door."""

    @property
    def door(self) -> DoorName: ...

    @property
    def session(self) -> Session: ...

    async def warn(self, notice: Message) -> None:
        """Gives it the notice that its token ends."""
        ...

    async def farewell(self, notice: Message) -> None:
        """Gives it the notice that the server restarts, and closes it so that it comes back."""
        ...

    async def expel(self, error: BarberProError) -> None:
        """Tells it that its token is no longer good, and why; closes it so that it stays away."""
        ...


class Connections:
    """All doors' connections. `admit` one, and have it `leave` in the end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._users: Counter[str] = Counter()
        self._busy = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._live: dict[Live, str] = {}
        self._task: asyncio.Task[None] | None = None
        self.closing = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="connections")

    def admit(self, live: Live) -> None:
        """Raises SHUTTING_DOWN, and RATE_LIMIT_EXCEEDED for one too many of a user's (see ratelimit.counted_user)."""
        if self.closing:
            raise BarberProError(ErrorCode.SHUTTING_DOWN)
        most, user = self._limits.connections_per_user, _owner(live.session)
        if self._users[user] >= most:
            raise BarberProError(
                ErrorCode.RATE_LIMIT_EXCEEDED, f"More than {most} connections of one user.", retry_after=10
            )
        self._users[user] += 1
        self._live[live] = user

    def leave(self, live: Live) -> None:
        user = self._live.pop(live, None)
        if user is not None:
            self._users[user] -= 1
            if not self._users[user]:
                del self._users[user]

    def begin(self) -> None:
        """Before what a client asked: the server's end waits until it is done. Raises SHUTTING_DOWN."""
        if self.closing:
            raise BarberProError(ErrorCode.SHUTTING_DOWN)
        self._busy += 1
        self._quiet.clear()

    def done(self) -> None:
        """After what has begun."""
        self._busy -= 1
        if not self._busy:
            self._quiet.set()

    def __len__(self) -> int:
        return len(self._live)

    async def expel(self, revoked: Callable[[Identity], bool]) -> None:
        """Ends the connections of whoever's token has been revoked."""
        error = BarberProError(ErrorCode.TOKEN_REVOKED)
        await _all([live.expel(error) for live in list(self._live) if revoked(live.session.identity)])

    def by_door(self) -> Counter[DoorName]:
        """How many there are."""
        return Counter(live.door for live in self._live)

    async def _watch(self) -> None:
        """One look at all tokens now and then: far cheaper than a clock for each, and late by little."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look(time.time())
            except Exception:
                log.exception("connections_not_looked_at")

    async def _look(self, now: float) -> None:
        """Warns those whose token ends soon, and ends those that did not renew it within the grace: nobody unwarned."""
        over, warned = [], []
        for live in list(self._live):
            left = live.session.identity.expires_at - now
            if left <= self._limits.session_warning_seconds and not live.session.warned:
                live.session.warned = True
                warned.append(live.warn(_expiring(live.session.expires_at())))
            elif left + self._limits.session_grace_seconds <= 0:
                over.append(live.expel(BarberProError(ErrorCode.TOKEN_EXPIRED)))
        await _all(warned + over)

    async def close(self) -> None:
        """Answers what was asked, tells everybody that the server restarts and when to come back, and hangs up."""
        self.closing = True
        await end([self._task])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_seconds):
                await self._quiet.wait()
        await _all([live.farewell(_restarting()) for live in list(self._live)])


def _owner(session: Session) -> str:
    """Whose connection it is, among those that are counted together."""
    return counted_user(session.actor) or f"{session.actor.role.value} at {network_of(session.ip)}"


async def _all(ends: list[Coroutine[Any, Any, None]]) -> None:
    """One that fails holds up none of the others."""
    outcomes = await asyncio.gather(*ends, return_exceptions=True)
    problems = [repr(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]
    if problems:
        log.info("connections_ended_badly", count=len(problems), first=problems[0])


def _expiring(expires_at: str) -> Message:
    return Message("session_expiring", SessionExpiring(expiresAt=expires_at))


def _restarting() -> Message:
    spread = random.randint(*_SPREAD_MS)  # noqa: S311 - no secret
    return Message("server_restarting", ServerRestarting(reconnectAfterMs=spread))
