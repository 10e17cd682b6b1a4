"""openapi.json as a server shows it, and what it says of that server's endpoints."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import orjson
import pytest
from aiohttp import hdrs, web

from barberpro.handlers import openapi
from barberpro.handlers.rest import queues
from barberpro.handlers.rest.operations import Deprecation, Operation
from barberpro.handlers.rest.routes import ROUTES
from barberpro.server.node import NodeOptions
from tests.support.callers import Scene, scene
from tests.support.openapi import RestContract
from tests.support.rest import rest_door

NOT_DESCRIBED: Final = {
    # Parts of pages.
    "GET /static/{name}",
    "GET /static/{build}/{name}",
    "GET /sw.js",
    "GET /app.webmanifest",
    # In asyncapi.json.
    "GET /ws/queue/{id}",
    "GET /ws/booking/{id}",
    "GET /ws/display/{id}",
    "GET /socket.io/",
    "POST /socket.io/",
    "OPTIONS /socket.io/",
}


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        yield each


def _served(app: web.Application) -> set[str]:
    return {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    }


async def test_it_describes_every_endpoint_and_no_other(stage: Scene) -> None:
    client = stage.door.client
    async with client.get("/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        shown = await response.json()
    assert shown == orjson.loads(orjson.dumps(openapi.whole()))
    assert client.app is not None
    assert RestContract(shown).operations().keys() == _served(client.app) - NOT_DESCRIBED


async def test_an_endpoint_that_is_about_to_go_says_so_whatever_it_answers(
    database_url: str, redis_url: str, redis_prefix: str
) -> None:
    gone = Deprecation(datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC))
    [known] = [route for route in ROUTES if isinstance(route, Operation) and route.call is queues.show]
    old = replace(known, path="/api/v1/lines/{barberId}", deprecated=gone)

    def extend(app: web.Application) -> None:
        app.router.add_route(old.method, old.path, old.handler)

    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix), extend=extend) as door:
        for barber_id, status in ((door.shop.barbers[0], 200), ("bb_none", 404)):
            answer = await door.get(f"/lines/{barber_id}")
            assert answer.status == status
            assert answer.headers["Deprecation"] == "@1793491200"
            assert answer.headers["Sunset"] == "Sat, 01 May 2027 00:00:00 GMT"
        assert "Sunset" not in (await door.get(f"/queue/{door.shop.barbers[0]}")).headers
