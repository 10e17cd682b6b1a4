"""Users whose tokens were revoked, as Postgres holds them."""

from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

_REVOKE: Final = """
    INSERT INTO revocations (user_id, before) VALUES ($1, now())
    ON CONFLICT (user_id) DO UPDATE SET before = excluded.before RETURNING before
"""
_SINCE: Final = "SELECT user_id, before FROM revocations WHERE before > $1 ORDER BY before"


async def revoke_tokens(connection: AnyConnection, user_id: str) -> datetime:
    """Refuses all that the user has now, in the caller's transaction; the moment from which on new ones are good."""
    before: datetime = await connection.fetchval(_REVOKE, user_id)
    return before


async def revoked_since(pool: "Pool[Any]", moment: datetime) -> list[tuple[str, datetime]]:
    """(user id, before), the oldest first."""
    return [(row["user_id"], row["before"]) for row in await pool.fetch(_SINCE, moment)]
