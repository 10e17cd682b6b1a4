"""Letters: posted in a transaction, sent by a job, tried again, and forgotten."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg import Pool

from barberpro.domain import delivery
from barberpro.domain.delivery import Deliverer, Transport, Unsent
from barberpro.domain.jobs import Later
from barberpro.domain.outbox import Letter, post
from barberpro.domain.templates import Text
from barberpro.server.letters.console import Console, Nowhere
from barberpro.server.letters.post_office import PostOffice
from barberpro.server.letters.smtp import Smtp
from barberpro.server.node import NodeOptions
from barberpro.storage.letters import list_letters
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.sealing import Sealer, sealer
from tests.support.logs import nothing_wrong_is_logged
from tests.support.mail_server import mail_server
from tests.support.rest import rest_door
from tests.support.shops import ADMIN

CODE = Letter("sms", "+919876543210", "code", {"code": "424242", "minutes": "10"})


class Way:
    """A transport that fails as often as it is told to; what it was handed can be waited for."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.handed: asyncio.Queue[tuple[str, str, Text]] = asyncio.Queue()

    async def send(self, letter_id: str, to: str, text: Text) -> str | None:
        if self._failures:
            raise self._failures.pop(0)
        self.handed.put_nowait((letter_id, to, text))
        return "ref_1"

    async def next(self) -> tuple[str, str, Text]:
        async with asyncio.timeout(30):
            return await self.handed.get()

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[Pool[Any]]":
    pool = await connect_pool(database_url)
    yield pool
    await close_pool(pool)


@pytest.fixture
def seals(tmp_path: Path) -> Sealer:
    return sealer(tmp_path, create=True)


@pytest.fixture
def theirs(tmp_path: Path) -> Sealer:
    """Of a server that has other keys."""
    return sealer(tmp_path / "theirs", create=True)


@asynccontextmanager
async def office(database_url: str, seals: Sealer, ways: Mapping[str, Transport]) -> AsyncIterator[PostOffice]:
    office = PostOffice(await connect_pool(database_url, 3), seals, ways, look=0.1)
    office.start()
    try:
        with nothing_wrong_is_logged():
            yield office
    finally:
        await office.close()


async def put_down(pool: "Pool[Any]", seals: Sealer, letter: Letter = CODE) -> str:
    """Its id."""
    async with pool.acquire() as connection, connection.transaction():
        await post(connection, seals, letter)
    letter_id: str = await pool.fetchval("SELECT letter_id FROM letters ORDER BY letter_id DESC LIMIT 1")
    return letter_id


async def settled(pool: "Pool[Any]", letter_id: str) -> dict[str, Any]:
    """The letter's row once it is settled."""
    async with asyncio.timeout(30):
        while True:
            row = await pool.fetchrow("SELECT * FROM letters WHERE letter_id = $1", letter_id)
            if row is not None and row["status"] != "waiting":
                return dict(row)
            await asyncio.sleep(0.02)


async def test_a_letter_is_sent_once_its_transaction_is_committed(
    database_url: str, pool: "Pool[Any]", seals: Sealer
) -> None:
    way = Way()
    async with office(database_url, seals, {"sms": way}):
        async with pool.acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            await post(connection, seals, Letter("sms", "+10000000", "code", {"code": "000000", "minutes": "1"}))
            await undone.rollback()
        letter_id = await put_down(pool, seals)
        handed, to, text = await way.next()
        assert (handed, to) == (letter_id, CODE.to)
        assert "424242" in text.body
        row = await settled(pool, letter_id)
    assert (row["status"], row["attempts"], row["reference"], row["problem"]) == ("sent", 1, "ref_1", None)
    assert way.handed.empty()
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_what_a_letter_says_is_sealed_and_then_forgotten(
    database_url: str, pool: "Pool[Any]", seals: Sealer
) -> None:
    letter_id = await put_down(pool, seals)
    waiting = await pool.fetchval("SELECT content_sealed FROM letters")
    assert "9876543210" not in waiting
    assert "424242" in seals.unseal(waiting)
    async with office(database_url, seals, {"sms": Way()}):
        assert (await settled(pool, letter_id))["content_sealed"] is None


async def test_a_failure_is_tried_again_and_told(
    database_url: str, pool: "Pool[Any]", seals: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_SECONDS", 0.01)
    way = Way(Unsent("no mail server (OSError)"), Unsent("Twilio says 429", 0.05))
    async with office(database_url, seals, {"sms": way}) as told:
        row = await settled(pool, await put_down(pool, seals))
        figures, *_ = told.collect()
    assert (row["status"], row["attempts"], row["problem"]) == ("sent", 3, None)
    outcomes = {(sample.labels["outcome"], sample.value) for sample in figures.samples}
    assert outcomes == {("sent", 1), ("postponed", 2), ("failed", 0)}


async def test_what_cannot_be_sent_is_given_up_after_an_hour(
    database_url: str, pool: "Pool[Any]", seals: Sealer
) -> None:
    letter_id = await put_down(pool, seals)
    await pool.execute("UPDATE letters SET created_at = now() - interval '61 minutes'")
    async with office(database_url, seals, {"sms": Nowhere("BARBERPRO_TWILIO_ACCOUNT_SID")}):
        row = await settled(pool, letter_id)
    assert (row["status"], row["problem"]) == ("failed", "BARBERPRO_TWILIO_ACCOUNT_SID is not set")
    assert row["content_sealed"] is None


async def test_a_letter_whose_job_was_lost_is_found_again(database_url: str, pool: "Pool[Any]", seals: Sealer) -> None:
    letter_id = await put_down(pool, seals)
    await pool.execute("DELETE FROM pgqueuer")
    deliverer = Deliverer(pool, seals, {})
    await deliverer.sweep()
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 0  # it has not waited for long
    await pool.execute("UPDATE letters SET created_at = now() - interval '10 minutes'")
    await deliverer.sweep()
    await deliverer.sweep()
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 1
    async with office(database_url, seals, {"sms": Way()}):
        assert (await settled(pool, letter_id))["status"] == "sent"


async def test_a_letter_that_no_key_opens_waits(pool: "Pool[Any]", seals: Sealer, theirs: Sealer) -> None:
    letter_id = await put_down(pool, theirs)
    with pytest.raises(Later, match="cannot be read here"):
        await Deliverer(pool, seals, {"sms": Way()}).deliver(letter_id)
    assert await pool.fetchval("SELECT problem FROM letters") == "cannot be read here (ValueError)"


async def test_settled_letters_are_let_go_and_waiting_ones_are_not(pool: "Pool[Any]", seals: Sealer) -> None:
    old, waiting = await put_down(pool, seals), await put_down(pool, seals)
    deliverer = Deliverer(pool, seals, {"sms": Way()})
    await deliverer.deliver(old)
    await deliverer.deliver(old)  # a job may be done twice
    await pool.execute("UPDATE letters SET settled_at = settled_at - interval '91 days'")
    await deliverer.forget()
    assert [row["letter_id"] for row in await list_letters(pool, None, None, None, 10)] == [waiting]
    assert deliverer.outcomes["sms", "sent"] == 1


async def test_a_developer_reads_letters_on_the_console(pool: "Pool[Any]", seals: Sealer) -> None:
    printed: list[str] = []
    mail = Letter("email", "ann@example.com", "verify_email", {"link": "https://shop.test/v", "minutes": "30"})
    deliverer = Deliverer(pool, seals, {"email": Console("email", printed.append)})
    await deliverer.deliver(await put_down(pool, seals, mail))
    [words] = printed
    assert "To: ann@example.com\nSubject: Confirm your email address\n" in words
    assert "https://shop.test/v" in words


async def test_a_letter_that_does_not_exist_is_refused_where_it_is_posted(pool: "Pool[Any]", seals: Sealer) -> None:
    with pytest.raises(LookupError):
        await put_down(pool, seals, Letter("sms", CODE.to, "code", {"code": "1"}))
    assert await pool.fetchval("SELECT count(*) FROM letters") == 0


async def test_a_mail_that_is_greylisted_arrives_later_and_administrators_see_it(
    database_url: str, redis_url: str, redis_prefix: str, seals: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_SECONDS", 0.01)
    async with (
        rest_door(NodeOptions(database_url, redis_url, redis_prefix)) as door,
        mail_server() as box,
    ):
        box.replies.append("451 greylisted, come again")
        way = Smtp("127.0.0.1", box.port, "no-reply@shop.test", "none", ssl.create_default_context())
        mail = Letter("email", "ann@example.com", "code", {"code": "424242", "minutes": "10"}, "hi-IN")
        async with office(database_url, seals, {"email": way}):
            letter_id = await put_down(door.node.pool, seals, mail)
            arrived = await box.mail()
            await settled(door.node.pool, letter_id)
        waiting = await put_down(door.node.pool, seals)
        listed = await door.get("/admin/letters", ADMIN)
        [newest] = (await door.get("/admin/letters?limit=1", ADMIN)).data
        assert newest["letterId"] == waiting
        older = (await door.get(f"/admin/letters?cursor={waiting}&status=sent&channel=email", ADMIN)).data
        refused = await door.get("/admin/letters?status=lost", ADMIN)
    assert "424242" in arrived.get_content()
    assert arrived["Message-ID"] == f"<{letter_id}@shop.test>"
    assert [row["letterId"] for row in listed.data] == [waiting, letter_id]
    [sent] = older
    times = [sent.pop("createdAt"), sent.pop("settledAt")]
    assert times == sorted(times)
    assert sent == {
        "letterId": letter_id,
        "channel": "email",
        "template": "code",
        "language": "hi-IN",
        "status": "sent",
        "attempts": 2,
        "problem": None,
        "reference": None,
        "nextAttemptAt": None,
    }
    assert refused.refused_fields == ["status"]


async def test_a_letter_on_which_the_server_stumbles_is_tried_again_and_its_attempts_are_counted(
    database_url: str, pool: "Pool[Any]", seals: Sealer
) -> None:
    way = Way(RuntimeError(f"to {CODE.to}"))
    post_office = PostOffice(await connect_pool(database_url, 3), seals, {"sms": way}, look=0.1)
    post_office.start()
    try:
        letter_id = await put_down(pool, seals)
        async with asyncio.timeout(30):
            while not await pool.fetchval("SELECT attempts FROM letters WHERE letter_id = $1", letter_id):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        row = await pool.fetchrow("SELECT status, problem FROM letters WHERE letter_id = $1", letter_id)
    finally:
        await post_office.close()
    assert row is not None
    assert tuple(row) == ("waiting", "a defect (RuntimeError)")
    assert CODE.to not in str(await pool.fetch("SELECT * FROM pgqueuer_log"))


async def test_a_postgres_that_is_away_is_told_in_our_words_and_a_defect_in_the_librarys() -> None:
    library = logging.getLogger("pgqueuer")
    with nothing_wrong_is_logged():
        for away in (TimeoutError(), asyncpg.InterfaceError("released"), ConnectionResetError()):
            library.error("Manager failed during shutdown", exc_info=away)
    with pytest.raises(AssertionError, match="a defect"), nothing_wrong_is_logged():
        library.error("Exception while processing", exc_info=KeyError("a defect"))
