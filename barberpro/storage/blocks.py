"""Blocks of addresses, as Postgres has them: the table rate_limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.protocol.actors import Actor, Via
from barberpro.storage.audit import Json, note

_MOST: Final = 10_000
"""Blocks that a node knows of, the longest first."""


@dataclass(frozen=True, slots=True)
class Block:
    """network: as handlers.callers.network_of names it. lifted_at, lifted_by: of one that was ended early."""

    block_id: str
    network: str
    reason: str
    made_by: str
    at: datetime
    until: datetime
    lifted_at: datetime | None
    lifted_by: str | None


_COLUMNS: Final = "block_id, network, reason, made_by, at, until, lifted_at, lifted_by"
_BLOCK: Final = f"""
    WITH known AS (
        UPDATE rate_limits SET until = greatest(until, now() + make_interval(secs => $6))
        WHERE network = $2 AND reason = $3 AND made_by = $4 AND lifted_at IS NULL AND until > now()
        RETURNING {_COLUMNS}
    ), made AS (
        INSERT INTO rate_limits (block_id, network, reason, made_by, request_id, until)
        SELECT $1, $2, $3, $4, $5, now() + make_interval(secs => $6) WHERE NOT EXISTS (SELECT FROM known)
        RETURNING {_COLUMNS}
    )
    SELECT * FROM known UNION ALL SELECT * FROM made LIMIT 1
"""  # noqa: S608 - fixed words
_LIFT: Final = f"""
    UPDATE rate_limits SET lifted_at = now(), lifted_by = $2
    WHERE block_id = $1 AND lifted_at IS NULL AND until > now()
    RETURNING {_COLUMNS}
"""  # noqa: S608 - fixed words
_IN_FORCE: Final = """
    SELECT network, until FROM rate_limits WHERE lifted_at IS NULL AND until > now() ORDER BY until DESC LIMIT $1
"""
_PAGE: Final = f"""
    SELECT {_COLUMNS} FROM rate_limits
    WHERE ($1::text IS NULL OR block_id < $1) AND (NOT $2 OR (lifted_at IS NULL AND until > now()))
    ORDER BY block_id DESC LIMIT $3
"""  # noqa: S608 - fixed words
_FIND: Final = f"SELECT {_COLUMNS} FROM rate_limits WHERE block_id = $1"  # noqa: S608 - fixed words


async def block(
    pool: "Pool[Any]", block_id: str, network: str, reason: str, seconds: float, by: Actor, via: Via
) -> Block:
    """Writes a block from now on, and notes it; one that is in force for the same reason lasts as long, at least.

    Raises what storage.postgres.Away lists, as all of these do.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_BLOCK, block_id, network, reason, by.id, via.request_id, seconds)
        made = _block(row)
        after: Json = {"blockId": block_id, "reason": reason, "until": made.until.isoformat()}
        await note(connection, by, "address.blocked", "network", network, after=after, via=via)
    return made


async def lift(pool: "Pool[Any]", block_id: str, by: Actor, via: Via) -> Block | None:
    """Ends a block; None when there is none of this id in force."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(_LIFT, block_id, by.id)
        if row is None:
            return None
        lifted = _block(row)
        before: Json = {"blockId": block_id, "reason": lifted.reason, "until": lifted.until.isoformat()}
        await note(connection, by, "address.unblocked", "network", lifted.network, before=before, via=via)
    return lifted


async def find(pool: "Pool[Any]", block_id: str) -> Block | None:
    row = await pool.fetchrow(_FIND, block_id)
    return _block(row) if row is not None else None


async def in_force(pool: "Pool[Any]") -> dict[str, datetime]:
    """Until when, by network."""
    rows = await pool.fetch(_IN_FORCE, _MOST)
    return {row["network"]: row["until"] for row in reversed(rows)}


async def page(pool: "Pool[Any]", before: str | None, most: int, *, active: bool) -> list[Block]:
    """The newest first, from those made before the block `before`. active: only those in force."""
    return [_block(row) for row in await pool.fetch(_PAGE, before, active, most)]


def _block(row: Any) -> Block:  # noqa: ANN401 - asyncpg's Record
    return Block(**row)
