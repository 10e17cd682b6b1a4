"""Bodies, headers, silent connections and foreign web origins. The door trusts 127.0.0.1 as a proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import replace

import aiohttp
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from structlog.typing import EventDict

from barberpro.handlers.origins import Origins
from barberpro.protocol.closing import CloseCode
from barberpro.server.node import NodeOptions
from tests.support.rest import UNLIMITED, Door, head_of, rest_door, tokens
from tests.support.shops import customer
from tests.support.socket_door import socket_door

Headers = dict[str, str]


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options) as door:
        yield door


def posted(*headers: str) -> bytes:
    """The head of a booking's request."""
    own = ("Host: x", "Content-Type: application/json", f"Authorization: Bearer {tokens().mint(customer(1))}")
    return "\r\n".join(["POST /api/v1/bookings HTTP/1.1", *own, *headers, "", ""]).encode()


async def test_ten_megabytes_are_refused_as_soon_as_it_is_known(door: Door) -> None:
    refused = await head_of(door.client, posted("Content-Length: 10000000"))
    assert refused.startswith(b"HTTP/1.1 413 ")
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    refused = await head_of(door.client, posted("Transfer-Encoding: chunked") + chunk * 3)
    assert refused.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_comes_byte_by_byte_is_given_up(options: NodeOptions) -> None:
    async with rest_door(options, replace(UNLIMITED, body_seconds=0.2)) as door:
        refused = await head_of(door.client, posted("Content-Length: 60000") + b"{")
        assert refused.startswith(b"HTTP/1.1 400 ")


async def test_a_crowd_that_connects_and_says_nothing_is_hung_up_on(options: NodeOptions) -> None:
    async with rest_door(options, patience=1.0) as door:
        idle = [await asyncio.open_connection(door.client.host, door.client.port) for _ in range(500)]
        for _, writer in idle[:250]:
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert (await door.get(f"/queue/{door.shop.barbers[0]}")).status == 200
        async with asyncio.timeout(60):
            assert await asyncio.gather(*(reader.read() for reader, _ in idle)) == [b""] * 500
        for _, writer in idle:
            writer.close()
        # Who has asked once may be silent for as long as a connection is kept.
        assert (await door.get(f"/queue/{door.shop.barbers[0]}")).status == 200


def whole_lines() -> AbstractContextManager[list[EventDict]]:
    """What is logged, each line with the request's id, as the log has it."""
    return capture_logs([merge_contextvars])


async def test_a_request_id_that_could_forge_a_line_is_replaced(door: Door) -> None:
    for given in ("a b", "a%0d%0aX-Evil: 1", "x" * 65, "<script>", "{}"):
        with whole_lines() as lines:
            answer = await door.call("GET", f"/queue/{door.shop.barbers[0]}", X_Request_Id=given)
        assert answer.headers["X-Request-Id"].startswith("req_")
        assert [line["request_id"] for line in lines if line["event"] == "request"] == [answer.headers["X-Request-Id"]]
        assert given not in str(lines)


async def test_line_breaks_in_a_path_forge_neither_headers_nor_log_lines(door: Door) -> None:
    for path in ("/nothing%0d%0aX-Evil:%201", "/queue/bb%0d%0aX-Evil:%201", "/bookings/%0aX-Evil"):
        with whole_lines() as lines:
            head = await head_of(door.client, f"GET /api/v1{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert head.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 401 "))
        assert b"X-Evil" not in head
        assert lines
        assert "Evil" not in str(lines)


@pytest.mark.parametrize("evil", ["evil[31m{}", "evil\xff"])  # an escape itself, no parser lets through
async def test_nothing_of_a_callers_headers_is_logged_as_it_came(door: Door, evil: str) -> None:
    path = "/api/v1/queue/my-queue"
    for header in ("X-Forwarded-For", "User-Agent", "Origin", "Authorization", "Idempotency-Key", "X-Request-Id"):
        with whole_lines() as lines:
            await head_of(door.client, f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}: {evil}\r\n\r\n".encode("latin-1"))
        (line,) = [each for each in lines if each["event"] == "request"]
        assert (line["method"], line["path"], line["status"], line["role"]) == ("GET", path, 401, "anonymous"), header
        assert line["request_id"].startswith("req_")
        assert "evil" not in str(lines)


async def test_only_listed_origins_may_ask(options: NodeOptions) -> None:
    async with rest_door(options, origins=("https://shop.example",)) as door:
        path, wish = f"/api/v1/queue/{door.shop.barbers[0]}", {"Access-Control-Request-Method": "POST"}
        for origin, welcome in (("https://shop.example", True), ("https://evil.example", False), ("null", False)):
            async with door.client.get(path, headers={"Origin": origin}) as response:
                assert response.headers.get("Access-Control-Allow-Origin") == (origin if welcome else None)
                assert "Access-Control-Allow-Credentials" not in response.headers
            async with door.client.options(path, headers={"Origin": origin, **wish}) as response:
                assert response.status == (204 if welcome else 405)
                assert ("Access-Control-Allow-Methods" in response.headers) is welcome


async def rest_lets_in(http: aiohttp.ClientSession, queue: str, origin: Headers) -> bool:
    """Whether a page of this origin may read the answer."""
    async with http.get(f"/api/v1/queue/{queue}", headers=origin) as response:
        assert "Access-Control-Allow-Credentials" not in response.headers
        return response.headers.get("Access-Control-Allow-Origin") == origin.get("Origin")


async def websocket_lets_in(http: aiohttp.ClientSession, queue: str, origin: Headers) -> bool:
    headers = {"Authorization": f"Bearer {tokens().mint(customer(1))}", **origin}
    async with http.ws_connect(f"/ws/queue/{queue}", headers=headers) as socket:
        word = await socket.receive(30)
        assert word.type is aiohttp.WSMsgType.TEXT or word.data == CloseCode.FORBIDDEN
        return word.type is aiohttp.WSMsgType.TEXT


async def polling_lets_in(http: aiohttp.ClientSession, _queue: str, origin: Headers) -> bool:
    async with http.get("/socket.io/?EIO=4&transport=polling", headers=origin) as response:
        assert response.status in {200, 400}
        assert "Access-Control-Allow-Credentials" not in response.headers
        readable = response.headers.get("Access-Control-Allow-Origin") == origin.get("Origin")
        assert readable or response.status == 400
        return response.status == 200


async def socketio_lets_in(http: aiohttp.ClientSession, _queue: str, origin: Headers) -> bool:
    try:
        async with http.ws_connect("/socket.io/?EIO=4&transport=websocket", headers=origin):
            return True
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status != 400


LISTED = "https://shop.example"
FOREIGN = ("https://evil.example", "https://shop.example.evil.example", "null", "http://shop.example")


@pytest.mark.parametrize(
    ("origins", "others"), [((), ()), ((LISTED,), (LISTED,)), ("*", (LISTED, *FOREIGN))], ids=["none", "one", "all"]
)
async def test_all_doors_let_in_the_same_web_origins(
    options: NodeOptions, origins: Origins, others: tuple[str, ...]
) -> None:
    async with socket_door(options, origins=origins) as door, aiohttp.ClientSession(door.url) as http:
        own = door.url.removesuffix("/")
        asking = (None, own, own.replace("http:", "https:"), LISTED, *FOREIGN)
        headers = {origin: {"Origin": origin} if origin is not None else {} for origin in asking}
        for lets_in in (rest_lets_in, websocket_lets_in, polling_lets_in, socketio_lets_in):
            entered = [origin for origin in asking if await lets_in(http, door.shop.barbers[0], headers[origin])]
            assert entered == [*asking[:3], *others], lets_in.__name__


async def test_a_refusal_may_be_read_by_the_page_that_caused_it(door: Door) -> None:
    answer = await door.call("GET", "/queue/my-queue", Origin="https://shop.example")
    assert answer.status == 401
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


async def test_every_answer_tells_browsers_to_do_no_more_with_it(door: Door) -> None:
    paths = ["/api/v1/nothing", "/health/live", "/metrics", f"/api/v1/queue/{door.shop.barbers[0]}", "/nowhere"]
    for path in paths:
        async with door.client.get(path) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "Server" not in response.headers
            assert "Strict-Transport-Security" not in response.headers
    async with door.client.get("/health/live", headers={"X-Forwarded-Proto": "https"}) as response:
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    malformed = await head_of(door.client, b"nonsense\r\n\r\n")
    assert b"X-Content-Type-Options: nosniff" in malformed
