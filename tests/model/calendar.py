"""Time that passes without waiting for it: what the stores hold is made a day older, or due."""

from datetime import datetime
from typing import Any

import orjson

from barberpro.server.node import Node

_DAYS = """
    SELECT business_date::text AS day, (business_date - 1)::text AS before FROM queue_events WHERE shop_id = $1
    UNION SELECT business_date::text, (business_date - 1)::text FROM bookings
    WHERE shop_id = $1 AND business_date IS NOT NULL ORDER BY day
"""
_TELL_OTHERWISE = """
    UPDATE queue_events
    SET data = replace(data::text, format('"day": "%s"', $2::text), format('"day": "%s"', $3::text))::jsonb
    WHERE shop_id = $1
"""
_OLDER_EVENTS = """
    UPDATE queue_events SET business_date = business_date - 1 WHERE shop_id = $1 AND business_date::text = $2
"""
_OLDER = (
    "UPDATE queues SET business_date = business_date - 1 WHERE shop_id = $1",
    "UPDATE bookings SET business_date = business_date - 1 WHERE shop_id = $1",
)


def local_noon_zone(now: datetime) -> str:
    """A zone where it is between twelve and one, so that no real midnight comes while a test runs."""
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/UTC"


async def turn_day(node: Node, shop_id: str) -> None:
    """Moves everything that the stores hold of a shop to the day before: so to them, the day has turned.

    Redis decides by its own clock what day it is, and nothing can set that clock.
    """
    async with node.pool.acquire() as connection, connection.transaction():
        await connection.execute("ALTER TABLE queue_events DISABLE TRIGGER queue_events_append_only")
        days = {row["day"]: row["before"] for row in await connection.fetch(_DAYS, shop_id)}
        for day, before in days.items():  # the oldest first, so that none is moved twice
            await connection.execute(_TELL_OTHERWISE, shop_id, day, before)
            await connection.execute(_OLDER_EVENTS, shop_id, day)
        for statement in _OLDER:
            await connection.execute(statement, shop_id)
        await connection.execute("ALTER TABLE queue_events ENABLE TRIGGER queue_events_append_only")
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
            await redis.hset(key, field, orjson.dumps({**document, "day": days[document["day"]]}))


async def miss_appointment(node: Node, shop_id: str, booking_id: str) -> None:
    """Makes the timer of an appointment that nobody came to due now, and fires it."""
    shard = node.keys.shard_of(shop_id)
    await node.recovery.rebuild(shard, 0, "a test sets a timer")  # where Redis has lost its memory
    redis = node.redis.of(shard)
    epoch = int(await redis.get(node.keys.epoch(shard)) or 0)
    timer = f"late|{shop_id}|{booking_id}"
    await redis.zadd(f"{node.keys.generation(shard, epoch)}timers", {timer: 1})
    await node.engine.expire(timer)
