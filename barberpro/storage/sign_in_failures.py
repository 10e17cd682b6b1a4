"""Wrong passwords, counted by what was claimed: whether or not there is such a user, so that it tells nothing."""

from typing import Final

from barberpro.storage.postgres import AnyConnection

_COUNT: Final = """
    INSERT INTO sign_in_failures AS f (contact_lookup, failures, since) VALUES ($1, 1, now())
    ON CONFLICT (contact_lookup) DO UPDATE SET
        failures = CASE WHEN f.since < now() - interval '15 minutes' THEN 1 ELSE f.failures + 1 END,
        since = CASE WHEN f.since < now() - interval '15 minutes' THEN now() ELSE f.since END
    RETURNING failures, extract(epoch FROM since + interval '15 minutes' - now())::float8 AS seconds
"""


async def count_try(connection: AnyConnection, lookup: str) -> tuple[int, float]:
    """Counts before it is known how the try ends: how many there were, and the seconds until all is forgotten."""
    row = await connection.fetchrow(_COUNT, lookup)
    assert row is not None  # noqa: S101 - it inserts or updates
    return row["failures"], row["seconds"]


async def forget_tries(connection: AnyConnection, lookup: str) -> None:
    await connection.execute("DELETE FROM sign_in_failures WHERE contact_lookup = $1", lookup)
