"""Trimming on the real stores: what goes, what stays, what is answered, and what is still found."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from barberpro.queue.check import compare
from barberpro.queue.trim import Kept, Step, Trimmer
from barberpro.server.commands import run_trim
from barberpro.server.node import Node, NodeOptions
from barberpro.server.settings import load_settings
from barberpro.storage.checkpoints import due_shops, goes_before, load_checkpoint, take_turn, would_go
from tests.model.calendar import forget_trimmed, local_noon_zone, trim_and_forget, turn_day
from tests.support.rest import Door, rest_door
from tests.support.revoking import revoke
from tests.support.shops import ADMIN, Json, TestShop, send

WAITING = "SELECT pid FROM pg_locks WHERE NOT granted"
SHORT = Kept(events=3)


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        # Its timers would fire in the middle of a day's turning.
        await door.node.keeper.close()
        door.shop = await TestShop.create(door.node, zone=local_noon_zone(datetime.now(UTC)), grace_seconds=0)
        yield door


async def business_day(node: Node, shop: TestShop, first: int) -> list[str]:
    """A day of a few customers, who come, are served, skipped, transferred, or stay away; their bookings."""
    await shop.open(node)
    line = await shop.fill(node, 4, first=first)
    await send(node, shop.staff[0], type="skip", bookingId=line[1])
    await send(node, shop.staff[0], type="transfer", bookingId=line[2], toBarberId=shop.barbers[1])
    await send(node, shop.staff[0], type="advance", barberId=shop.barbers[0])
    await send(node, shop.staff[0], type="no_show", bookingId=line[3])
    return line


async def days(node: Node, shop: TestShop) -> list[list[str]]:
    """The business days of 6, 5 and 4 days ago, and today's; the bookings of each. Three days are kept: two days go."""
    lines = [await business_day(node, shop, 0)]
    for number, turn in enumerate((1, 1, 4), start=1):
        await turn_day(node, shop.shop_id, turn)
        lines.append(await business_day(node, shop, 10 * number))
    return lines


async def found(node: Node, shop: TestShop) -> list[str]:
    return await compare(node.pool, node.redis, node.keys, [shop.shop_id])


async def kept_days(node: Node, shop: TestShop) -> list[date]:
    sql = "SELECT DISTINCT business_date FROM queue_events WHERE shop_id = $1 ORDER BY 1"
    return [row[0] for row in await node.pool.fetch(sql, shop.shop_id)]


async def kept_seqs(node: Node, shop: TestShop) -> list[int]:
    sql = "SELECT shop_seq FROM queue_events WHERE shop_id = $1 ORDER BY shop_seq"
    return [row[0] for row in await node.pool.fetch(sql, shop.shop_id)]


async def rows_of(node: Node) -> list[tuple[object, ...]]:
    rows = await node.pool.fetch("SELECT * FROM bookings ORDER BY booking_id")
    return [tuple(row) for row in rows]


async def test_old_days_go_whole_and_all_else_stays(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    before, bookings = await kept_days(node, shop), await rows_of(node)
    first = await goes_before(node.pool, 3)
    events = len(await kept_seqs(node, shop))
    gone, of_days = await would_go(node.pool, shop.shop_id, first)
    assert of_days == sum(day < first for day in before) == 2
    await trim_and_forget(node, shop.shop_id)
    assert len(await kept_seqs(node, shop)) == events - gone
    assert await kept_days(node, shop) == [day for day in before if day >= first]
    assert await rows_of(node) == bookings
    assert await found(node, shop) == []
    assert await due_shops(node.pool, first) == []
    # A later trim goes on from the checkpoint, and so does a shop of which nothing is left.
    await turn_day(node, shop.shop_id, days=5)
    await trim_and_forget(node, shop.shop_id)
    assert await kept_days(node, shop) == []
    assert await found(node, shop) == []
    await business_day(node, shop, 90)
    assert await found(node, shop) == []


async def test_events_are_paged_from_the_first_that_is_kept_and_older_ones_have_a_code(door: Door) -> None:
    node, shop, path = door.node, door.shop, f"/queue/{door.shop.barbers[0]}/events"
    whole = (await days(node, shop), (await door.get(f"{path}?limit=500", ADMIN)).data)[1]
    await trim_and_forget(node, shop.shop_id)
    kept = (await door.get(f"{path}?limit=500", ADMIN)).data
    assert kept == whole[-len(kept) :] != whole
    first = kept[0]["seq"]
    for query in ("after=0", f"cursor={first - 2}"):
        answer = await door.get(f"{path}?{query}", ADMIN)
        assert (answer.status, answer.code) == (410, "NO_LONGER_KEPT")
        assert answer.body["error"]["details"] == {"firstKept": first}
    assert (await door.get(f"{path}?after={first - 1}&limit=500", ADMIN)).data == kept
    assert (await door.get(f"{path}?after={kept[-1]['seq']}", ADMIN)).data == []


async def test_a_history_is_told_whole_or_marked_or_has_a_code(door: Door) -> None:
    node, shop = door.node, door.shop
    lines = await days(node, shop)
    old, new, first = lines[0][0], lines[-1][0], await goes_before(node.pool, 3)
    before = await door.get(f"/bookings/{new}/history", ADMIN)
    # Who was in the chair when the last day that goes ended, was completed on the first that stays.
    [between] = [line[0] for line in lines if (await times(node, line[0])) == (first - timedelta(days=1), first)]
    await trim_and_forget(node, shop.shop_id)
    after = await door.get(f"/bookings/{new}/history", ADMIN)
    assert after.data == before.data
    assert after.body["meta"]["complete"] is True
    answer = await door.get(f"/bookings/{old}/history", ADMIN)
    assert (answer.status, answer.code) == (410, "NO_LONGER_KEPT")
    assert (await door.get(f"/bookings/{old}", ADMIN)).data["status"] == "completed"
    partly = await door.get(f"/bookings/{between}/history", ADMIN)
    assert [entry["status"] for entry in partly.data] == ["completed"]
    assert partly.body["meta"]["complete"] is False


async def times(node: Node, booking_id: str) -> tuple[date, date]:
    """The business days of a booking's token and of its last event."""
    sql = """
        SELECT b.business_date, e.business_date FROM bookings b JOIN queue_events e USING (shop_id, shop_seq)
        WHERE b.booking_id = $1
    """
    [row] = await node.pool.fetch(sql, booking_id)
    return row[0], row[1]


async def test_a_trim_that_was_cut_off_goes_on_and_no_commit_waits_for_it(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    told: list[Step] = []
    trimmer = Trimmer(node.pool, SHORT)
    async with node.pool.acquire() as held, held.transaction():
        await take_turn(held)  # as another node that is in the middle of a step
        trim = asyncio.create_task(trimmer.round(told.append))
        async with asyncio.timeout(20):
            while not await node.pool.fetchval(f"{WAITING} AND locktype = 'advisory'"):
                pass
        await shop.fill(node, 2, first=70)
        trim.cancel()
        await asyncio.gather(trim, return_exceptions=True)
        assert told == []
    assert await found(node, shop) == []
    await trim_and_forget(node, shop.shop_id)
    assert await due_shops(node.pool, await goes_before(node.pool, 3)) == []
    assert await found(node, shop) == []


async def test_between_two_steps_of_a_day_each_everything_is_true(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    before, first = await kept_days(node, shop), await goes_before(node.pool, 3)
    trimmer = Trimmer(node.pool, SHORT, at_once=1)
    trim: asyncio.Task[list[Step]] | None = None

    def stop(_: Step) -> None:
        assert trim is not None
        trim.cancel()

    for gone in (1, 2):
        trim = asyncio.create_task(trimmer.shop(shop.shop_id, first, stop))
        await asyncio.gather(trim, return_exceptions=True)
        assert trim.cancelled()
        assert await kept_days(node, shop) == before[gone:]
        await forget_trimmed(node, shop.shop_id)
        assert await found(node, shop) == []
    assert await due_shops(node.pool, first) == []


async def test_a_server_trims_by_itself_again_and_again(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    first = await goes_before(node.pool, 3)
    trimmer = Trimmer(node.pool, SHORT, every=0.05)
    trimmer.start()
    try:
        async with asyncio.timeout(20):
            while await due_shops(node.pool, first):
                pass
        await turn_day(node, shop.shop_id, days=5)
        async with asyncio.timeout(20):
            while await kept_seqs(node, shop):
                pass
    finally:
        await trimmer.close()
    await trim_and_forget(node, shop.shop_id)
    assert await found(node, shop) == []


async def test_a_step_whose_connection_is_killed_is_undone_as_a_whole(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    events = await kept_seqs(node, shop)
    # It stands still behind its delete, with everything done but the commit.
    async with node.pool.acquire() as held, held.transaction():
        await held.execute("SELECT FROM queue_events WHERE shop_id = $1 AND shop_seq = 1 FOR UPDATE", shop.shop_id)
        trim = asyncio.create_task(Trimmer(node.pool, SHORT).round())
        async with asyncio.timeout(20):
            while not (pid := await node.pool.fetchval(WAITING)):
                pass
        await node.pool.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.AdminShutdownError, asyncpg.InterfaceError, ConnectionError)):
            await trim
    assert await kept_seqs(node, shop) == events
    assert await node.pool.fetchval("SELECT count(*) FROM checkpoints") == 0
    await trim_and_forget(node, shop.shop_id)
    assert len(await kept_seqs(node, shop)) < len(events)
    assert await found(node, shop) == []


async def test_two_nodes_that_trim_while_a_day_goes_on_lose_nothing(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    last = await node.pool.fetchval("SELECT shop_seq FROM watermarks WHERE shop_id = $1", shop.shop_id)
    told: list[Step] = []
    trims = [Trimmer(node.pool, SHORT).round(told.append) for _ in range(2)]
    line, _ = await asyncio.gather(shop.fill(node, 20, barber=1, first=70), asyncio.gather(*trims))
    cut = await node.pool.fetchval("SELECT shop_seq FROM checkpoints")
    assert sum(step.events for step in told) == cut
    assert await kept_seqs(node, shop) == list(range(cut + 1, last + len(line) + 1))
    await trim_and_forget(node, shop.shop_id)  # the commands of what went are still known here, as they never would be
    assert await found(node, shop) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE queue_events SET data = jsonb_set(data, '{queue,lastToken}', '99') WHERE shop_seq = {above}", "token"),
        ("DELETE FROM queue_events WHERE shop_seq = {above}", "does not fit what was before"),
        (
            "UPDATE bookings SET token_number = 77 WHERE shop_seq < {above} AND ended_at IS NOT NULL",
            "have rows, or other",
        ),
        ("UPDATE bookings SET token_number = 77 WHERE shop_seq > {above}", "the events give"),
        ("UPDATE queues SET last_token = last_token + 1", "queue"),
        ("UPDATE watermarks SET link = 'other'", "the watermark has the link other"),
        ("UPDATE checkpoints SET link = 'other', shop_seq = shop_seq - 1", "does not fit what was before"),
        ("UPDATE checkpoints SET state = jsonb_set(state, '{ended,count}', '0')", "have rows, or other"),
    ],
)
async def test_damage_beside_a_checkpoint_is_found(door: Door, damage: str, words: str) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    await trim_and_forget(node, shop.shop_id)
    assert await found(node, shop) == []
    above = (await node.pool.fetchval("SELECT shop_seq FROM checkpoints")) + 3
    await spoil(node, damage.replace("{above}", str(above)))
    assert words in "\n".join(await found(node, shop))


async def spoil(node: Node, statement: str, *values: str) -> None:
    async with node.pool.acquire() as connection, connection.transaction():
        for table in ("queue_events", "checkpoints"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert await connection.execute(statement, *values) != "UPDATE 0"
        for table in ("queue_events", "checkpoints"):
            await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def test_a_day_with_something_wrong_in_it_is_not_trimmed_and_others_are(door: Door) -> None:
    node, shop = door.node, door.shop
    other = await TestShop.create(node)
    for each in (shop, other):
        await days(node, each)
    await spoil(node, "UPDATE bookings SET token_number = 77 WHERE shop_seq < 20 AND shop_id = $1", shop.shop_id)
    told: list[Step] = []
    trimmer = Trimmer(node.pool, SHORT)
    await trimmer.round(told.append)
    assert trimmer.refused == 1
    wrong = [step for step in told if step.problems]
    assert [(step.shop_id, step.events) for step in wrong] == [(shop.shop_id, 0)]
    assert "the events give" in wrong[0].problems[0]
    async with node.pool.acquire() as connection:
        assert not (await load_checkpoint(connection, shop.shop_id)).shop_seq
        assert (await load_checkpoint(connection, other.shop_id)).shop_seq


FORBIDDEN = (
    "DELETE FROM queue_events e USING checkpoints c WHERE e.shop_id = c.shop_id AND e.shop_seq > c.shop_seq",
    "DELETE FROM queue_events WHERE shop_id <> (SELECT shop_id FROM checkpoints)",
    "DELETE FROM checkpoints",
    "TRUNCATE checkpoints",
    "UPDATE checkpoints SET shop_seq = shop_seq - 1",
    "UPDATE checkpoints SET state = '{}'",
    # To an event in the middle of a day; and to the last one of all, of today.
    "SELECT trim_events(shop_id, shop_seq, shop_seq + 1, '{}') FROM checkpoints",
    "SELECT trim_events(shop_id, c.shop_seq, w.shop_seq, '{}') FROM checkpoints c JOIN watermarks w USING (shop_id)",
)


async def test_nobody_deletes_what_no_checkpoint_stands_for(door: Door) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    await trim_and_forget(node, shop.shop_id)
    before = await node.pool.fetch("SELECT shop_id, shop_seq FROM queue_events ORDER BY 1, 2")
    for change in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await node.pool.execute(change)
        assert await node.pool.fetch("SELECT shop_id, shop_seq FROM queue_events ORDER BY 1, 2") == before


async def test_the_command_tells_what_would_go_and_then_lets_it_go(
    door: Door, database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    node, shop = door.node, door.shop
    await days(node, shop)
    gone, _ = await would_go(node.pool, shop.shop_id, await goes_before(node.pool, 3))
    settings = await asyncio.to_thread(  # it looks for a .env
        load_settings, database_url=database_url, redis_url=redis_url, keep_events_days=3
    )
    for dry_run, words in ((True, f"would trim {gone} events"), (False, f"trimmed {gone} events")):
        assert await run_trim(settings, dry_run=dry_run) == 0
        told = capsys.readouterr()
        assert told.out.splitlines()[-1] == f"{words} and 0 audit entries"
        assert f"{shop.shop_id}: {gone} events" in told.err
    assert await run_trim(settings, dry_run=False) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "trimmed 0 events and 0 audit entries"


async def test_a_shop_takes_no_more_of_redis_with_each_day(door: Door) -> None:
    node, shop = door.node, door.shop
    taken: list[dict[str, int]] = []
    for number in range(5):
        if number:
            await turn_day(node, shop.shop_id)
        await business_day(node, shop, 10 * number)
        taken.append(await memory(node, shop))
    commands = {key for key in taken[-1] if ":commands:" in key}
    # All five days are one to Redis's clock; it forgets a day's commands by itself, two days later at most.
    assert len(commands) == 1
    for key in commands:
        assert 0 < await node.redis.at(key).pttl(key) <= 48 * 3600 * 1000
    second, last = ({key: size for key, size in each.items() if key not in commands} for each in (taken[1], taken[-1]))
    assert last.keys() == second.keys()
    assert sum(last.values()) <= 1.1 * sum(second.values())


async def memory(node: Node, shop: TestShop) -> dict[str, int]:
    """The bytes of each key of the shop's shard, once what was committed has left its stream."""
    shard = node.keys.shard_of(shop.shop_id)
    redis, root = node.redis.of(shard), node.keys.root(shard)
    generation = node.keys.generation(shard, int(await redis.get(node.keys.epoch(shard)) or 0))
    async with asyncio.timeout(20):
        while await redis.xlen(f"{generation}events"):
            pass
    return {
        key.decode(): int(await redis.memory_usage(key, samples=0) or 0)
        async for key in redis.scan_iter(match=f"{root}*", count=1000)
    }


async def test_old_audit_entries_go_and_that_is_an_entry(node: Node) -> None:
    for user in ("us_a", "us_b", "us_c"):
        await revoke(node.pool, user, "us_owner", "admin")
    async with node.pool.acquire() as connection, connection.transaction():
        await connection.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        await connection.execute("UPDATE audit_entries SET at = at - interval '500 days' WHERE object_id <> 'us_c'")
        await connection.execute("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    trimmer = Trimmer(node.pool, Kept(audit=400))
    await trimmer.round()
    assert trimmer.audit_entries == 2
    rows: list[Json] = [
        dict(row) for row in await node.pool.fetch("SELECT action, object_id FROM audit_entries ORDER BY audit_id")
    ]
    assert [row["action"] for row in rows] == ["tokens.revoked", "audit.trimmed"]
    assert rows[0]["object_id"] == "us_c"
