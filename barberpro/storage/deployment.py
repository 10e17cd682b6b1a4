"""What is fixed when a deployment's data is created, and the creation of shops in it."""

from typing import Any

from asyncpg import Pool

from barberpro.storage.keys import Keys
from barberpro.storage.postgres import AnyConnection


class ShardsDifferError(Exception):
    """The data was created with another number of shards than the settings ask for."""


async def claim_deployment(pool: "Pool[Any]", shards: int) -> None:
    """Records the number of shards on the first start, and refuses another one ever after.

    Raises ShardsDifferError.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO deployment (shards) VALUES ($1) ON CONFLICT DO NOTHING", shards)
        recorded = await connection.fetchval("SELECT shards FROM deployment")
        if recorded != shards:
            raise ShardsDifferError(
                f"BARBERPRO_SHARDS is {shards}, but this data was created with {recorded}; it cannot be changed"
            )
        await connection.execute(
            "INSERT INTO shards (shard) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", shards
        )


async def open_watermark(connection: AnyConnection, keys: Keys, shop_id: str) -> None:
    """Gives a new shop its place in its shard. The share lock keeps a rebuild from missing it."""
    shard = keys.shard_of(shop_id)
    await connection.execute(
        """
        INSERT INTO watermarks (shop_id, shard, epoch)
        SELECT $1, shard, epoch FROM shards WHERE shard = $2 FOR SHARE
        """,
        shop_id,
        shard,
    )
