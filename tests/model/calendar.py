"""Time that passes without waiting for it: what the stores hold is made a day older, or due."""

from datetime import date, datetime, timedelta
from typing import Any

import orjson

from barberpro.queue.trim import Kept, Trimmer
from barberpro.server.node import Node

# A booking that ended below the checkpoint stays what it is: the checkpoint's digest is of it.
_MOVES = """
    shop_id = $1 AND NOT (ended_at IS NOT NULL AND shop_seq <= coalesce(
        (SELECT c.shop_seq FROM checkpoints c WHERE c.shop_id = $1), 0))
"""
_DAYS = f"""
    SELECT business_date::text AS day FROM queue_events WHERE shop_id = $1
    UNION SELECT business_date::text FROM bookings WHERE business_date IS NOT NULL AND {_MOVES}
    UNION SELECT business_date::text FROM queues WHERE shop_id = $1
    UNION SELECT day #>> '{{}}' FROM checkpoints, jsonb_path_query(state, '$.**.day') AS day WHERE shop_id = $1
    ORDER BY day
"""  # noqa: S608 - constants
_TELL_OTHERWISE = [
    f"""
    UPDATE {table} SET {column} =
        replace({column}::text, format('"day": "%s"', $2::text), format('"day": "%s"', $3::text))::jsonb
    WHERE shop_id = $1
    """  # noqa: S608 - constants
    for table, column in (("queue_events", "data"), ("checkpoints", "state"))
]
_OLDER_EVENTS = """
    UPDATE queue_events SET business_date = business_date - $3::integer
    WHERE shop_id = $1 AND business_date::text = $2
"""
_OLDER = (
    "UPDATE queues SET business_date = business_date - $2::integer WHERE shop_id = $1",
    f"UPDATE bookings SET business_date = business_date - $2::integer WHERE {_MOVES}",  # noqa: S608 - constants
    "UPDATE checkpoints SET business_date = business_date - $2::integer WHERE shop_id = $1",
)
_APPEND_ONLY = ("queue_events", "checkpoints")


def local_noon_zone(now: datetime) -> str:
    """A zone where it is between twelve and one, so that no real midnight comes while a test runs."""
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


def earlier(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


async def turn_day(node: Node, shop_id: str, days: int = 1) -> None:
    """Moves everything that the stores hold of a shop to the day before: so to them, the day has turned.

    Redis decides by its own clock what day it is, and nothing can set that clock. days: so many days have passed, and
    nobody came.
    """
    async with node.pool.acquire() as connection, connection.transaction():
        for table in _APPEND_ONLY:
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for row in await connection.fetch(_DAYS, shop_id):  # the oldest first, so that none is moved twice
            for statement in _TELL_OTHERWISE:
                await connection.execute(statement, shop_id, row["day"], earlier(row["day"], days))
            await connection.execute(_OLDER_EVENTS, shop_id, row["day"], days)
        for statement in _OLDER:
            await connection.execute(statement, shop_id, days)
        for table in _APPEND_ONLY:
            await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    shard = node.keys.shard_of(shop_id)
    redis = node.redis.of(shard)
    epoch = await redis.get(node.keys.epoch(shard))
    if epoch is None:
        return
    key = f"{node.keys.generation(shard, int(epoch))}shop:{shop_id}"
    fields: Any = await redis.hgetall(key)
    for field, known in fields.items():
        if field[:2] not in {b"q:", b"b:"}:
            continue
        document = orjson.loads(known)
        document.pop("dayEnds", None)  # a queue knows when its day ends; that would be over
        if "day" in document:
            await redis.hset(key, field, orjson.dumps({**document, "day": earlier(document["day"], days)}))


async def miss_appointment(node: Node, shop_id: str, booking_id: str) -> None:
    """Makes the timer of an appointment that nobody came to due now, and fires it."""
    shard = node.keys.shard_of(shop_id)
    await node.recovery.rebuild(shard, 0, "a test sets a timer")  # where Redis has lost its memory
    redis = node.redis.of(shard)
    epoch = int(await redis.get(node.keys.epoch(shard)) or 0)
    timer = f"late|{shop_id}|{booking_id}"
    await redis.zadd(f"{node.keys.generation(shard, epoch)}timers", {timer: 1})
    await node.engine.expire(timer)


async def trim_and_forget(node: Node, shop_id: str) -> None:
    """Trims whatever is older than three days."""
    await Trimmer(node.pool, Kept(events=3)).round()
    await forget_trimmed(node, shop_id)


async def forget_trimmed(node: Node, shop_id: str) -> None:
    """Redis forgets the commands of what has gone, as it would by then."""
    cut: int = await node.pool.fetchval(
        "SELECT coalesce(max(shop_seq), 0) FROM checkpoints WHERE shop_id = $1", shop_id
    )
    redis = node.redis.of(node.keys.shard_of(shop_id))
    async for key in redis.scan_iter(match=f"{node.keys.prefix}:*:commands:{shop_id}:*", count=1000):
        known: Any = await redis.hgetall(key)
        if old := [name for name, answer in known.items() if b" refused " in answer or int(answer.split()[1]) <= cut]:
            await redis.hdel(key, *old)
