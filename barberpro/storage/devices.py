"""Displays and kiosks, as Postgres holds them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

PAIRING_SECONDS: Final = 600
"""For so long a code is good."""
_MISSES: Final = 10
"""Wrong codes that a shop may enter within that time."""

_COLUMNS: Final = "device_id, kind, shop_id, name, paired_at, paired_by, revoked_at"
_FORGET: Final = """
    WITH unpaired AS (
        DELETE FROM devices WHERE code_expires_at < now() AND code IS NOT NULL AND shop_id IS NULL
    )
    UPDATE devices SET code = NULL WHERE code_expires_at < now() AND code IS NOT NULL AND shop_id IS NOT NULL
"""
_ASK: Final = """
    INSERT INTO devices (device_id, kind, secret_hash, code, code_expires_at)
    VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
    ON CONFLICT (code) DO NOTHING RETURNING code_expires_at
"""
# Entered once more, as after an answer that was lost, a code tells the device that it has paired already.
_PAIR: Final = f"""
    UPDATE devices SET shop_id = $1, name = $4, paired_at = coalesce(paired_at, now()), paired_by = $5
    WHERE code = $3 AND kind = $2 AND code_expires_at > now() AND revoked_at IS NULL
      AND (shop_id IS NULL OR shop_id = $1)
    RETURNING {_COLUMNS}
"""  # noqa: S608 - built from constants
_REVOKE: Final = f"""
    UPDATE devices SET revoked_at = now() WHERE shop_id = $1 AND device_id = $2 AND revoked_at IS NULL
    RETURNING {_COLUMNS}
"""  # noqa: S608 - built from constants
_LIST: Final = f"""
    SELECT {_COLUMNS} FROM devices WHERE shop_id = $1 AND revoked_at IS NULL ORDER BY paired_at, device_id
"""  # noqa: S608 - built from constants
_BY_SECRET: Final = f"""
    SELECT {_COLUMNS} FROM devices WHERE secret_hash = $1 AND (shop_id IS NOT NULL OR code_expires_at > now())
"""  # noqa: S608 - built from constants
_MISSED: Final = "SELECT count(*) FROM pairing_misses WHERE shop_id = $1 AND at > now() - make_interval(secs => $2)"
_MISS: Final = """
    WITH old AS (
        DELETE FROM pairing_misses WHERE shop_id = $1 AND at < now() - make_interval(secs => $2)
    )
    INSERT INTO pairing_misses (shop_id) VALUES ($1)
"""


@dataclass(frozen=True, slots=True)
class Device:
    """shop_id, name, paired_at and paired_by are None until it is paired."""

    device_id: str
    kind: str
    shop_id: str | None
    name: str | None
    paired_at: datetime | None
    paired_by: str | None
    revoked_at: datetime | None


async def add_device(pool: "Pool[Any]", device_id: str, kind: str, secret_hash: bytes, code: str) -> datetime | None:
    """Until when the code is good; None when another device shows the same one. Forgets what has expired."""
    await pool.execute(_FORGET)
    until: datetime | None = await pool.fetchval(_ASK, device_id, kind, secret_hash, code, PAIRING_SECONDS)
    return until


async def pair_device(
    connection: "PoolConnectionProxy[Any]", shop_id: str, kind: str, code: str, name: str, user_id: str
) -> Device | None:
    """The device that shows the code, now the shop's; None when none of the kind does."""
    row = await connection.fetchrow(_PAIR, shop_id, kind, code, name, user_id)
    return Device(**row) if row is not None else None


async def revoke_device(connection: "PoolConnectionProxy[Any]", shop_id: str, device_id: str) -> Device | None:
    """None when the shop has no such device, or no longer."""
    row = await connection.fetchrow(_REVOKE, shop_id, device_id)
    return Device(**row) if row is not None else None


async def list_devices(pool: "Pool[Any]", shop_id: str) -> list[Device]:
    """The oldest pairing first, without what was revoked."""
    return [Device(**row) for row in await pool.fetch(_LIST, shop_id)]


async def device_of_secret(pool: "Pool[Any]", secret_hash: bytes) -> Device | None:
    """Revoked ones, too; but none that was not paired in time."""
    row = await pool.fetchrow(_BY_SECRET, secret_hash)
    return Device(**row) if row is not None else None


async def may_try(connection: "PoolConnectionProxy[Any]", shop_id: str) -> bool:
    """Whether the shop may enter a code. To be asked under a lock of the shop's."""
    return int(await connection.fetchval(_MISSED, shop_id, PAIRING_SECONDS)) < _MISSES


async def note_miss(connection: "PoolConnectionProxy[Any]", shop_id: str) -> None:
    await connection.execute(_MISS, shop_id, PAIRING_SECONDS)
