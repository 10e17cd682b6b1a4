"""What is over of accounts goes after a while: letters' secrets, ended sessions, wrong passwords."""

from typing import Any, Final

from asyncpg import Pool

_GO: Final = (
    "DELETE FROM challenges WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM sessions WHERE coalesce(revoked_at, expires_at) < now() - interval '30 days'",
    "DELETE FROM sign_in_failures WHERE since < now() - interval '1 day'",
)


async def tidy(pool: "Pool[Any]") -> int:
    """How many rows went."""
    return sum([int((await pool.execute(each)).removeprefix("DELETE ")) for each in _GO])
