"""What is over goes after a while: letters' secrets, ended sessions, wrong passwords, blocks of addresses.

And what is personal in a booking that was on its way while its customer was forgotten, once it is over.
"""

from typing import Any, Final

from asyncpg import Pool

_GO: Final = (
    "DELETE FROM challenges WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM sessions WHERE coalesce(revoked_at, expires_at) < now() - interval '30 days'",
    "DELETE FROM sign_in_failures WHERE since < now() - interval '1 day'",
    "DELETE FROM revocations WHERE before < now() - interval '366 days'",
    "DELETE FROM rate_limits WHERE until < now() - interval '90 days'",
    """
    UPDATE bookings b SET customer_name = NULL, phone_sealed = NULL, notes = NULL FROM users u
    WHERE u.deleted_at IS NOT NULL AND b.customer_id = u.user_id AND b.created_at > u.deleted_at - interval '1 hour'
      AND b.status NOT IN ('scheduled', 'waiting', 'next', 'serving')
      AND (b.customer_name IS NOT NULL OR b.phone_sealed IS NOT NULL OR b.notes IS NOT NULL)
    """,
)


async def tidy(pool: "Pool[Any]") -> int:
    """How many rows went, or lost what was personal. A regular job's."""
    return sum([int((await pool.execute(each)).rpartition(" ")[2]) for each in _GO])
