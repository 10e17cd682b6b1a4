"""Sessions: an access token for an hour, and a refresh token that renews both.

A refresh token reads `<session id>.<generation>.<mac>`. The mac is made with a secret of the session's own, which is
kept sealed; the database tells which generation is the newest. So neither a copy of the database nor the keys alone
make one, and a renewal that is repeated gives the same one again.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncpg import Pool

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.ending import end_sessions
from barberpro.domain.identity import Tokens
from barberpro.domain.revocations import Revocations
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_session_id
from barberpro.storage.audit import note
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.sessions import (
    StoredSession,
    begin_session,
    live_sessions,
    locked_session,
    renew_session,
)
from barberpro.storage.users import User, user_by_id


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds that an access token is good, and days that a session lasts from its last renewal."""

    access_seconds: int = 3600
    refresh_days: int = 30

    @property
    def session(self) -> timedelta:
        return timedelta(days=self.refresh_days)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client gets when it has shown who it is."""

    user: User
    session_id: str
    access_token: str
    expires_at: float
    refresh_token: str
    refresh_expires_at: datetime


class Sessions:
    def __init__(
        self, pool: "Pool[Any]", contacts: Contacts, tokens: Tokens, revocations: Revocations, lifetimes: Lifetimes
    ) -> None:
        self._pool = pool
        self._contacts = contacts
        self._tokens = tokens
        self._revocations = revocations
        self._lifetimes = lifetimes

    async def begin(self, connection: AnyConnection, user: User, via: Via, how: str, key: str | None = None) -> Grant:
        """A new session. how: for the audit log. key: the caller's Idempotency-Key; the same again is the same one.

        user: as they are now, locked in the caller's transaction, so that no reset, deletion or other role is missed.
        Raises TOKEN_REVOKED when that one is over.
        """
        session_id = self._derived(user.user_id, key) if key is not None else new_session_id()
        secret, lasts = self._contacts.sealer.seal(secrets.token_urlsafe(32)), self._lifetimes.session
        session, new = await begin_session(connection, session_id, user.user_id, secret, via.ip, via.agent, lasts)
        if session.revoked_at is not None or session.generation > 0:
            raise BarberProError(ErrorCode.TOKEN_REVOKED, "This sign-in was used, and is over.")
        if new:
            await note(connection, actor_of(user), "session.begun", "session", session_id, after={"how": how}, via=via)
        return self._granted(user, session, 0, session.expires_at)

    async def renew(self, refresh_token: str, via: Via, key: str | None) -> Grant:
        """The next generation. One that was used before ends the whole session: somebody else has it, too.

        Raises UNAUTHORIZED, TOKEN_EXPIRED, TOKEN_REVOKED.
        """
        session_id, generation, mac = _parts(refresh_token)
        async with self._pool.acquire() as connection, connection.transaction():
            session = await locked_session(connection, session_id)
            if session is None or not hmac.compare_digest(mac.encode(), self._mac(session, generation).encode()):
                raise _no_token()
            refusal = _refusal(session)
            if refusal is not None:
                raise refusal
            user = await user_by_id(connection, session.user_id)
            if user is None:
                raise BarberProError(ErrorCode.TOKEN_REVOKED)
            if generation == session.generation:
                expires_at = await renew_session(connection, session_id, key, self._lifetimes.session)
                return self._granted(user, session, generation + 1, expires_at)
            if key is not None and (generation + 1, key) == (session.generation, session.renewed_with):
                return self._granted(user, session, session.generation, session.expires_at)
            await end_sessions(connection, actor_of(user), user.user_id, "reused", via, session_id)
        await self._revocations.look()
        raise BarberProError(ErrorCode.TOKEN_REVOKED, "This refresh token was used before; its session is ended.")

    async def live(self, user_id: str) -> list[StoredSession]:
        async with self._pool.acquire() as connection:
            return await live_sessions(connection, user_id)

    async def end(self, actor: Actor, session_id: str, why: str, via: Via) -> None:
        """Raises NOT_FOUND when the actor has no such live session."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await end_sessions(connection, actor, actor.id, why, via, session_id):
                raise not_found("session")
        await self._revocations.look()

    def _granted(self, user: User, session: StoredSession, generation: int, refresh_expires_at: datetime) -> Grant:
        seconds, session_id = self._lifetimes.access_seconds, session.session_id
        access = self._tokens.mint(
            actor_of(user),
            seconds,
            session_id=session_id,
            email=self._contacts.email_of(user),
            phone=self._contacts.phone_of(user),
        )
        refresh = f"{session_id}.{generation}.{self._mac(session, generation)}"
        return Grant(user, session_id, access, int(time.time()) + seconds, refresh, refresh_expires_at)

    def _mac(self, session: StoredSession, generation: int) -> str:
        secret = self._contacts.sealer.unseal(session.secret_sealed)
        return hmac.new(secret.encode(), f"{session.session_id}.{generation}".encode(), hashlib.sha256).hexdigest()

    def _derived(self, user_id: str, key: str) -> str:
        return f"ss_{self._contacts.sealer.lookup('session id', f'{user_id}.{key}')[:32]}"


def actor_of(user: User) -> Actor:
    return Actor(user.user_id, Role(user.role), user.name, user.barber_id, user.shop_ids)


def _parts(refresh_token: str) -> tuple[str, int, str]:
    """Session, generation and mac. Raises UNAUTHORIZED for what is none of ours."""
    parts = refresh_token.split(".")
    if len(parts) == 3 and len(parts[1]) < 10 and parts[1].isascii() and parts[1].isdecimal():
        return parts[0], int(parts[1]), parts[2]
    raise _no_token()


def _no_token() -> BarberProError:
    return BarberProError(ErrorCode.UNAUTHORIZED, "This is no refresh token.")


def _refusal(session: StoredSession) -> BarberProError | None:
    if session.revoked_at is not None:
        return BarberProError(ErrorCode.TOKEN_REVOKED)
    if session.expires_at <= datetime.now(UTC):
        return BarberProError(ErrorCode.TOKEN_EXPIRED)
    return None
