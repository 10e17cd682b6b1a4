"""`seed`, `token`, `migrate` and `check`, as programs and people use them."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import orjson
import pytest
import pytest_asyncio

from barberpro.protocol.actors import Role
from barberpro.storage.keys import Keys
from tests.support.programs import Finished, run, shell
from tests.support.raw_socketio import raw_client
from tests.support.shops import Json, new_id
from tests.support.sites import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST_VISIT: Final = Path(__file__).parents[2] / "docs" / "first-visit.md"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A site that serves a shop; `printed` is what `seed --json` printed, `tokens` what `token` did, by role."""

    site: Site
    printed: Finished
    tokens: dict[str, Finished]

    @property
    def shop(self) -> Json:
        shop: Json = orjson.loads(self.printed.out)
        return shop

    @property
    def barber(self) -> str:
        barber_id: str = self.shop["barbers"][0]["barberId"]
        return barber_id

    def token(self, role: str) -> str:
        return self.tokens[role].out.strip()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeded(shared_site: Site) -> AsyncIterator[Seeded]:
    site = shared_site
    async with site.serving():
        printed = await site.run("seed", "--json", "--name", "Asha's", "--time-zone", "Europe/Berlin")
        shop = orjson.loads(printed.out)
        asked = {
            "customer": ["--name", "Ann"],
            "barber": ["--barber", shop["barbers"][0]["barberId"], "--user", shop["ownerId"]],
            "admin": [],
            "display": ["--shop", shop["shopId"]],
        }
        ends = await asyncio.gather(*(site.run("token", "--role", role, *more) for role, more in asked.items()))
        yield Seeded(site, printed, dict(zip(asked, ends, strict=True)))


async def test_seed_prints_one_object_in_the_documented_shape(seeded: Seeded) -> None:
    assert (seeded.printed.code, len(seeded.printed.out.splitlines())) == (0, 1)
    shop = seeded.shop
    assert shop.keys() == {"shopId", "barbers", "ownerId"}
    assert (shop["shopId"][:3], shop["ownerId"][:3]) == ("sh_", "us_")
    assert [barber["name"] for barber in shop["barbers"]] == ["Asha", "Ben", "Carlos"]
    for barber in shop["barbers"]:
        assert barber.keys() == {"barberId", "name", "services"}
        assert barber["barberId"].startswith("bb_")
        for service in barber["services"]:
            assert service.keys() == {"serviceId", "name", "price", "durationMinutes"}
    status, page = await seeded.site.get(f"/display/{shop['shopId']}/token")
    assert (status, set(page)) == (200, {"token"})


async def test_the_first_barber_of_a_seeded_shop_runs_it(seeded: Seeded) -> None:
    path = f"/api/v1/shops/{seeded.shop['shopId']}"
    status, answer = await seeded.site.request("PATCH", path, seeded.token("barber"), {"address": "1 High Street"})
    assert (status, answer["data"]["address"]) == (200, "1 High Street")


async def test_token_prints_a_bare_token_that_every_door_takes(seeded: Seeded) -> None:
    room = f"queue:{seeded.barber}"
    for role, end in seeded.tokens.items():
        assert (end.code, end.err, len(end.out.split())) == (0, "", 1), role
        assert end.out.count(".") == 2
        async with raw_client(seeded.site.url, {"token": seeded.token(role)}) as client:
            assert client.refusal is None, role
            assert (await client.subscribe(room))["ok"], role
        status, _ = await seeded.site.get(f"/api/v1/queue/{seeded.barber}", seeded.token(role))
        assert status == 200, role


async def test_a_customer_joins_over_rest_and_the_barber_calls_over_a_socket(seeded: Seeded) -> None:
    service = seeded.shop["barbers"][0]["services"][0]["serviceId"]
    async with raw_client(seeded.site.url, {"token": seeded.token("barber")}) as barber:
        assert (await barber.command(commandId=new_id(), type="open", barberId=seeded.barber))["ok"]
        body = {"barberId": seeded.barber, "serviceIds": [service]}
        status, joined = await seeded.site.request("POST", "/api/v1/bookings", seeded.token("customer"), body)
        assert (status, joined["data"]["booking"]["tokenNumber"]) == (201, 1), joined
        called = await barber.command(commandId=new_id(), type="advance", barberId=seeded.barber)
        assert called["ok"], called
        state = (await barber.subscribe(f"queue:{seeded.barber}"))["state"]
        assert state["serving"]["customerName"] == "Ann"


async def test_the_first_visit_of_the_docs_goes_as_it_is_written(seeded: Seeded) -> None:
    """But for what this file has already: a server, a shop and tokens."""
    written = await asyncio.to_thread(FIRST_VISIT.read_text)
    _, before, with_curl, with_the_client = re.findall(r"^```\w+\n(.*?)^```", written, re.MULTILINE | re.DOTALL)
    [pick] = [line for line in before.splitlines() if line.startswith("pick()")]
    await asyncio.to_thread((seeded.site.home / "visit.py").write_text, with_the_client)
    line = seeded.shop["barbers"][2]
    end = await shell(
        seeded.site.home,
        f"{pick}\n{with_curl}\n{sys.executable} visit.py",
        URL=seeded.site.url,
        BARBER=line["barberId"],
        SERVICE=line["services"][0]["serviceId"],
        ASHA=seeded.token("barber"),
        ANN=await seeded.site.mint(Role.CUSTOMER, user="us_new"),
    )
    assert (end.code, end.err) == (0, "")
    assert end.out.count('"success":true') == 6
    assert end.out.endswith("rated 4.50 of 2\n")


async def test_a_new_key_is_taken_up_by_the_server_and_signs_nobody_out(seeded: Seeded) -> None:
    site = seeded.site
    end = await run(site.home, "keys", "rotate", *site.embedded("signing"))
    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("made ")
    async with asyncio.timeout(60):
        while len((await site.get("/.well-known/jwks.json"))[1]["keys"]) < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.2)
    status, _ = await site.get(f"/api/v1/queue/{seeded.barber}", seeded.token("customer"))
    assert status == 200


async def test_migrate_may_be_run_as_often_as_you_like(seeded: Seeded) -> None:
    for _ in range(2):
        end = await seeded.site.run("migrate")
        assert (end.code, end.out) == (0, "the schema is up to date\n")


async def test_check_finds_what_was_changed_by_hand_and_nothing_else(seeded: Seeded) -> None:
    site, shop_id = seeded.site, seeded.shop["shopId"]
    clean = await site.run("check")
    assert (clean.code, "no differences" in clean.out) == (0, True), clean
    async with site.stores() as urls, site.redis() as redis:
        keys = Keys("bp", 64)
        shard = keys.shard_of(shop_id)
        epoch = await redis.get(keys.epoch(shard))
        assert epoch is not None
        root = keys.generation(shard, int(epoch))
        await redis.zadd(f"{root}line:{seeded.barber}", {"bk_planted": 1})
        in_redis = await site.run("check")
        await redis.zrem(f"{root}line:{seeded.barber}", "bk_planted")
        database = await asyncpg.connect(urls.database_url)
        await database.execute("UPDATE queues SET last_token = last_token + 1 WHERE barber_id = $1", seeded.barber)
        in_postgres = await site.run("check")
        await database.execute("UPDATE queues SET last_token = last_token - 1 WHERE barber_id = $1", seeded.barber)
        await database.close()
    assert (in_redis.code, f"line {seeded.barber}" in in_redis.out) == (1, True), in_redis
    assert (in_postgres.code, f"queue {seeded.barber}" in in_postgres.out) == (1, True), in_postgres


async def test_appoint_says_what_it_cannot_do(seeded: Seeded) -> None:
    for arguments, words in (
        (["--email", "nobody@example.com", "--role", "admin"], "nobody has an account with this contact"),
        (["--email", "nobody", "--role", "admin"], "--email: is no e-mail address"),
        (["--role", "admin"], "--email, --phone: give either email or phone"),
        (["--email", "a@example.com", "--role", "barber"], "--barber belongs to --role barber"),
        (["--email", "a@example.com", "--role", "barber", "--barber", "bb_1"], "--barber: there is no barber bb_1"),
    ):
        end = await seeded.site.run("appoint", *arguments)
        assert (end.code, end.out) == (2, "")
        assert words in end.err
