"""Many commands at once, on one node and on two: one truth, no number twice, nobody lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from zlib import crc32

import orjson
import pytest

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.server.node import Node, NodeOptions
from tests.support.shops import ADMIN, TestShop, code_of, customer, new_id, running, send


@pytest.fixture
async def two_nodes(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes of one deployment."""
    # 1,000 commands at once wait for each other on a small machine: the last one longer than a customer would.
    options = NodeOptions(database_url, redis_url, redis_prefix, patience=60)
    async with running(options) as first, running(options) as second:
        yield first, second


@pytest.fixture
def node(two_nodes: tuple[Node, Node]) -> Node:
    return two_nodes[0]


async def differences(node: Node) -> list[str]:
    return await compare(node.pool, node.redis, node.keys)


async def outcomes(answers: list[Awaitable[Result]]) -> tuple[list[Result], Counter[ErrorCode]]:
    """The results, and how often each refusal was given, of commands sent at once."""
    done: list[Result] = []
    refused: Counter[ErrorCode] = Counter()
    for answer in await asyncio.gather(*answers, return_exceptions=True):
        if isinstance(answer, Result):
            done.append(answer)
        elif isinstance(answer, BarberProError):
            refused[answer.code] += 1
        else:
            raise answer
    return done, refused


async def rows(node: Node, query: str, *values: object) -> list[Any]:
    return [tuple(row) for row in await node.pool.fetch(query, *values)]


async def test_an_attempt_that_comes_after_its_repetition_was_refused_is_refused_as_well(
    two_nodes: tuple[Node, Node],
) -> None:
    node, other = two_nodes
    shop = await TestShop.create(node)
    join = shop.join() | {"commandId": new_id()}
    assert await code_of(send(node, customer(1), **join)) is ErrorCode.QUEUE_CLOSED
    await shop.open(node)
    late = [send(each, customer(1), **join) for each in (node, other)]
    assert [await code_of(each) for each in late] == [ErrorCode.QUEUE_CLOSED] * 2
    assert await code_of(send(node, customer(1), **join, notes="another")) is ErrorCode.IDEMPOTENCY_MISMATCH
    assert not await rows(node, "SELECT 1 FROM bookings")
    assert await differences(node) == []
    assert not (await send(other, customer(1), **shop.join())).replayed


async def test_a_command_that_is_repeated_within_one_turn_is_refused_once_for_all(node: Node) -> None:
    shop = await TestShop.create(node)
    join = shop.join() | {"commandId": new_id()}
    opened = {"commandId": new_id(), "type": "open", "barberId": shop.barbers[0]}
    done = [send(node, customer(1), **join), send(node, shop.staff[0], **opened), send(node, customer(1), **join)]
    _, refused = await outcomes(list(done))
    assert refused == {ErrorCode.QUEUE_CLOSED: 2}


@pytest.mark.also_on_a_cluster
@pytest.mark.parametrize("nodes", [1, 2])
async def test_a_thousand_joins_at_once_get_a_thousand_different_tokens(
    two_nodes: tuple[Node, Node], nodes: int
) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node, queue_capacity=1000)
    await shop.open(node)
    done, refused = await outcomes(
        [send(two_nodes[number % nodes], customer(number), **shop.join()) for number in range(1000)]
    )
    assert not refused
    assert sorted(result.data["booking"]["tokenNumber"] or 0 for result in done) == list(range(1, 1001))
    told = {result.data["booking"]["bookingId"]: result.data["booking"]["tokenNumber"] for result in done}
    assert dict(await rows(node, "SELECT booking_id, token_number FROM bookings")) == told
    in_order = await rows(node, "SELECT token_number FROM bookings WHERE status = 'waiting' ORDER BY rank")
    assert in_order == [(token,) for token in range(2, 1001)]
    assert await differences(node) == []


@pytest.mark.parametrize("nodes", [1, 2])
async def test_a_line_with_room_for_ten_takes_ten_of_a_hundred_at_once(
    two_nodes: tuple[Node, Node], nodes: int
) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node, queue_capacity=10)
    await shop.open(node)
    done, refused = await outcomes(
        [send(two_nodes[number % nodes], customer(number), **shop.join()) for number in range(100)]
    )
    assert len(done) == 10
    assert refused == {ErrorCode.QUEUE_FULL: 90}
    assert await differences(node) == []


@pytest.mark.parametrize("nodes", [1, 2])
async def test_one_customer_joining_every_line_at_once_stands_in_one(two_nodes: tuple[Node, Node], nodes: int) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node)
    await shop.open(node)
    done, refused = await outcomes(
        [send(two_nodes[number % nodes], customer(0), **shop.join(number % 2)) for number in range(40)]
    )
    assert len(done) == 1
    assert refused == {ErrorCode.ALREADY_IN_QUEUE: 39}
    assert await differences(node) == []


@pytest.mark.parametrize("nodes", [1, 2])
async def test_two_consoles_pressing_advance_at_once_advance_once(two_nodes: tuple[Node, Node], nodes: int) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node)
    await shop.open(node)
    line = await shop.fill(node, 5)
    serving: str | None = None
    for expected in line:
        seen = {"servingBookingId": serving}
        done, refused = await outcomes(
            [
                send(two_nodes[console % nodes], shop.staff[0], type="advance", barberId=shop.barbers[0], expect=seen)
                for console in range(2)
            ]
        )
        assert refused == {ErrorCode.STALE_STATE: 1}
        assert [result.data["booking"]["bookingId"] for result in done] == [expected]
        serving = expected
    assert await rows(node, "SELECT count(*) FROM bookings WHERE status = 'completed'") == [(4,)]
    assert await differences(node) == []


@pytest.mark.also_on_a_cluster
@pytest.mark.parametrize("nodes", [1, 2])
async def test_the_same_command_fifty_times_at_once_has_one_effect_and_fifty_equal_answers(
    two_nodes: tuple[Node, Node], nodes: int
) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node)
    await shop.open(node)
    document = {"commandId": new_id(), **shop.join()}
    done, refused = await outcomes([send(two_nodes[n % nodes], customer(0), **document) for n in range(50)])
    assert not refused
    assert len(done) == 50
    assert all(result.data == done[0].data for result in done)
    assert sum(not result.replayed for result in done) == 1
    assert await rows(node, "SELECT count(*) FROM bookings") == [(1,)]
    assert await differences(node) == []


@pytest.mark.also_on_a_cluster
@pytest.mark.parametrize("nodes", [1, 2])
async def test_transfers_in_both_directions_at_once_lose_nobody(two_nodes: tuple[Node, Node], nodes: int) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node)
    await shop.open(node)
    left, right = await shop.fill(node, 30, barber=0), await shop.fill(node, 30, barber=1, first=100)
    moves = [(booking, shop.barbers[1]) for booking in left] + [(booking, shop.barbers[0]) for booking in right]
    done, refused = await outcomes(
        [
            send(two_nodes[number % nodes], ADMIN, type="transfer", bookingId=booking, toBarberId=to)
            for number, (booking, to) in enumerate(moves[::2] + moves[1::2])
        ]
    )
    assert not refused
    assert len(done) == 60
    tokens = await rows(node, "SELECT barber_id, token_number FROM bookings")
    assert len(set(tokens)) == 60
    assert sorted(await rows(node, "SELECT booking_id, barber_id FROM bookings")) == sorted(moves)
    assert await differences(node) == []


async def test_one_booking_transferred_to_and_fro_by_many_ends_in_one_line(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    [booking] = await shop.fill(node, 1)
    done, refused = await outcomes(
        [
            send(node, ADMIN, type="transfer", bookingId=booking, toBarberId=shop.barbers[number % 2])
            for number in range(60)
        ]
    )
    assert len(done) + refused[ErrorCode.INVALID_TRANSITION] == 60
    assert await rows(node, "SELECT count(*) FROM bookings") == [(1,)]
    assert await differences(node) == []


@pytest.mark.also_on_a_cluster
async def test_a_rush_of_all_kinds_of_commands_on_two_nodes_leaves_one_truth(two_nodes: tuple[Node, Node]) -> None:
    node = two_nodes[0]
    shop = await TestShop.create(node, barbers=3, queue_capacity=200)
    await shop.open(node)
    line = [booking for barber in range(3) for booking in await shop.fill(node, 20, barber, first=100 * barber)]
    documents: list[dict[str, Any]] = []
    for number, booking in enumerate(line):
        to = shop.barbers[number % 3]
        documents += [
            {"type": "advance", "barberId": to},
            {"type": "skip", "bookingId": booking},
            {"type": "move", "bookingId": booking, "position": 2, "reason": "a rush"},
            {"type": "step_back", "bookingId": booking, "places": 2},
            {"type": "transfer", "bookingId": booking, "toBarberId": to},
            {"type": "no_show", "bookingId": booking},
            {"type": "recall", "bookingId": booking, "to": "front"},
            {"type": "cancel", "bookingId": booking},
        ]
    shuffled = sorted(documents, key=lambda document: crc32(orjson.dumps(document)))
    done, refused = await outcomes([send(two_nodes[n % 2], ADMIN, **each) for n, each in enumerate(shuffled)])
    assert set(refused) <= {ErrorCode.INVALID_TRANSITION}
    assert await rows(node, "SELECT count(*) FROM commands") == [(len(done) + 63,)]
    assert await differences(node) == []


async def test_what_can_never_be_is_not_remembered_nor_is_more_than_so_much_of_a_shop(
    node: Node, redis_prefix: str
) -> None:
    shop = await TestShop.create(node)
    redis = node.redis.of(node.keys.shard_of(shop.shop_id))
    commands = f"{redis_prefix}:*:commands:{shop.shop_id}:*"

    async def remembered() -> int:
        return sum([await redis.hlen(key) async for key in redis.scan_iter(match=commands, count=1000)])

    assert await code_of(send(node, customer(1), **shop.join())) is ErrorCode.QUEUE_CLOSED
    assert await remembered() == 1
    made_up = f"bk_{shop.shop_id[3:]}_0000000000"
    assert await code_of(send(node, customer(1), type="cancel", bookingId=made_up)) is ErrorCode.NOT_FOUND
    assert await remembered() == 1
    [key] = [key async for key in redis.scan_iter(match=commands, count=1000)]
    await redis.hset(key, mapping={f"x{number}": "d 1 l" for number in range(200_000)})
    full = await remembered()
    assert await code_of(send(node, customer(1), **shop.join())) is ErrorCode.QUEUE_CLOSED
    assert await remembered() == full
    await shop.open(node)
    assert await remembered() == full + len(shop.barbers)
