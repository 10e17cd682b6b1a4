"""What holds for every answer of the REST door: envelope, headers, codes, limits."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientPayloadError, WSMsgType, web
from structlog.testing import capture_logs

from barberpro.handlers.rest import parsing
from barberpro.handlers.services import Limits
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.server.node import NodeOptions
from tests.support.rest import Answer, Door, rest_door, tokens
from tests.support.shops import ADMIN, Json, customer

SECRET = "postgresql://secret@host/db"  # noqa: S105 - stands for what must never be told


def extend(app: web.Application) -> None:
    """Handlers that fail in their own ways."""

    async def bug(_request: web.Request) -> web.Response:
        raise RuntimeError(SECRET)

    async def restarting(_request: web.Request) -> web.Response:
        raise BarberProError(ErrorCode.SHUTTING_DOWN, retry_after=2.4)

    async def moved(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        raise RuntimeError(SECRET)

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        await response.send_str("hello")
        await response.close()
        return response

    app.router.add_get("/api/v1/stream", stream)
    app.router.add_get("/ws/hello", socket)
    app.router.add_get("/api/v1/bug", bug)
    app.router.add_get("/api/v1/restarting", restarting)
    app.router.add_get("/api/v1/moved", moved)


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options, Limits(requests_per_minute=10_000, message_bytes=4096), extend) as door:
        yield door


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.body
    assert set(answer.body) == {"success", "error", "meta"}
    assert set(answer.body["error"]) == {"code", "message", "temporary", "details"}


def assert_headers(answer: Answer) -> None:
    assert answer.headers["X-Request-Id"] == answer.body["meta"]["requestId"]
    assert answer.headers["X-RateLimit-Limit"] == "10000"
    assert 0 <= int(answer.headers["X-RateLimit-Remaining"]) < 10_000
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_success_has_data_and_meta(door: Door) -> None:
    answer = await door.post("/bookings", customer(1), door.booking_body())
    assert answer.status == 201
    assert set(answer.body) == {"success", "data", "meta"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.body["meta"]["timestamp"])
    assert_headers(answer)


async def test_every_kind_of_refusal_is_an_envelope_with_the_same_headers(door: Door) -> None:
    barber = door.shop.barbers[0]
    with capture_logs():
        bug = await door.get("/bug")
    cases = [
        (bug, 500, "INTERNAL_ERROR"),
        (await door.get("/nothing"), 404, "NOT_FOUND"),
        (await door.call("DELETE", f"/queue/{barber}"), 405, "BAD_REQUEST"),
        (await door.get("/queue/my-queue"), 401, "UNAUTHORIZED"),
        (await door.get("/queue/my-queue", customer(1)), 403, "FORBIDDEN"),
        (await door.get("/queue/bb_nobody"), 404, "NOT_FOUND"),
        (await door.get("/restarting"), 503, "SHUTTING_DOWN"),
        (await door.post("/bookings", customer(1), {}), 400, "BAD_REQUEST"),
        (await door.post("/bookings", customer(1), b"x" * 5000), 413, "PAYLOAD_TOO_LARGE"),
        (await door.post("/bookings", customer(1), b"x", Content_Type="text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    ]
    for answer, status, code in cases:
        assert_refused(answer, status, code)
        assert_headers(answer)


async def test_a_path_that_is_not_the_apis_is_answered_in_the_envelope_too(door: Door) -> None:
    async with door.client.get("/nowhere") as response:
        body = await response.json()
        assert (response.status, body["error"]["details"]) == (404, {"resource": "path"})
        assert response.headers["X-Request-Id"] == body["meta"]["requestId"]
        assert "X-RateLimit-Limit" not in response.headers


async def test_a_wrong_method_is_told_which_are_right(door: Door) -> None:
    answer = await door.call("DELETE", "/bookings", ADMIN)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD,POST")


async def test_a_redirect_stays_a_redirect(door: Door) -> None:
    async with door.client.get("/api/v1/moved", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/elsewhere")
        assert response.headers["X-Request-Id"]


async def test_a_stream_has_the_headers_and_is_cut_when_it_fails_under_way(door: Door) -> None:
    async with door.client.get("/api/v1/stream") as response:
        assert response.headers["X-Request-Id"].startswith("req_")
        assert response.headers["X-RateLimit-Limit"] == "10000"
        assert await response.content.readexactly(5) == b"first"
        with pytest.raises(ClientPayloadError):
            await response.read()


async def test_a_websocket_passes_through(door: Door) -> None:
    async with door.client.ws_connect("/ws/hello") as socket:
        assert await socket.receive_str() == "hello"
        assert (await socket.receive()).type is WSMsgType.CLOSE


async def test_a_failure_inside_is_logged_and_not_told(door: Door) -> None:
    with capture_logs() as lines:
        answer = await door.get("/bug")
    assert answer.body["error"] == {
        "code": "INTERNAL_ERROR",
        "message": "Something went wrong on the server.",
        "temporary": False,
        "details": {},
    }
    failure = next(line for line in lines if line["event"] == "request_failed")
    assert SECRET in str(failure["exc_info"])


async def test_a_temporary_refusal_says_when_to_come_again_in_whole_seconds(door: Door) -> None:
    answer = await door.get("/restarting")
    assert (answer.headers["Retry-After"], answer.body["error"]["temporary"]) == ("3", True)


async def test_a_callers_own_request_id_is_kept_when_it_is_harmless(door: Door) -> None:
    kept = await door.call("GET", "/nothing", X_Request_Id="trace-1.2_3")
    assert kept.headers["X-Request-Id"] == "trace-1.2_3"
    for odd in ("a b", "x" * 65, 'a"b', "ä"):
        answer = await door.call("GET", "/nothing", X_Request_Id=odd)
        assert answer.headers["X-Request-Id"].startswith("req_")


async def test_the_log_line_has_the_template_and_nothing_personal(door: Door) -> None:
    with capture_logs() as lines:
        await door.get("/queue/bb_private?secret=1", customer(7))
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/api/v1/queue/{barberId}"
    assert (line["method"], line["status"], line["role"]) == ("GET", 400, "customer")
    assert not any(word in str(line) for word in ("secret", "bb_private", "us_customer7"))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer nonsense", "Bearer a.b.c", "Bearer ä.ö.ü"]
)
async def test_a_bad_authorization_is_refused_even_where_none_is_needed(door: Door, header: str) -> None:
    answer = await door.call("GET", f"/queue/{door.shop.barbers[0]}", Authorization=header)
    assert_refused(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_an_expired_token_is_told_apart(door: Door) -> None:
    old = tokens().mint(customer(1), seconds=-60)
    answer = await door.call("GET", "/queue/my-queue", Authorization=f"Bearer {old}")
    assert_refused(answer, 401, "TOKEN_EXPIRED")


async def test_the_scheme_may_be_written_in_any_case(door: Door) -> None:
    token = tokens().mint(door.shop.staff[0])
    answer = await door.call("GET", "/queue/my-queue", Authorization=f"bearer {token}")
    assert answer.status == 200


def nested(depth: int) -> bytes:
    return b'{"notes":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b'"text"', b"null", b"1", b"\xff\xfe", b'{"notes":"\x00"}', b'{"notes":NaN}', nested(800),
     nested(1020), nested(2000), b'{"notes":"\\ud800"}'],
)  # fmt: skip
async def test_a_body_that_is_no_json_object_is_refused(door: Door, raw: bytes) -> None:
    answer = await door.post("/bookings", customer(1), raw)
    assert_refused(answer, 400, "BAD_REQUEST")


def test_a_field_given_twice_is_found_in_one_pass() -> None:
    compared = 0

    class Field(str):
        """A name that counts how often it is compared."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    names = [Field(f"f{number}") for number in range(1000)]
    with pytest.raises(BarberProError, match="f999"):
        parsing._each_once([(name, 1) for name in [*names, Field("f999")]])
    assert compared < 3 * len(names)


async def test_a_field_given_twice_is_refused_by_name(door: Door) -> None:
    raw = b'{"barberId":"bb_1","serviceIds":["sv_1"],"customer":{"name":"A","name":"B"}}'
    answer = await door.post("/bookings", customer(1), raw)
    assert answer.refused_fields == ["name"]


async def test_a_nul_in_a_text_is_refused_by_name(door: Door) -> None:
    answer = await door.post("/bookings", customer(1), door.booking_body(notes="a\x00b"))
    assert answer.refused_fields == ["notes"]


@pytest.mark.parametrize("path", ["/bookings/bk_%00_1", "/bookings/x", "/queue/bb_%00", "/queue/" + "b" * 65])
async def test_what_is_no_id_is_not_found(door: Door, path: str) -> None:
    assert_refused(await door.get(path, ADMIN), 404, "NOT_FOUND")


async def test_a_body_of_no_said_length_is_read_no_further_than_the_limit(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024
            await asyncio.sleep(0)

    headers = {"Authorization": f"Bearer {tokens().mint(customer(1))}", "Content-Type": "application/json"}
    async with door.client.post("/api/v1/bookings", data=endless(), headers=headers) as response:
        assert response.status == 413


async def test_unknown_and_repeated_query_parameters_are_refused_by_name(door: Door) -> None:
    events = f"/queue/{door.shop.barbers[0]}/events"
    assert (await door.get(f"{events}?afer=1", ADMIN)).refused_fields == ["afer"]
    assert (await door.get(f"{events}?after=1&after=2", ADMIN)).refused_fields == ["after"]
    assert (await door.get(f"/queue/{door.shop.barbers[0]}?token=x")).refused_fields == ["token"]


async def test_requests_beyond_the_limit_are_told_when_to_come_again(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=3)) as door:
        path = f"/queue/{door.shop.barbers[0]}"
        answers = [await door.get(path, customer(1)) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert answers[3].code == "RATE_LIMIT_EXCEEDED"
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
        assert answers[3].headers["X-RateLimit-Limit"] == "3"
        # Another user has requests of their own, and so have those without a token, together.
        assert (await door.get(path, customer(2))).status == 200
        assert (await door.get(path)).status == 200


async def test_of_many_requests_at_once_exactly_as_many_pass_as_are_allowed(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=7)) as door:
        path = f"/queue/{door.shop.barbers[0]}"
        answers = await asyncio.gather(*(door.get(path, customer(1)) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] * 7 + [429] * 13


async def test_without_a_limit_none_is_told(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=0)) as door:
        assert "X-RateLimit-Limit" not in (await door.get(f"/queue/{door.shop.barbers[0]}")).headers


async def test_bad_tokens_count_for_the_address_that_tries_them(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=2)) as door:
        tries = [await door.call("GET", "/queue/my-queue", Authorization="Bearer guess") for _ in range(3)]
        assert [answer.status for answer in tries] == [401, 401, 429]


async def test_health_is_not_limited(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=1)) as door:
        for _ in range(3):
            async with door.client.get("/health/ready") as response:
                body: Json = await response.json()
                assert response.status == 200
                assert body["data"]["ready"] is True
                assert set(body["data"]["parts"].values()) == {True}


async def test_the_process_says_that_it_lives(door: Door) -> None:
    async with door.client.get("/health/live") as response:
        assert (response.status, (await response.json())["data"]) == (200, {"live": True})


async def test_a_display_may_not_send_commands(door: Door) -> None:
    display = Actor("ds_1", Role.DISPLAY, shop_ids=frozenset({door.shop.shop_id}))
    assert_refused(await door.post("/bookings", display, door.booking_body()), 403, "FORBIDDEN")
