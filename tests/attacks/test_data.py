"""Planted phones, addresses and codes are looked for wherever somebody might find them who should not."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis.asyncio import Redis

from barberpro.domain.outbox import Letter, post
from barberpro.protocol.actors import Via
from barberpro.protocol.commands import parse_command
from barberpro.queue.calls import CallBuilder
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from barberpro.storage.audit import note
from barberpro.storage.sealing import sealer
from tests.support.logs import everything_logged
from tests.support.shops import ADMIN, VIA, TestShop, customer
from tests.support.spans import exporter
from tests.support.whole_server import WholeServer, whole_server

PHONE: Final = "+919000013579"
SPOKEN: Final = "+91 90000 13579"
EMAIL: Final = "planted.quartz@example.com"
CODE: Final = "731904"
SECRET: Final = (PHONE, SPOKEN, PHONE[1:], EMAIL, EMAIL.partition("@")[0], CODE)
NAME: Final = "Planted Zebulon"
"""It is no secret of the database, so that it has to be found there: the search does find what is there."""


def told(text: str | bytes) -> set[str]:
    """Which of the secrets it tells."""
    raw = text.encode() if isinstance(text, str) else text
    return {secret for secret in SECRET if secret.encode() in raw}


@pytest.fixture
def logged() -> Iterator[list[str]]:
    with everything_logged() as lines:
        yield lines


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter().clear()
    yield exporter()
    exporter().clear()


@pytest.fixture
async def server(
    spans: InMemorySpanExporter, database_url: str, redis_url: str, redis_prefix: str, tmp_path: Path
) -> AsyncIterator[WholeServer]:
    async with whole_server(NodeOptions(database_url, redis_url, redis_prefix, traced=True), tmp_path) as server:
        yield server


async def plant(server: WholeServer, keys: Path) -> list[str]:
    """A booking, spoiled ones, letters, and an entry of the audit log; what the server answered to all of it."""
    seals = await asyncio.to_thread(sealer, keys, create=False)
    body = {
        "barberId": server.shop.barbers[0],
        "serviceIds": [server.shop.service],
        "customer": {"name": NAME, "phone": SPOKEN},
    }
    answers = [await call(server, "POST", "/bookings", body)]
    spoiled = ({**body, "customer": {"name": NAME, "phone": f"{PHONE}?"}}, {**body, "barberId": PHONE}, [EMAIL])
    answers += [await call(server, "POST", "/bookings", each) for each in spoiled]
    answers.append(await call(server, "GET", f"/bookings/{PHONE}"))
    answers.append(await call(server, "GET", f"/admin/audit?actorId={EMAIL}"))
    async with server.node.pool.acquire() as connection, connection.transaction():
        await post(connection, seals, Letter("sms", PHONE, "code", {"code": CODE, "minutes": "10"}))
        await post(connection, seals, Letter("email", EMAIL, "code", {"code": CODE, "minutes": "10"}))
        before, after = {"email": "old"}, {"email": EMAIL, "phones": [{"phone": PHONE}]}
        await note(connection, ADMIN, "user.changed", "user", "us_1", before=before, after=after, via=Via("req_1"))
    answers.append(await call(server, "GET", "/admin/audit"))
    answers.append(await call(server, "GET", "/admin/letters"))
    return answers


async def call(server: WholeServer, method: str, path: str, body: object = None) -> str:
    """The answer with its headers, as it came."""
    who = ADMIN if "/admin" in path else customer(1)
    raw = orjson.dumps(body) if body is not None else None
    headers = {**server.bearer(who), "Content-Type": "application/json"}
    async with server.client.request(method, f"/api/v1{path}", data=raw, headers=headers) as answer:
        return f"{dict(answer.headers)} {await answer.text()}"


async def in_redis(url: str, prefix: str) -> list[bytes]:
    """Every key of the deployment, and everything in it."""
    found: list[Any] = []
    async with Redis.from_url(url) as redis:
        async for key in redis.scan_iter(match=f"{prefix}:*"):
            match await redis.type(key):
                case b"hash":
                    value: Any = await redis.hgetall(key)
                case b"zset":
                    value = await redis.zrange(key, 0, -1)
                case b"stream":
                    value = await redis.xrange(key)
                case b"list":
                    value = await redis.lrange(key, 0, -1)
                case b"set":
                    value = await redis.smembers(key)
                case _:
                    value = await redis.get(key)
            found.append(repr((key, value)).encode())
    return found


async def in_tables(url: str) -> list[bytes]:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        return [
            row["words"].encode()
            for table in tables
            for row in await connection.fetch(f"SELECT t::text AS words FROM {table['name']} t")  # noqa: S608 - from the catalogue
        ]
    finally:
        await connection.close()


def in_files(directory: Path) -> list[bytes]:
    """What Postgres wrote: its tables' files, and its write-ahead log. Blocking."""
    files = [file for name in ("base", "pg_wal") for file in (directory / name).rglob("*")]
    return [file.read_bytes() for file in files if file.is_file()]


async def checkpointed(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def test_planted_values_are_nowhere_in_the_clear(
    server: WholeServer,
    logged: list[str],
    spans: InMemorySpanExporter,
    stores: EmbeddedServices,
    database_url: str,
    redis_url: str,
    redis_prefix: str,
    tmp_path: Path,
) -> None:
    watcher = await server.watch(customer(7))
    answers = await plant(server, tmp_path)
    public = await watcher.receive_str()
    await watcher.close()
    rows, keys = await in_tables(database_url), await in_redis(redis_url, redis_prefix)
    await checkpointed(database_url)
    files = await asyncio.to_thread(in_files, stores.postgres.directory)
    traced = [span.to_json() for span in spans.get_finished_spans()]

    places: dict[str, list[str] | list[bytes]] = {
        "answers": answers, "public states": [public], "logs": logged, "traces": traced,
        "Redis": keys, "tables": rows, "files of Postgres": files,
    }  # fmt: skip
    for place, texts in places.items():
        assert texts, place
        for text in texts:
            assert told(text) == set(), f"{place}: {text[:500]!r}"
    assert any(NAME.encode() in row for row in rows)
    assert any(NAME.encode() in file for file in files)
    assert any(span.startswith("{") and "command join" in span for span in traced)


async def test_the_digest_of_a_command_is_no_way_to_a_telephone_number(node: Node) -> None:
    """Whoever has the database and not the key cannot find the number by trying all of them."""
    shop = await TestShop.create(node)
    found = await node.catalogue.shop(shop.shop_id)
    assert found is not None
    join = parse_command({"commandId": "c1", "type": "join", **shop.join(customer={"name": "Ann", "phone": PHONE})})
    digests = set()
    for key in (b"one", b"another"):

        def lookup(kind: str, text: str, key: bytes = key) -> str:
            return hmac.new(key, f"{kind}:{text}".encode(), "sha256").hexdigest()

        call = CallBuilder(node.keys, lambda text: text, lookup).of_command(shop.staff[0], join, VIA, found)
        digests.add(orjson.loads(call.arguments[1])["digest"])
    assert len(digests) == 2
