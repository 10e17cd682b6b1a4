"""The REST door while a store is away: what can be told is told, all else is refused as temporary."""

from collections.abc import AsyncIterator

import pytest

from barberpro.handlers.services import Limits
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import NodeOptions
from tests.support.rest import Answer, Door, rest_door
from tests.support.shops import Json, TestShop, customer


@pytest.fixture
async def door(own_stores: EmbeddedServices) -> AsyncIterator[Door]:
    options = NodeOptions(own_stores.urls.database_url, own_stores.urls.redis_url, patience=2)
    async with rest_door(options, Limits(requests_per_minute=1000)) as door:
        yield door


async def readiness(door: Door) -> tuple[int, Json]:
    async with door.client.get("/health/ready") as response:
        return response.status, await response.json()


def assert_temporary(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "PERSISTENCE_UNAVAILABLE")
    assert answer.body["error"]["temporary"] is True
    assert int(answer.headers["Retry-After"]) >= 1


async def test_without_postgres_reads_go_on_from_the_view_and_the_rest_is_temporary(
    own_stores: EmbeddedServices, door: Door
) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    other = await TestShop.create(door.node)
    before = await door.get(f"/queue/{door.shop.barbers[0]}", door.shop.staff[0])
    await own_stores.postgres.kill()

    assert (await door.get(f"/queue/{door.shop.barbers[0]}", door.shop.staff[0])).data == before.data
    assert (await door.get("/queue/my-queue", door.shop.staff[0])).status == 200
    assert (await door.get(f"/bookings/{booking_id}", customer(0))).data["position"] == 1
    assert (await door.get(f"/bookings/{booking_id}/token", customer(0))).status == 200

    unknown = await door.post("/bookings", customer(1), door.booking_body())
    assert_temporary(unknown)
    assert unknown.headers["Idempotency-Key"]  # to repeat it with
    assert_temporary(await door.patch(f"/queue/{booking_id}/status", door.shop.staff[0], {"status": "serving"}))
    assert_temporary(await door.get(f"/bookings/{booking_id}/history", customer(0)))
    assert_temporary(await door.get(f"/queue/{door.shop.barbers[0]}/events", door.shop.staff[0]))
    assert_temporary(await door.get(f"/queue/{other.barbers[0]}"))

    status, body = await readiness(door)
    assert (status, body["error"]["code"]) == (503, "PERSISTENCE_UNAVAILABLE")
    parts = body["error"]["details"]["parts"]
    assert {part for part, works in parts.items() if not works} == {"postgres", "journal"}
    async with door.client.get("/health/live") as response:
        assert response.status == 200


async def test_without_redis_reads_pass_uncounted_and_commands_are_temporary(
    own_stores: EmbeddedServices, door: Door
) -> None:
    (booking_id,) = await door.shop.fill(door.node, 1)
    await door.get(f"/queue/{door.shop.barbers[0]}")
    await own_stores.valkey.kill()

    shown = await door.get(f"/bookings/{booking_id}", customer(0))
    assert shown.status == 200
    assert shown.headers["X-RateLimit-Limit"] == shown.headers["X-RateLimit-Remaining"] == "1000"
    assert_temporary(await door.post("/bookings", customer(1), door.booking_body()))
    status, body = await readiness(door)
    assert (status, body["error"]["details"]["parts"]["redis"]) == (503, False)


async def test_an_emptied_redis_knows_the_rate_limits_script_again(own_stores: EmbeddedServices, door: Door) -> None:
    path = f"/queue/{door.shop.barbers[0]}"
    await door.get(path)
    await own_stores.valkey.kill()
    await own_stores.valkey.start()
    assert [(await door.get(path)).headers["X-RateLimit-Remaining"] for _ in range(2)] != ["1000", "1000"]
