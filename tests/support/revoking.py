"""Revoking all that a user has, as `barberpro revoke` does. Holds no tests itself."""

from datetime import datetime
from typing import Any

from asyncpg import Pool

from barberpro.domain import ending
from barberpro.protocol.actors import Actor, Role


async def revoke(pool: "Pool[Any]", user_id: str, by: str, role: str) -> datetime:
    """The moment from which on new tokens are good."""
    async with pool.acquire() as connection, connection.transaction():
        return await ending.revoke(connection, Actor(by, Role(role)), user_id)
