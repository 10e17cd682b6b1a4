"""Pages that need no token, and what they may ask for."""

import asyncio

import pytest

from barberpro.handlers.pages import setup_pages
from barberpro.handlers.parts import Parts, read_parts
from barberpro.handlers.services import Limits
from barberpro.server.node import NodeOptions
from tests.support.rest import Door, rest_door
from tests.support.shops import Json, TestShop


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


async def token(door: Door, shop_id: str) -> tuple[int, Json]:
    async with door.client.get(f"/display/{shop_id}/token") as response:
        assert "X-RateLimit-Remaining" in response.headers
        return response.status, await response.json()


async def test_a_page_may_run_its_own_scripts_and_no_others(options: NodeOptions) -> None:
    parts = await asyncio.to_thread(read_parts)
    async with (
        rest_door(options, extend=lambda app: setup_pages(app, parts)) as door,
        door.client.get(f"/display/{door.shop.shop_id}") as response,
    ):
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert " style=" not in page


async def test_a_page_that_a_browser_has_already_keeps_its_policy(options: NodeOptions) -> None:
    """The headers of "not modified" take the place of those that were kept."""
    parts = await asyncio.to_thread(read_parts)
    async with rest_door(options, extend=lambda app: setup_pages(app, parts)) as door:
        async with door.client.get(f"/join/{door.shop.shop_id}") as first:
            kept = {"If-None-Match": first.headers["ETag"]}
        async with door.client.get(f"/join/{door.shop.shop_id}", headers=kept) as again:
            assert again.status == 304
            assert "Content-Security-Policy" not in again.headers
        async with door.client.get("/sw.js") as worker:
            assert worker.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


async def test_who_asks_for_screens_of_shops_that_there_are_not_is_counted(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=3), lambda app: setup_pages(app, Parts.of({}))) as door:
        statuses = []
        for number in range(4):
            async with door.client.get(f"/display/sh_{number}/token") as response:
                statuses.append(response.status)
        assert statuses == [404, 404, 404, 429]


async def test_who_asks_for_a_screens_token_is_counted_and_gets_the_same_one(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=3), lambda app: setup_pages(app, Parts.of({}))) as door:
        hidden = await TestShop.create(door.node, public_display=False)
        first, again = await token(door, door.shop.shop_id), await token(door, door.shop.shop_id)
        assert first == again
        assert (first[0], list(first[1])) == (200, ["token"])
        assert (await token(door, hidden.shop_id))[0] == 404
        status, refused = await token(door, door.shop.shop_id)
        assert (status, refused["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")


async def test_a_part_named_by_its_build_may_be_kept_for_ever_and_others_are_asked_for_again(
    options: NodeOptions,
) -> None:
    parts = await asyncio.to_thread(read_parts)
    async with rest_door(options, extend=lambda app: setup_pages(app, parts)) as door:
        async with door.client.get("/display") as response:
            page = await response.text()
            assert response.headers["Cache-Control"] == "no-cache"
        assert f'src="/static/{parts.build}/display.js"' in page
        for name, kept in (
            (f"{parts.build}/texts.js", "immutable"),
            ("another/texts.js", "no-cache"),
            ("texts.js", ""),
        ):
            async with door.client.get(f"/static/{name}") as response:
                assert (response.status, response.content_type) == (200, "text/javascript"), name
                assert kept in response.headers["Cache-Control"]
                etag = response.headers["ETag"]
            async with door.client.get(f"/static/{name}", headers={"If-None-Match": etag}) as response:
                assert (response.status, response.content_type, await response.read()) == (304, "text/javascript", b"")
        async with door.client.get(f"/static/{parts.build}/nothing.js") as response:
            assert response.status == 404


async def test_parts_are_packed_for_whoever_can_unpack_them(options: NodeOptions) -> None:
    parts = await asyncio.to_thread(read_parts)
    async with rest_door(options, extend=lambda app: setup_pages(app, parts)) as door:
        packed, plain = ("gzip", "br, GZip;q=0.5"), ("br", "gzip;q=0, br", "")
        for asked, given in [(one, "gzip") for one in packed] + [(one, None) for one in plain]:
            async with door.client.get("/static/theme.css", headers={"Accept-Encoding": asked}) as response:
                assert response.headers.get("Content-Encoding") == given
                assert await response.read() == parts.by_name["theme.css"].body
