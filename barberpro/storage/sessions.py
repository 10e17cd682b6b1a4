"""Sessions, as Postgres holds them: each a family of refresh tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

_COLUMNS: Final = (
    "session_id, user_id, secret_sealed, generation, renewed_with, ip, agent, created_at, used_at, expires_at,"
    " revoked_at, revoked_why"
)
_BEGIN: Final = """
    INSERT INTO sessions (session_id, user_id, secret_sealed, ip, agent, expires_at)
    VALUES ($1, $2, $3, $4, $5, now() + $6)
    ON CONFLICT (session_id) DO NOTHING
"""
_LOCKED: Final = f"SELECT {_COLUMNS} FROM sessions WHERE session_id = $1 FOR UPDATE"  # noqa: S608 - our own words
_LIVE: Final = f"""
    SELECT {_COLUMNS} FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
    ORDER BY created_at DESC, session_id
"""  # noqa: S608 - our own words
_RENEW: Final = """
    UPDATE sessions SET generation = generation + 1, renewed_with = $2, used_at = now(), expires_at = now() + $3
    WHERE session_id = $1 RETURNING expires_at
"""
_REVOKE: Final = """
    UPDATE sessions SET revoked_at = clock_timestamp(), revoked_why = $3
    WHERE user_id = $1 AND ($2::text IS NULL OR session_id = $2) AND revoked_at IS NULL
    RETURNING session_id
"""
_REVOKED_SINCE: Final = "SELECT session_id, revoked_at FROM sessions WHERE revoked_at > $1 ORDER BY revoked_at"


@dataclass(frozen=True, slots=True)
class StoredSession:
    """secret_sealed: what its refresh tokens are made of. generation: how often it was renewed.

    renewed_with: the Idempotency-Key of the last time.
    """

    session_id: str
    user_id: str
    secret_sealed: str
    generation: int
    renewed_with: str | None
    ip: str | None
    agent: str | None
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_why: str | None


async def begin_session(
    connection: AnyConnection,
    session_id: str,
    user_id: str,
    secret_sealed: str,
    ip: str | None,
    agent: str | None,
    lasts: timedelta,
) -> tuple[StoredSession, bool]:
    """The session, and whether it is new; when it is there already, as it is."""
    done = await connection.execute(_BEGIN, session_id, user_id, secret_sealed, ip, agent, lasts)
    session = await locked_session(connection, session_id)
    assert session is not None  # noqa: S101 - it was put there in this transaction, if it was not there before
    return session, done == "INSERT 0 1"


async def locked_session(connection: AnyConnection, session_id: str) -> StoredSession | None:
    """Held until the transaction ends: of two renewals at once, one is the first."""
    row = await connection.fetchrow(_LOCKED, session_id)
    return _session(row) if row is not None else None


async def live_sessions(connection: AnyConnection, user_id: str) -> list[StoredSession]:
    """The newest first."""
    return [_session(row) for row in await connection.fetch(_LIVE, user_id)]


async def renew_session(connection: AnyConnection, session_id: str, key: str | None, lasts: timedelta) -> datetime:
    """Raises its generation; until when it is good now."""
    expires_at: datetime = await connection.fetchval(_RENEW, session_id, key, lasts)
    return expires_at


async def revoke_sessions(connection: AnyConnection, user_id: str, session_id: str | None, why: str) -> list[str]:
    """Ends one session of the user's, or all (None); those that were live."""
    return [row["session_id"] for row in await connection.fetch(_REVOKE, user_id, session_id, why)]


async def sessions_revoked_since(pool: "Pool[Any]", moment: datetime) -> list[tuple[str, datetime]]:
    """(session id, when), the oldest first."""
    return [(row["session_id"], row["revoked_at"]) for row in await pool.fetch(_REVOKED_SINCE, moment)]


def _session(row: Mapping[str, Any]) -> StoredSession:
    return StoredSession(**row)
