"""Users whose tokens were revoked, as Postgres holds them."""

from datetime import datetime
from typing import Any, Final

from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

_REVOKE: Final = """
    WITH revoked AS (
        INSERT INTO revocations (user_id, before) VALUES ($1, now())
        ON CONFLICT (user_id) DO UPDATE SET before = excluded.before RETURNING before
    ), noted AS (
        INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id)
        VALUES ($2, $3, 'tokens.revoked', 'user', $1)
    )
    SELECT before FROM revoked
"""
_SINCE: Final = "SELECT user_id, before FROM revocations WHERE before > $1 ORDER BY before"


async def revoke(
    pool: "Pool[Any] | PoolConnectionProxy[Any]", user_id: str, actor_id: str, actor_role: str
) -> datetime:
    """Refuses all tokens that the user has now; the moment from which on new ones are good. Noted in the audit log."""
    before: datetime = await pool.fetchval(_REVOKE, user_id, actor_id, actor_role)
    return before


async def revoked_since(pool: "Pool[Any]", moment: datetime) -> list[tuple[str, datetime]]:
    """(user id, before), the oldest first."""
    return [(row["user_id"], row["before"]) for row in await pool.fetch(_SINCE, moment)]
