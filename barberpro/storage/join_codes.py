"""The code of a shop's QR code, as Postgres holds it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

_READ: Final = "SELECT code, made_at FROM join_codes WHERE shop_id = $1"
_REPLACE: Final = """
    INSERT INTO join_codes (shop_id, code) VALUES ($1, $2)
    ON CONFLICT (shop_id) DO UPDATE SET code = excluded.code, made_at = excluded.made_at
    RETURNING code, made_at
"""
_REMOVE: Final = "DELETE FROM join_codes WHERE shop_id = $1 RETURNING true"


@dataclass(frozen=True, slots=True)
class JoinCode:
    code: str
    made_at: datetime


async def read_join_code(pool: "Pool[Any]", shop_id: str) -> JoinCode | None:
    row = await pool.fetchrow(_READ, shop_id)
    return JoinCode(**row) if row is not None else None


async def replace_join_code(connection: "PoolConnectionProxy[Any]", shop_id: str, code: str) -> JoinCode:
    """The shop's code from now on; the one before it is no longer good."""
    row = await connection.fetchrow(_REPLACE, shop_id, code)
    assert row is not None  # noqa: S101 - it returns what it wrote
    return JoinCode(**row)


async def remove_join_code(connection: "PoolConnectionProxy[Any]", shop_id: str) -> bool:
    """Whether there was one."""
    return await connection.fetchval(_REMOVE, shop_id) is not None
