"""What a node no longer needs it lets go, and nothing that was promised goes with it."""

import asyncio
import math
from typing import Any, cast

from asyncpg import Pool

from barberpro.protocol.codes import ErrorCode
from barberpro.queue.check import compare
from barberpro.server.node import Node
from barberpro.storage.catalogue import Catalogue, Shop
from tests.support.faults import HeldPool, fall_back, remember
from tests.support.shops import TestShop, code_of, customer, new_id, send


async def timers(node: Node, shop: TestShop) -> dict[str, float]:
    """The timers of the shop's shard, with when they are due."""
    key = await timers_key(node, shop)
    entries: Any = await node.redis.at(key).zrange(key, 0, -1, withscores=True)
    return {timer.decode(): due for timer, due in entries}


async def timers_key(node: Node, shop: TestShop) -> str:
    shard = node.keys.shard_of(shop.shop_id)
    epoch = int(await node.redis.of(shard).get(node.keys.epoch(shard)) or 0)
    return f"{node.keys.generation(shard, epoch)}timers"


async def test_a_timer_of_a_shop_that_is_no_more_is_dropped(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    kept = await timers(node, shop)
    lost = {f"{kind}|sh_gone|{subject}": 1.0 for kind, subject in (("grace", "b"), ("day", "b"), ("late", "bk_gone_1"))}
    key = await timers_key(node, shop)
    await node.redis.at(key).zadd(key, lost)
    await node.keeper.round()
    assert kept
    assert await timers(node, shop) == kept


async def test_a_shop_that_nobody_asks_for_is_forgotten_and_read_anew(node: Node) -> None:
    idle, used = await TestShop.create(node), await TestShop.create(node)
    catalogue = Catalogue(node.pool, keep_seconds=0.0, idle_seconds=0.2)
    await catalogue.shop(idle.shop_id)
    async with asyncio.timeout(10):
        while idle.shop_id in catalogue._shops:
            assert await catalogue.barber(used.barbers[0]) is not None
            await asyncio.sleep(0.01)
    assert catalogue._shops.keys() == {used.shop_id}
    assert catalogue._shop_of_barber == dict.fromkeys(used.barbers, used.shop_id)
    again = await catalogue.barber(idle.barbers[1])
    assert again is not None
    assert again.shop_id == idle.shop_id


async def test_a_shop_at_rest_is_forgotten_and_its_commands_are_answered_as_before(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    document = {"commandId": new_id(), **shop.join()}
    first = await send(node, customer(1), **document)
    node.journal.forget(math.inf)
    assert node.journal.committed(shop.shop_id) == -1
    again = await send(node, customer(1), **document)
    assert (again.replayed, again.data) == (True, first.data)
    node.journal.forget(math.inf)
    assert await code_of(send(node, customer(1), **shop.join())) is ErrorCode.ALREADY_IN_QUEUE
    node.journal.forget(math.inf)
    assert (await send(node, customer(2), **shop.join())).data["booking"]["tokenNumber"] == 2
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_a_redis_that_falls_back_is_found_out_for_a_forgotten_shop_too(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    old = await remember(node.redis, node.keys.prefix)
    joined = await send(node, customer(1), **shop.join())
    await fall_back(node.redis, node.keys.prefix, old)
    node.journal.forget(math.inf)
    booking = joined.data["booking"]["bookingId"]
    assert (await send(node, customer(1), type="cancel", bookingId=booking)).data["booking"]["status"] == "cancelled"
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_what_is_pending_is_not_forgotten(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    held = HeldPool(node.pool)
    node.journal._pool = cast("Pool[Any]", held)
    joining = [asyncio.create_task(send(node, customer(number), **shop.join())) for number in range(3)]
    await held.holds.wait()
    node.journal.forget(math.inf)
    assert node.journal.committed(shop.shop_id) > -1
    held.release()
    assert sorted([(await joined).data["booking"]["tokenNumber"] or 0 for joined in joining]) == [1, 2, 3]
    assert await compare(node.pool, node.redis, node.keys) == []


async def test_what_a_shop_changes_is_known_and_nobody_who_asks_all_the_time_waits_for_it(node: Node) -> None:
    shop = await TestShop.create(node)
    catalogue = Catalogue(node.pool, keep_seconds=60.0)
    before = await catalogue.shop(shop.shop_id)
    catalogue._asked -= 40.0
    await node.pool.execute("UPDATE shops SET name = 'Anew' WHERE shop_id = $1", shop.shop_id)
    assert await catalogue.shop(shop.shop_id) is before
    asking = catalogue._asking
    assert asking is not None
    assert await catalogue.shop(shop.shop_id) is before
    assert catalogue._asking is asking
    await asking
    now = await catalogue.shop(shop.shop_id)
    assert now is not None
    assert now.name == "Anew"
    await catalogue.close()


async def test_a_shop_that_was_being_read_while_it_changed_is_read_anew_for_who_changed_it(node: Node) -> None:
    shop = await TestShop.create(node)
    held = HeldReads(node.pool)
    asked_before = asyncio.create_task(held.shop(shop.shop_id))
    await held.has_read.wait()
    await node.pool.execute("UPDATE shops SET name = 'Anew' WHERE shop_id = $1", shop.shop_id)
    held.forget(shop.shop_id)
    held.holds = False
    assert await name_in(held, shop) == "Anew"
    held.free.set()
    await asked_before
    assert await name_in(held, shop) == "Anew"
    await held.close()


class HeldReads(Catalogue):
    """Has read, and does not tell until it is free to."""

    def __init__(self, pool: "Pool[Any]") -> None:
        super().__init__(pool, keep_seconds=60.0)
        self.has_read, self.free, self.holds = asyncio.Event(), asyncio.Event(), True

    async def _read(self, shop_id: str) -> Shop | None:
        shop = await super()._read(shop_id)
        if self.holds:
            self.has_read.set()
            await self.free.wait()
        return shop


async def name_in(catalogue: Catalogue, shop: TestShop) -> str:
    found = await catalogue.shop(shop.shop_id)
    assert found is not None
    return found.name


async def test_after_a_rest_all_who_ask_wait_until_it_is_known_what_has_changed(node: Node) -> None:
    shop = await TestShop.create(node)
    catalogue = Catalogue(node.pool, keep_seconds=0.0)
    await catalogue.shop(shop.shop_id)
    await node.pool.execute("UPDATE shops SET name = 'Anew' WHERE shop_id = $1", shop.shop_id)
    order: list[int] = []

    async def ask(number: int) -> str:
        found = await catalogue.shop(shop.shop_id)
        assert found is not None
        order.append(number)
        return found.name

    assert set(await asyncio.gather(*(ask(number) for number in range(20)))) == {"Anew"}
    assert order == list(range(20))
    await catalogue.close()
