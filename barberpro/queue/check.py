"""`barberpro check`: whether Redis, Postgres and the record of events tell the same, shop by shop.

Postgres is read first, in one consistent view, and Redis after it. So Redis may be ahead, by events that wait in
its stream or were committed in the meantime: these are folded into what Postgres held before the two are compared.
A shard without an epoch is cold: it says nothing, and is rebuilt before it is asked anything.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

from barberpro.queue.check_history import check_history
from barberpro.queue.check_ledger import check_ledger
from barberpro.queue.check_memory import Memory, differences, read_memory
from barberpro.queue.fold import ShopState
from barberpro.queue.gateway import RedisClient
from barberpro.storage.keys import Keys
from barberpro.storage.primaries import Primaries
from barberpro.storage.snapshot import load_commands, load_shops

Json = dict[str, Any]

_SHOPS: Final = "SELECT shop_id FROM watermarks ORDER BY shop_id"
_BARBERS: Final = "SELECT barber_id FROM barbers WHERE shop_id = $1 ORDER BY barber_id"
_EVENTS: Final = """
    SELECT data FROM queue_events WHERE shop_id = $1 AND shop_seq > $2 AND shop_seq <= $3 ORDER BY shop_seq
"""
_COMMANDS: Final = "SELECT command_id FROM commands WHERE shop_id = $1 AND command_id = ANY ($2::text[])"
_REMEMBERED_MS: Final = 24 * 3600 * 1000 - 60_000
_TRIES: Final = 20
_SHOWN: Final = 20


async def compare(
    pool: "Pool[Any]", primaries: Primaries, keys: Keys, shop_ids: Sequence[str] | None = None
) -> list[str]:
    """Every difference, as a sentence that begins with the shop's id; nothing when all is well.

    shop_ids: the shops to look at; all when None. May run beside a working deployment. Raises what the stores
    raise while they are away.
    """
    told: list[str] = []
    for shop_id in shop_ids if shop_ids is not None else [row["shop_id"] for row in await pool.fetch(_SHOPS)]:
        async with pool.acquire() as connection:
            with primaries.asking(keys.shard_of(shop_id)) as redis:
                found = await _compare_shop(connection, redis, keys, shop_id)
        told += [f"{shop_id}: {difference}" for difference in found[:_SHOWN]]
        if len(found) > _SHOWN:
            told.append(f"{shop_id}: and {len(found) - _SHOWN} more")
    return told


async def _compare_shop(
    connection: "PoolConnectionProxy[Any]", redis: RedisClient, keys: Keys, shop_id: str
) -> list[str]:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot = (await load_shops(connection, [shop_id]))[shop_id]
        found = await check_history(connection, snapshot)
        found += await check_ledger(connection, shop_id)
        commands = (await load_commands(connection, [shop_id])).get(shop_id, [])
    state, links = ShopState.of_snapshot(snapshot), {snapshot.shop_seq: snapshot.link}
    barbers = [row["barber_id"] for row in await connection.fetch(_BARBERS, shop_id)]
    shard = keys.shard_of(shop_id)
    for _ in range(_TRIES):
        raw_epoch = await redis.get(keys.epoch(shard))
        if raw_epoch is None:
            return found
        if int(raw_epoch) < snapshot.epoch:
            return [*found, f"Redis is at epoch {int(raw_epoch)}, Postgres at {snapshot.epoch}"]
        root = keys.generation(shard, int(raw_epoch))
        memory = await read_memory(redis, root, shop_id, barbers)
        forked = await _catch_up(connection, state, links, memory)
        if forked is not None:
            return [*found, forked]
        if state.shop_seq == memory.shop_seq:
            found += differences(state, memory)
            found += await _made_up(connection, shop_id, memory)
            return found + await _forgotten(redis, memory, commands)
    return [*found, f"Redis changed {_TRIES} times while it was read; check again"]


async def _catch_up(
    connection: "PoolConnectionProxy[Any]", state: ShopState, links: dict[int, str], memory: Memory
) -> str | None:
    """Folds in what Redis has and Postgres had not; tells where they part, if they do. links: of known events."""
    if memory.shop_seq < state.shop_seq:
        return f"Redis is at event {memory.shop_seq}, Postgres at {state.shop_seq}"
    later = {event["shopSeq"]: event for event in memory.events}
    for row in await connection.fetch(_EVENTS, state.shop_id, state.shop_seq, memory.shop_seq):
        event = orjson.loads(row["data"])
        later[event["shopSeq"]] = event
    while state.shop_seq < memory.shop_seq:
        event = later.get(state.shop_seq + 1)
        if event is None:
            return f"event {state.shop_seq + 1} is nowhere: Redis is at {memory.shop_seq}, and its stream lacks it"
        state.apply(event)
        links[event["shopSeq"]] = event["link"]
    if links[memory.shop_seq] != memory.link:
        return f"event {memory.shop_seq} has the link {links[memory.shop_seq]} and, in Redis, {memory.link}"
    return None


async def _made_up(connection: "PoolConnectionProxy[Any]", shop_id: str, memory: Memory) -> list[str]:
    """The commands that Redis would answer as done, and that nobody has in the record."""
    doubtful = memory.commands.keys() - {event["command"]["id"] for event in memory.events if "command" in event}
    rows = await connection.fetch(_COMMANDS, shop_id, list(doubtful))
    return [f"command {name}: Redis remembers it, Postgres does not" for name in doubtful - {row[0] for row in rows}]


async def _forgotten(redis: RedisClient, memory: Memory, commands: list[Json]) -> list[str]:
    """The commands of the last day whose answer Redis does not know, or knows otherwise."""
    seconds, _ = await redis.time()
    oldest = seconds * 1000 - _REMEMBERED_MS
    found = []
    for command in commands:
        known = memory.commands.get(command["id"])
        if known is None and command["at"] > oldest:
            found.append(f"command {command['id']}: Redis does not remember it")
        elif known is not None and not _same_answer(command, known):
            found.append(f"command {command['id']}: Redis remembers {known!r}, Postgres {command}")
    return found


def _same_answer(command: Json, known: str) -> bool:
    return known == f"{command['digest']} {command['shopSeq']} {command['link']}"
