"""What is over goes after a while: letters' secrets, ended sessions, wrong passwords, blocks of addresses."""

from typing import Any, Final

from asyncpg import Pool

_GO: Final = (
    "DELETE FROM challenges WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM sessions WHERE coalesce(revoked_at, expires_at) < now() - interval '30 days'",
    "DELETE FROM sign_in_failures WHERE since < now() - interval '1 day'",
    "DELETE FROM revocations WHERE before < now() - interval '366 days'",
    "DELETE FROM rate_limits WHERE until < now() - interval '90 days'",
)


async def tidy(pool: "Pool[Any]") -> int:
    """How many rows went. A regular job's."""
    return sum([int((await pool.execute(each)).removeprefix("DELETE ")) for each in _GO])
