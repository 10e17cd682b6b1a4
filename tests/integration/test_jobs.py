"""The job library: its tables, and what our jobs make of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asyncpg import Pool
from pgqueuer.queries import Queries

from barberpro.domain.jobs import GivenUp, Jobs, Later, enqueue
from barberpro.storage.jobs import Ended, ended_jobs, failures, waiting_jobs
from barberpro.storage.postgres import close_pool, connect_pool


async def test_our_migrations_make_what_the_library_declares(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        upgrade = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    finally:
        await connection.close()
    assert list(upgrade.statements) == []


@pytest.fixture
async def pool(database_url: str) -> "AsyncIterator[Pool[Any]]":
    pool = await connect_pool(database_url, 4)
    yield pool
    await close_pool(pool)


async def put_down(pool: "Pool[Any]", argument: str) -> None:
    async with pool.acquire() as connection:
        await enqueue(connection, "echo", argument)


async def test_a_job_that_asks_for_it_is_done_again_and_one_that_fails_is_given_up_in_the_end(
    pool: "Pool[Any]",
) -> None:
    done: list[str] = []
    ended = asyncio.Event()

    async def echo(argument: str) -> None:
        done.append(argument)
        if done.count("again") == 7 and done.count("broken") == 5 and "hopeless" in done:
            ended.set()
        if argument == "again" and done.count("again") < 7:
            raise Later(0, "not yet")
        if argument == "broken":
            raise RuntimeError("of asha@example.com")
        if argument == "hopeless":
            raise GivenUp("cannot be")

    jobs = Jobs(pool, {"echo": echo}, {}, look=0.1, again=0.001)
    logging.getLogger("pgqueuer").disabled = True  # it writes the tracebacks of those given up
    jobs.start()
    try:
        for argument in ("broken", "hopeless", "again"):
            await put_down(pool, argument)
        async with asyncio.timeout(30):
            await ended.wait()
    finally:
        await jobs.close()
        logging.getLogger("pgqueuer").disabled = False
    assert sorted(done) == ["again"] * 7 + ["broken"] * 5 + ["hopeless"]
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 0
    assert jobs.outcomes == {("echo", "done"): 1, ("echo", "again"): 6 + 4, ("echo", "failed"): 2}
    assert sorted(str(failure.problem) for failure in await failures(pool, 10)) == ["RuntimeError", "cannot be"]
    assert await ended_jobs(pool) == [Ended("echo", done=1, failed=2)]
    assert "asha" not in str(await pool.fetch("SELECT traceback FROM pgqueuer_log"))


async def test_what_waits_is_counted_and_for_how_long(pool: "Pool[Any]") -> None:
    for _ in range(3):
        await put_down(pool, "x")
    await pool.execute("UPDATE pgqueuer SET execute_after = now() - interval '1 hour' WHERE id % 3 = 0")
    [waiting] = await waiting_jobs(pool)
    assert (waiting.kind, waiting.waiting, waiting.running) == ("echo", 3, 0)
    assert waiting.overdue_seconds is not None
    assert 3600 <= waiting.overdue_seconds < 3700


async def test_two_nodes_share_the_jobs_and_do_each_once(pool: "Pool[Any]") -> None:
    done: list[str] = []
    ended = asyncio.Event()

    async def echo(argument: str) -> None:
        done.append(argument)
        if len(done) >= 50:
            ended.set()

    both = [Jobs(pool, {"echo": echo}, {}, look=0.1) for _ in range(2)]
    for jobs in both:
        jobs.start()
    try:
        for number in range(50):
            await put_down(pool, str(number))
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        await asyncio.gather(*(jobs.close() for jobs in both))
    assert sorted(done, key=int) == [str(number) for number in range(50)]


async def test_whoever_stops_begins_no_more_and_finishes_what_is_under_way(pool: "Pool[Any]") -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), []

    async def echo(argument: str) -> None:
        begun.set()
        await may_end.wait()
        done.append(argument)

    jobs = Jobs(pool, {"echo": echo}, {}, look=0.1)
    jobs.start()
    try:
        await put_down(pool, "first")
        async with asyncio.timeout(20):
            await begun.wait()
        jobs.stop()
        await asyncio.sleep(0.5)  # the library may look once more
        await put_down(pool, "second")
        await asyncio.sleep(0.3)
        may_end.set()
    finally:
        await jobs.close()
    assert done == ["first"]
    assert [(each.kind, each.waiting) for each in await waiting_jobs(pool)] == [("echo", 1)]


async def test_jobs_go_on_when_postgres_was_away_and_whoever_stops_meanwhile_begins_none(
    pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    dequeue, asked, done = Queries.dequeue, asyncio.Event(), asyncio.Event()

    async def cut(queries: Queries, **wish: Any) -> Any:  # noqa: ANN401 - the library's
        if asked.is_set():
            return await dequeue(queries, **wish)
        asked.set()
        raise ConnectionResetError("Postgres is away")

    async def echo(_: str) -> None:
        done.set()

    monkeypatch.setattr(Queries, "dequeue", cut)
    monkeypatch.setattr("barberpro.domain.jobs._AGAIN_SECONDS", 0.5)
    await put_down(pool, "x")
    for stops in (True, False):
        asked.clear()
        jobs = Jobs(pool, {"echo": echo}, {}, look=0.1)
        jobs.start()
        try:
            async with asyncio.timeout(20):
                await asked.wait()
                await asyncio.sleep(0.2)
                if stops:
                    jobs.stop()
                    await asyncio.sleep(1)
                    assert not done.is_set()
                else:
                    await done.wait()
        finally:
            await jobs.close()


async def test_what_the_library_notes_is_let_go_after_a_month(pool: "Pool[Any]") -> None:
    await pool.execute("""
        INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)
        SELECT now() - make_interval(days => age), age, 'successful', 0, 'echo' FROM unnest('{1, 29, 31}'::int[]) AS age
    """)
    await Jobs(pool, {}, {}, look=5).forget()
    assert [row["job_id"] for row in await pool.fetch("SELECT job_id FROM pgqueuer_log ORDER BY 1")] == [1, 29]
