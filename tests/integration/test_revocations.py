"""A revoked user is off every node within five seconds, on every door, and comes in again only with a newer token."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import jwt
import orjson
import pytest
from asyncpg import Pool

from barberpro.domain import revocations
from barberpro.domain.identity import Identity
from barberpro.domain.keys import add_key
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.listening import Ear
from barberpro.storage.users import add_user, user_by_id
from tests.support.live_server import LiveServer
from tests.support.raw_socketio import raw_client
from tests.support.revoking import revoke
from tests.support.shops import VIA, TestShop

WITHIN_SECONDS = 5
HER = Actor("us_her", Role.CUSTOMER)
HIM = Actor("us_him", Role.CUSTOMER)


async def test_a_revoked_user_is_off_every_server(servers: tuple[LiveServer, LiveServer]) -> None:
    first, second = servers
    shop = await TestShop.create(first.node)
    token = first.mint("customer", HER.id, None, None)
    other = first.mint("customer", HIM.id, None, None)
    room = f"/ws/queue/{shop.barbers[0]}"
    stream = f"/api/v1/queue/stream?barberId={shop.barbers[0]}"
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        http = await stack.enter_async_context(aiohttp.ClientSession())
        headers, others = {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {other}"}
        hers = [http.ws_connect(f"{server.url}{room}", headers=headers) for server in servers]
        sockets = [await stack.enter_async_context(socket) for socket in hers]
        his = await stack.enter_async_context(http.ws_connect(f"{second.url}{room}", headers=others))
        for socket in (*sockets, his):
            assert orjson.loads(await socket.receive_str())["event"] == "subscribed"
        app = await stack.enter_async_context(raw_client(second.url, {"token": token}, "websocket"))
        events = await stack.enter_async_context(http.get(f"{second.url}{stream}", headers=headers))
        assert events.status == 200

        await revoke(first.node.pool, HER.id, "us_admin", "admin")
        async with asyncio.timeout(WITHIN_SECONDS):
            for socket in sockets:
                assert orjson.loads(await socket.receive_str())["code"] == "TOKEN_REVOKED"
                await socket.receive()
                assert socket.close_code == 4401
            assert (await app.hears("session_expired"))["code"] == "TOKEN_REVOKED"
            await app.ends()
            assert "TOKEN_REVOKED" in (await events.content.read()).decode()

        for server in servers:
            async with http.get(f"{server.url}/api/v1/queue/{shop.barbers[0]}", headers=headers) as refused:
                assert (await refused.json())["error"]["code"] == "TOKEN_REVOKED"
        assert not his.closed
        async with http.get(f"{second.url}/api/v1/queue/{shop.barbers[0]}", headers=others) as fine:
            assert fine.status == 200


async def test_a_newer_token_is_good_again(servers: tuple[LiveServer, LiveServer]) -> None:
    pool: Pool[Any] = servers[0].node.pool
    before = await revoke(pool, HER.id, "us_admin", "admin")
    verifies = servers[1].tokens
    async with asyncio.timeout(WITHIN_SECONDS):
        while not verifies.revoked(Identity(HER, before.timestamp() - 1, 0, "")):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.1)  # tokens are issued at whole seconds
    assert verifies.verify(servers[0].mint("customer", HER.id, None, None)).actor.id == HER.id
    assert await pool.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'tokens.revoked'") == 1


async def test_a_session_that_is_ended_is_off_every_server(servers: tuple[LiveServer, LiveServer]) -> None:
    first, second = servers
    shop = await TestShop.create(first.node)
    sessions = first.running.app[ACCOUNTS].sessions
    async with first.node.pool.acquire() as connection, connection.transaction():
        await add_user(connection, HER.id, "customer", None, "en", None, [])
        user = await user_by_id(connection, HER.id)
        assert user is not None
        ended, kept = [await sessions.begin(connection, user, VIA, "test") for _ in range(2)]
    room = f"/ws/queue/{shop.barbers[0]}"
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        http = await stack.enter_async_context(aiohttp.ClientSession())
        sockets = []
        for grant in (ended, kept):
            headers = {"Authorization": f"Bearer {grant.access_token}"}
            socket = await stack.enter_async_context(http.ws_connect(f"{second.url}{room}", headers=headers))
            assert orjson.loads(await socket.receive_str())["event"] == "subscribed"
            sockets.append(socket)

        await sessions.end(HER, ended.session_id, "test", VIA)
        with pytest.raises(BarberProError) as refusal:
            first.tokens.verify(ended.access_token)
        assert refusal.value.code is ErrorCode.TOKEN_REVOKED
        async with asyncio.timeout(WITHIN_SECONDS):
            assert orjson.loads(await sockets[0].receive_str())["code"] == "TOKEN_REVOKED"
        assert not sockets[1].closed
        assert second.tokens.verify(kept.access_token).session_id == kept.session_id


async def test_every_server_is_told_at_once(
    servers: tuple[LiveServer, LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = servers
    token = first.mint("customer", HER.id, None, None)
    await asyncio.sleep(1.1)  # tokens are issued at whole seconds
    heard = asyncio.Event()

    async def told() -> None:
        heard.set()

    second.running.revocations.listeners.append(told)
    monkeypatch.setattr(revocations, "_LOOK_SECONDS", 3600.0)
    second.running.revocations.hear()  # it waits as long as that from now on
    await revoke(first.node.pool, HER.id, "us_admin", "admin")
    async with asyncio.timeout(30):
        await heard.wait()
    with pytest.raises(BarberProError) as refusal:
        second.tokens.verify(token)
    assert refusal.value.code is ErrorCode.TOKEN_REVOKED


async def test_what_a_stolen_key_signed_is_off_every_server(
    servers: tuple[LiveServer, LiveServer], tmp_path: Path
) -> None:
    shop = await TestShop.create(servers[0].node)
    forged = servers[0].mint("admin", "us_thief", None, None)
    room, headers = f"/ws/queue/{shop.barbers[0]}", {"Authorization": f"Bearer {forged}"}
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        http = await stack.enter_async_context(aiohttp.ClientSession())
        sockets = [
            await stack.enter_async_context(http.ws_connect(f"{server.url}{room}", headers=headers))
            for server in servers
        ]
        for socket in sockets:
            assert orjson.loads(await socket.receive_str())["event"] == "subscribed"
        await asyncio.to_thread(add_key, tmp_path, development=True, at_once=True)
        for server, socket in zip(servers, sockets, strict=True):
            await server.running.key_watch.look()
            assert orjson.loads(await socket.receive_str())["code"] == "TOKEN_REVOKED"
            with pytest.raises(BarberProError) as refusal:
                server.tokens.verify(forged)
            assert refusal.value.code is ErrorCode.UNAUTHORIZED
    assert servers[1].tokens.verify(servers[0].mint("customer", HER.id, None, None)).actor.id == HER.id


async def test_revocations_are_read_though_postgres_has_no_connection_left_to_tell_of_them(
    servers: tuple[LiveServer, LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = servers

    async def full(_self: Ear) -> None:
        raise asyncpg.TooManyConnectionsError

    monkeypatch.setattr(Ear, "listen", full)
    token = first.mint("customer", HER.id, None, None)
    await asyncio.sleep(1.1)  # tokens are issued at whole seconds
    await second.running.revocations._ear.close()
    await revoke(first.node.pool, HER.id, "us_admin", "admin")
    identity = Identity(HER, jwt.decode(token, options={"verify_signature": False})["iat"], 0, "")
    async with asyncio.timeout(WITHIN_SECONDS):
        while not second.tokens.revoked(identity):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
