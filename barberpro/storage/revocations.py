"""Users whose tokens were revoked, as Postgres holds them."""

from datetime import datetime
from typing import Any, Final

from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

from barberpro.storage.postgres import AnyConnection

_REVOKE: Final = """
    WITH revoked AS (
        INSERT INTO revocations (user_id, before) VALUES ($1, now())
        ON CONFLICT (user_id) DO UPDATE SET before = excluded.before RETURNING before
    ), ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_why = 'revoked' WHERE user_id = $1 AND revoked_at IS NULL
    ), noted AS (
        INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id)
        VALUES ($2, $3, 'tokens.revoked', 'user', $1)
    )
    SELECT before FROM revoked
"""
_REVOKE_TOKENS: Final = """
    INSERT INTO revocations (user_id, before) VALUES ($1, now())
    ON CONFLICT (user_id) DO UPDATE SET before = excluded.before
"""
_SINCE: Final = "SELECT user_id, before FROM revocations WHERE before > $1 ORDER BY before"


async def revoke(
    pool: "Pool[Any] | PoolConnectionProxy[Any]", user_id: str, actor_id: str, actor_role: str
) -> datetime:
    """Refuses all tokens that the user has now; the moment from which on new ones are good. Noted in the audit log."""
    before: datetime = await pool.fetchval(_REVOKE, user_id, actor_id, actor_role)
    return before


async def revoke_tokens(connection: AnyConnection, user_id: str) -> None:
    """Refuses all tokens that the user has now, in the caller's transaction."""
    await connection.execute(_REVOKE_TOKENS, user_id)


async def revoked_since(pool: "Pool[Any]", moment: datetime) -> list[tuple[str, datetime]]:
    """(user id, before), the oldest first."""
    return [(row["user_id"], row["before"]) for row in await pool.fetch(_SINCE, moment)]
