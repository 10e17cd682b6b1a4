"""A barber's record is the same whether it was folded from events or loaded from Postgres."""

from barberpro.queue.fold import ShopState
from barberpro.queue.pace import NEW_BARBER
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.bookings import read_shop
from barberpro.storage.snapshot import VISITS_KEPT, events_after
from tests.support.shops import TestShop, running, send


async def work(node: Node, shop: TestShop, barber: int, count: int, first: int) -> None:
    """A barber serves so many customers; one more stays in the chair."""
    await shop.fill(node, count + 1, barber, first)
    for _ in range(count + 1):
        await send(node, shop.staff[barber], type="advance", barberId=shop.barbers[barber])


async def folded(node: Node, shop: TestShop) -> ShopState:
    """The fold of all events from the first."""
    state = ShopState(shop.shop_id)
    async with node.pool.acquire() as connection:
        while told := await events_after(connection, shop.shop_id, state.shop_seq):
            for event, born in told:
                state.apply(event, born)
    return state


async def assert_same(node: Node, shop: TestShop, view: ShopState) -> ShopState:
    """The view, the fold of all events, and what Postgres gives have the same records; returns the last one."""
    loaded = ShopState.of_snapshot(await read_shop(node.pool, shop.shop_id))
    for state in (view, await folded(node, shop)):
        for barber_id, queue in loaded.queues.items():
            assert list(state.queues[barber_id].record.visits) == list(queue.record.visits)
            assert state.queues[barber_id].record.pace == queue.record.pace
    return loaded


async def test_fold_and_load_give_the_same_record(
    node: Node, database_url: str, redis_url: str, redis_prefix: str
) -> None:
    shop = await TestShop.create(node, barbers=3)
    await shop.open(node)
    view = await node.views.shop(shop.shop_id)  # from here on it folds
    await work(node, shop, 0, VISITS_KEPT - 20, first=0)
    await work(node, shop, 1, 3, first=100)
    [gone, *_] = await shop.fill(node, 2, barber=1, first=150)
    await send(node, shop.staff[1], type="cancel", bookingId=gone)
    await assert_same(node, shop, view)

    async with running(NodeOptions(database_url, redis_url, redis_prefix)) as other:
        view = await other.views.shop(shop.shop_id)  # what was until here it loads
        await work(other, shop, 0, 30, first=200)
        loaded = await assert_same(other, shop, view)
    records = [loaded.queues[barber_id].record for barber_id in shop.barbers]
    assert [len(record.visits) for record in records] == [VISITS_KEPT, 3, 0]
    assert [record.pace == NEW_BARBER for record in records] == [False, False, True]
