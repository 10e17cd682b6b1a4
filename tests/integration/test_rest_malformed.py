"""What aiohttp refuses by itself, sent as bytes: the envelope, as everywhere, and one line in the log."""

import asyncio
import logging
from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from barberpro.server.node import NodeOptions
from tests.support.logs import nothing_wrong_is_logged
from tests.support.rest import Door, rest_door, tokens
from tests.support.shops import Json, customer

HOST = b"Host: here\r\n"
SECRET = b"Bearer-of-a-secret"
LIVE = b"GET /health/live HTTP/1.1\r\n"
POST = b"POST /api/v1/bookings HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
MALFORMED = {
    "a request line that is too long": b"GET /" + SECRET * 500 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header that is too long": LIVE + HOST + b"Authorization: " + SECRET * 500 + b"\r\n\r\n",
    "too many headers": LIVE + HOST + b"".join(b"X-%d: %b\r\n" % (n, SECRET) for n in range(300)) + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x00\xa5\r\n\r\n",
    "no header": LIVE + HOST + SECRET + b"\r\n\r\n",
    "no host": LIVE + b"\r\n",
    "no version of HTTP": b"GET /health/live HTTP/9.9\r\n" + HOST + b"\r\n",
    "no method": b"BREW /health/live HTTP/1.1\r\n" + HOST + b"\r\n",
    "no address": b"GET http://[bad/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a length below nothing": POST + b"Content-Length: -2\r\n\r\n{}",
    "no chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n" + SECRET + b"\r\n",
}


@pytest.fixture
async def door(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Door]:
    async with rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        yield door


async def answer(door: Door, raw: bytes) -> tuple[int, dict[str, str], Json]:
    """The status, the headers and the body that these bytes get; the connection must be closed then."""
    reader, writer = await asyncio.open_connection(door.client.host, door.client.port)
    writer.write(raw)
    async with asyncio.timeout(20):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, *headers = head.decode().split("\r\n")
    return int(status.split()[1]), dict(header.split(": ", 1) for header in headers), orjson.loads(body)


@pytest.mark.parametrize("kind", MALFORMED)
async def test_what_is_not_well_formed_is_refused_in_an_envelope(
    door: Door, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines, caplog.at_level(logging.WARNING):
        status, headers, body = await answer(door, MALFORMED[kind])
    assert (status, body["success"], body["error"]["code"]) == (400, False, "BAD_REQUEST")
    assert [field["path"] for field in body["error"]["details"]["fields"]] == ["(request)"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Request-Id"] == body["meta"]["requestId"]
    assert [line["event"] for line in lines] == ["request_malformed"]
    assert SECRET.decode() not in f"{body}{lines}"
    assert caplog.records == []


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_a_body_that_is_not_what_its_headers_say_is_refused(door: Door, coding: bytes) -> None:
    token = f"Authorization: Bearer {tokens().mint(customer(1))}\r\nConnection: close\r\n".encode()
    headers = token + b"Content-Encoding: %b\r\nContent-Length: 2\r\n\r\n" % coding
    status, _, body = await answer(door, POST + headers + b"{}")
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST"), body
    # aiohttp tells the one before there is a request, the other when its body is read.
    assert body["error"]["details"]["fields"][0]["path"] in {"(request)", "(body)"}


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        (b"GET /nothing HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"OPTIONS * HTTP/1.1\r\n", 404, "NOT_FOUND"),
        (b"PUT /health/live HTTP/1.1\r\n", 405, "BAD_REQUEST"),
    ],
)
async def test_what_is_not_there_is_refused_in_an_envelope(
    door: Door, request_line: bytes, status: int, code: str
) -> None:
    given, headers, body = await answer(door, request_line + HOST + b"Connection: close\r\n\r\n")
    assert (given, body["error"]["code"]) == (status, code)
    assert headers["X-Request-Id"] == body["meta"]["requestId"]


@pytest.mark.parametrize("expected", [SECRET, b"\xff"])
async def test_an_expectation_that_nobody_knows_is_refused_in_an_envelope(door: Door, expected: bytes) -> None:
    with capture_logs() as lines:
        status, headers, body = await answer(door, LIVE + HOST + b"Expect: " + expected + b"\r\n\r\n")
    assert (status, body["error"]["code"]) == (417, "BAD_REQUEST")
    assert [field["path"] for field in body["error"]["details"]["fields"]] == ["Expect"]
    assert headers["X-Request-Id"] == body["meta"]["requestId"]
    assert [line["event"] for line in lines] == ["request_malformed"]
    assert SECRET.decode() not in f"{body}{lines}"


async def test_who_asks_before_sending_a_body_and_goes_away_is_no_error_in_the_log(door: Door) -> None:
    with nothing_wrong_is_logged():
        for _ in range(20):  # it is in time to be gone before it is answered, more often than not
            _, writer = await asyncio.open_connection(door.client.host, door.client.port)
            writer.write(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
            writer.transport.abort()
        assert (await door.get(f"/queue/{door.shop.barbers[0]}")).status == 200


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
async def test_a_broken_body_that_nobody_reads_is_no_error_in_the_log(door: Door, coding: bytes) -> None:
    unknown = b"POST /nothing HTTP/1.1\r\n" + HOST + b"Content-Encoding: %b\r\nContent-Length: 16\r\n\r\n" % coding
    with nothing_wrong_is_logged():
        reader, writer = await asyncio.open_connection(door.client.host, door.client.port)
        writer.write(unknown)
        async with asyncio.timeout(20):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x78" * 16)  # neither of the two begins so
            rest = await reader.read()
        writer.close()
    assert head.startswith(b"HTTP/1.1 404 ")
    assert orjson.loads(rest)["error"]["code"] == "NOT_FOUND"


async def test_other_servers_of_the_process_keep_their_own_words() -> None:
    async with TestServer(web.Application()) as plain:
        reader, writer = await asyncio.open_connection(plain.host, plain.port)
        writer.write(MALFORMED["no HTTP"])
        async with asyncio.timeout(20):
            said = await reader.read()
        writer.close()
    assert b"Content-Type: text/plain" in said


async def test_who_asks_before_sending_a_body_is_refused_in_an_envelope(door: Door) -> None:
    reader, writer = await asyncio.open_connection(door.client.host, door.client.port)
    writer.write(POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 ")
    assert orjson.loads(said.rpartition(b"\r\n\r\n")[2])["error"]["code"] == "UNAUTHORIZED"
