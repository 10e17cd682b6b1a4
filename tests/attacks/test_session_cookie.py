"""Attacks on the session of a page: on the cookie that holds its refresh token, and on who may have it sent."""

from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie

import pytest
import pytest_asyncio

from tests.support.accounts import PASSWORD, AccountDoor, shared_door
from tests.support.rest import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = {"X_Refresh_Token": "cookie"}
OTHER = {"X_Refresh_Token": "local storage"}
TLS = {"X_Forwarded_Proto": "https"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    keys = tmp_path_factory.mktemp("keys")
    async with shared_door(server_url, _template, redis_url, keys, cors_origins=("https://app.example",)) as door:
        yield door


async def signed_in(door: AccountDoor, **headers: str) -> Answer:
    """As a page signs in: somebody new."""
    email = door.new_email()
    await door.by_email(email)
    return await door.call("POST", "/auth/login", {"email": email, "password": PASSWORD}, **PAGE, **headers)


async def renewed(door: AccountDoor, cookie: "Morsel[str] | None", **headers: str) -> Answer:
    """With this cookie alone, whatever the test's own client has kept."""
    door.server.client.session.cookie_jar.clear()
    if cookie is not None:
        headers["Cookie"] = f"{cookie.key}={cookie.value}"
    return await door.call("POST", "/auth/refresh", {}, **headers)


def cookie_of(answer: Answer) -> "Morsel[str]":
    """The one cookie that an answer sets."""
    [header] = answer.headers.getall("Set-Cookie")
    [cookie] = SimpleCookie(header).values()
    return cookie


async def test_no_script_can_read_a_pages_refresh_token(door: AccountDoor) -> None:
    answer = await signed_in(door, **TLS)
    cookie = cookie_of(answer)
    assert answer.data["refreshToken"] is None
    assert cookie.value not in str(answer.body)
    assert (cookie.key, cookie["httponly"], cookie["secure"]) == ("__Secure-barberpro", True, True)
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Strict", "/api/v1/auth", "")
    assert int(cookie["max-age"]) == pytest.approx(30 * 86_400, abs=3600)
    # Without TLS a browser would not take one that says Secure, and a newcomer's own machine has none.
    assert (cookie_of(await signed_in(door)).key, cookie_of(await signed_in(door))["secure"]) == ("barberpro", "")


async def test_the_cookie_is_renewed_as_a_refresh_token_is_and_used_twice_ends_the_session(door: AccountDoor) -> None:
    stolen = cookie_of(await signed_in(door))
    answer = await renewed(door, stolen, **PAGE)
    newer = cookie_of(answer)
    assert (answer.data["refreshToken"], newer.value != stolen.value) == (None, True)
    assert (await renewed(door, stolen, **PAGE)).code == "TOKEN_REVOKED"
    assert (await renewed(door, newer, **PAGE)).code == "TOKEN_REVOKED"


async def test_an_answer_that_got_lost_is_asked_for_again_with_its_key(door: AccountDoor) -> None:
    cookie = cookie_of(await signed_in(door))
    first = await renewed(door, cookie, **PAGE, Idempotency_Key="once")
    again = await renewed(door, cookie, **PAGE, Idempotency_Key="once")
    assert cookie_of(first).value == cookie_of(again).value


async def test_a_request_that_does_not_say_so_is_not_let_in_by_the_cookie(door: AccountDoor) -> None:
    cookie = cookie_of(await signed_in(door))
    assert (await renewed(door, cookie)).refused_fields == ["refreshToken"]
    assert (await renewed(door, cookie, **OTHER)).refused_fields == ["refreshToken"]
    me = await door.call("GET", "/auth/me", Cookie=f"{cookie.key}={cookie.value}", **PAGE)
    assert me.code == "UNAUTHORIZED"
    assert (await renewed(door, None, **PAGE)).code == "UNAUTHORIZED"
    assert (await renewed(door, cookie, **PAGE)).status == 200


async def test_pages_from_elsewhere_may_not_even_ask_so(door: AccountDoor) -> None:
    """Not those that are welcome with a token of their own, either."""
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-refresh-token",
    }
    async with door.server.client.options("/api/v1/auth/refresh", headers=headers) as answer:
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "x-refresh-token" not in allowed
    assert "*" not in allowed


async def test_who_signs_out_has_no_cookie_left(door: AccountDoor) -> None:
    answer = await signed_in(door)
    token, cookie = answer.data["accessToken"], cookie_of(answer)
    gone = cookie_of(await door.call("POST", "/auth/logout", {}, token, **PAGE))
    assert (gone.key, gone.value, gone["max-age"], gone["path"]) == ("barberpro", "", "0", "/api/v1/auth")
    assert (await renewed(door, cookie, **PAGE)).code == "TOKEN_REVOKED"
