"""Blocks of addresses, as Postgres has them: the table rate_limits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

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
    WITH blocked AS (
        INSERT INTO rate_limits (block_id, network, reason, made_by, request_id, until)
        VALUES ($1, $2, $3, $4, $6, now() + make_interval(secs => $7))
        RETURNING {_COLUMNS}
    ), noted AS (
        INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id, request_id, detail)
        SELECT $4, $5, 'address.blocked', 'network', network, $6, jsonb_build_object('reason', reason, 'until', until)
        FROM blocked
    )
    SELECT * FROM blocked
"""  # noqa: S608 - fixed words
_LIFT: Final = f"""
    WITH lifted AS (
        UPDATE rate_limits SET lifted_at = now(), lifted_by = $2
        WHERE block_id = $1 AND lifted_at IS NULL AND until > now()
        RETURNING {_COLUMNS}
    ), noted AS (
        INSERT INTO audit_entries (actor_id, actor_role, action, object_type, object_id, request_id, ip)
        SELECT $2, $3, 'address.unblocked', 'network', network, $4, $5 FROM lifted
    )
    SELECT * FROM lifted
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


@dataclass(frozen=True, slots=True)
class By:
    """Who blocks or lifts, for the audit log."""

    actor_id: str
    role: str
    request_id: str
    ip: str | None = None


async def block(pool: "Pool[Any]", block_id: str, network: str, reason: str, seconds: float, by: By) -> Block:
    """Writes a block from now on. Raises what storage.postgres.Away lists, as all of these do."""
    row = await pool.fetchrow(_BLOCK, block_id, network, reason, by.actor_id, by.role, by.request_id, seconds)
    return _block(row)


async def lift(pool: "Pool[Any]", block_id: str, by: By) -> Block | None:
    """Ends a block; None when there is none of this id in force."""
    row = await pool.fetchrow(_LIFT, block_id, by.actor_id, by.role, by.request_id, by.ip)
    return _block(row) if row is not None else None


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
