"""The code of a shop's QR code, as Postgres holds it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

_READ: Final = "SELECT code, made_at FROM join_codes WHERE shop_id = $1"
_REPLACE: Final = """
    INSERT INTO join_codes AS c (shop_id, code, made_with) VALUES ($1, $2, $3)
    ON CONFLICT (shop_id) DO UPDATE SET code = excluded.code, made_at = excluded.made_at, made_with = excluded.made_with
    WHERE c.made_with IS DISTINCT FROM excluded.made_with OR excluded.made_with IS NULL
    RETURNING true
"""
_REMOVE: Final = "DELETE FROM join_codes WHERE shop_id = $1 RETURNING true"


@dataclass(frozen=True, slots=True)
class JoinCode:
    code: str
    made_at: datetime


async def read_join_code(pool: "Pool[Any]", shop_id: str) -> JoinCode | None:
    row = await pool.fetchrow(_READ, shop_id)
    return JoinCode(**row) if row is not None else None


async def replace_join_code(
    connection: "PoolConnectionProxy[Any]", shop_id: str, code: str, made_with: str | None
) -> bool:
    """Makes it the shop's code; the one before it is no longer good. False when that was made with the same key."""
    return await connection.fetchval(_REPLACE, shop_id, code, made_with) is not None


async def remove_join_code(connection: "PoolConnectionProxy[Any]", shop_id: str) -> bool:
    """Whether there was one."""
    return await connection.fetchval(_REMOVE, shop_id) is not None
