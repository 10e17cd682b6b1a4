"""Reports as files: asked for, made by a job, fetched, and gone when they have expired."""

import asyncio
import csv
import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Final

import pytest

from barberpro.domain import exports
from barberpro.domain.documents import Column, Csv, Pdf
from barberpro.domain.exports import Exporter
from barberpro.domain.jobs import GivenUp, Jobs
from barberpro.server.node import NodeOptions
from barberpro.storage.exports import begin_export, finish_export, note_progress
from barberpro.storage.postgres import close_pool, connect_pool
from tests.support.money import visit
from tests.support.rest import Answer, Door, rest_door, tokens
from tests.support.shops import ADMIN, Json

PATH: Final = "/admin/reports/export"


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options) as door:
        yield door


@contextmanager
def disabled_log() -> Iterator[None]:
    """The library writes the traceback of what is given up."""
    logger = logging.getLogger("pgqueuer")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def asked(report: str, kind: str = "csv", **more: str) -> Json:
    today = datetime.now(UTC).date()
    return {"report": report, "format": kind, "from": f"{today:%Y-%m}-01", "to": today.isoformat(), **more}


@asynccontextmanager
async def at_work(options: NodeOptions) -> AsyncIterator[Jobs]:
    """The jobs of a node, which does them as they come."""
    pool = await connect_pool(options.database_url, 3)
    jobs = Jobs(pool, {exports.JOB: Exporter(pool).make}, {}, look=0.1)
    jobs.start()
    try:
        yield jobs
    finally:
        await jobs.close()
        await close_pool(pool)


async def ended(door: Door, export_id: str) -> Json:
    """The export once it is done or has failed."""
    async with asyncio.timeout(30):
        while True:
            export: Json = (await door.get(f"{PATH}s/{export_id}", ADMIN)).data
            if export["status"] in {"done", "failed"}:
                return export
            await asyncio.sleep(0.05)  # it tells how far it is to whoever asks, and calls nobody


async def made(door: Door, body: Json) -> Json:
    answer = await door.post(PATH, ADMIN, body)
    assert (answer.status, answer.data["status"], answer.data["url"]) == (202, "waiting", None)
    return await ended(door, answer.data["exportId"])


async def fetched(door: Door, export: Json) -> tuple[bytes, str, str]:
    """The file, its type and its name."""
    headers = {"Authorization": f"Bearer {tokens().mint(ADMIN)}"}
    async with door.client.get(export["url"], headers=headers) as response:
        assert response.status == 200
        return await response.read(), response.content_type, response.headers["Content-Disposition"]


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_each_report_becomes_a_file_with_its_rows(door: Door, options: NodeOptions) -> None:
    paid = await visit(door, 1, {"method": "cash", "amount": "250.00", "tip": "20.00"})
    unpaid = await visit(door, 2)
    own = {"shopId": door.shop.shop_id}
    async with at_work(options):
        files = {
            report: table((await fetched(door, await made(door, asked(report, **own))))[0])
            for report in ("bookings", "payments", "earnings", "reconciliation")
        }
    assert {row["bookingId"]: (row["price"], row["paid"]) for row in files["bookings"]} == {
        paid: ("250.00", "270.00"),
        unpaid: ("250.00", "0.00"),
    }
    assert [(row["kind"], row["amount"], row["currency"]) for row in files["payments"]] == [
        ("tip", "20.00", "INR"),
        ("charge", "250.00", "INR"),
    ]
    assert len(files["earnings"]) == datetime.now(UTC).day
    assert (files["earnings"][-1]["charges"], files["earnings"][-1]["total"]) == ("250.00", "270.00")
    assert [(row["bookingId"], row["problem"]) for row in files["reconciliation"]] == [(unpaid, "unpaid")]


async def test_more_rows_than_one_query_gives_are_all_there(
    door: Door, options: NodeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barberpro.domain.reports._AT_ONCE", 2)
    bookings = {await visit(door, number, {"method": "cash", "amount": "1.00"}) for number in range(5)}
    async with at_work(options):
        for report in ("bookings", "payments", "reconciliation"):
            export = await made(door, asked(report, shopId=door.shop.shop_id))
            rows = table((await fetched(door, export))[0])
            assert (export["rowsDone"], len(rows)) == (5, 5)
            assert {row["bookingId"] for row in rows} == bookings


async def test_a_pdf_has_its_pages(door: Door, options: NodeOptions) -> None:
    await visit(door, 1, {"method": "cash", "amount": "250.00"})
    async with at_work(options):
        export = await made(door, asked("payments", "pdf"))
    content, kind, name = await fetched(door, export)
    assert (content[:5], kind, export["bytes"]) == (b"%PDF-", "application/pdf", len(content))
    assert re.fullmatch(r'attachment; filename="payments_[0-9-]{10}_[0-9-]{10}\.pdf"', name)
    rows = [[str(number), number, "x" * 500, None] for number in range(120)]
    columns = [Column("text", 10), Column("number", 5), Column("long", 10), Column("none", 1)]

    def drawn() -> bytes:
        document = Pdf("Title", "about", columns)
        document.add(rows)
        return document.finished()

    content = await asyncio.to_thread(drawn)
    assert content.count(b"/Type /Page\n") == 4  # 39 rows each


def test_text_that_a_spreadsheet_would_reckon_with_is_only_text() -> None:
    document = Csv([Column("text", 1), Column("number", 1)])
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "plain", 'with "quotes", and\nlines', "=cmd|' /C calc'!A0"]
    document.add([(text, -1) for text in texts])
    rows = table(document.finished())
    assert [row["text"] for row in rows] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "plain", 'with "quotes", and\nlines', "'=cmd|' /C calc'!A0",
    ]  # fmt: skip
    assert {row["number"] for row in rows} == {"-1"}


async def test_asked_for_again_with_its_key_it_is_the_same_one(door: Door, options: NodeOptions) -> None:
    body = asked("bookings")
    first, again = [await door.post(PATH, ADMIN, body, Idempotency_Key="key") for _ in range(2)]
    assert first.data["exportId"] == again.data["exportId"]
    assert (await door.post(PATH, ADMIN, asked("payments"), Idempotency_Key="key")).code == "IDEMPOTENCY_MISMATCH"
    assert await door.node.pool.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'report'") == 1
    waiting = await door.call("GET", f"{PATH}s/{first.data['exportId']}/file", ADMIN)
    assert (waiting.code, waiting.status) == ("INVALID_TRANSITION", 409)
    assert [each["exportId"] for each in (await door.get(f"{PATH}s", ADMIN)).data] == [first.data["exportId"]]
    async with at_work(options):
        await ended(door, first.data["exportId"])
    entries = (await door.get(f"/admin/audit?objectId={first.data['exportId']}", ADMIN)).data
    assert [(entry["action"], entry["after"]) for entry in entries] == [("report.exported", body)]


async def test_what_has_expired_is_gone(door: Door, options: NodeOptions) -> None:
    async with at_work(options):
        export = await made(door, asked("bookings"))
    await door.node.pool.execute("UPDATE exports SET expires_at = now() - interval '1 second'")
    for path in ("", "/file"):
        assert (await door.get(f"{PATH}s/{export['exportId']}{path}", ADMIN)).code == "NOT_FOUND"
    assert (await door.get(f"{PATH}s", ADMIN)).data == []
    await Exporter(door.node.pool).forget()
    assert await door.node.pool.fetchval("SELECT count(*) FROM export_parts") == 0


async def test_a_report_that_is_too_long_fails_and_says_so(
    door: Door, options: NodeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exports._MOST_ROWS, "pdf", 1)
    for number in range(2):
        await visit(door, number)
    async with at_work(options) as jobs:
        export = await made(door, asked("bookings", "pdf"))
        assert (export["status"], export["problem"], export["url"]) == (
            "failed",
            "has more than 1 rows: choose fewer days, or CSV",
            None,
        )
        assert jobs.outcomes["report", "failed"] == 0


async def test_a_report_that_fails_is_begun_anew_and_given_up_after_three_times(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of somebody")

    monkeypatch.setattr(exports, "_begun", broken)
    export_id = (await door.post(PATH, ADMIN, asked("bookings"))).data["exportId"]
    exporter = Exporter(door.node.pool)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await exporter.make(export_id)
    with pytest.raises(GivenUp, match=r"^ZeroDivisionError$"):
        await exporter.make(export_id)
    await exporter.make(export_id)  # a job that is left over finds nothing to do
    export = (await door.get(f"{PATH}s/{export_id}", ADMIN)).data
    assert (export["status"], export["problem"]) == ("failed", "ZeroDivisionError")


async def test_a_report_that_takes_its_server_along_is_not_begun_for_ever(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The end of the process: nothing is noted any more."""

    def deadly(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(exports, "_begun", deadly)
    export_id = (await door.post(PATH, ADMIN, asked("bookings"))).data["exportId"]
    exporter = Exporter(door.node.pool)
    for _ in range(3):
        with pytest.raises(Killed):
            await exporter.make(export_id)
    with pytest.raises(GivenUp, match="interrupted"):
        await exporter.make(export_id)
    export = (await door.get(f"{PATH}s/{export_id}", ADMIN)).data
    assert (export["status"], export["problem"]) == ("failed", "was interrupted 3 times")


async def test_an_attempt_that_was_only_slow_changes_nothing_of_the_file_that_is_there(door: Door) -> None:
    pool = door.node.pool
    export_id = (await door.post(PATH, ADMIN, asked("bookings"))).data["exportId"]
    await begin_export(pool, export_id)
    await Exporter(pool).make(export_id)
    done = (await door.get(f"{PATH}s/{export_id}", ADMIN)).data
    before = await fetched(door, done)
    await note_progress(pool, export_id, 7)
    await finish_export(pool, export_id, b"another moment's")
    assert (await door.get(f"{PATH}s/{export_id}", ADMIN)).data == done
    assert await fetched(door, done) == before


async def test_what_cannot_be_reported_is_refused_by_name(door: Door) -> None:
    for more, field in (
        ({"report": "customers"}, "report"), ({"format": "xlsx"}, "format"), ({"from": "2026-02-30"}, "from"),
        ({"to": "2020-01-01"}, "to"), ({"from": "2020-01-01"}, "to"), ({"from": "x"}, "from"), ({"all": 1}, "all"),
        ({"report": "reconciliation"}, "shopId"),
    ):  # fmt: skip
        answer: Answer = await door.post(PATH, ADMIN, {**asked("bookings"), **more})
        assert answer.refused_fields == [field], more
    assert (await door.post(PATH, ADMIN, asked("bookings", shopId="sh_none"))).code == "NOT_FOUND"


async def test_administrators_see_what_waits_and_what_failed(
    door: Door, options: NodeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of somebody")

    await door.post(PATH, ADMIN, asked("bookings"))
    [kind] = (await door.get("/admin/jobs", ADMIN)).data["kinds"]
    assert kind.pop("overdueSeconds") < 60
    assert kind == {"kind": "report", "waiting": 1, "running": 0, "done": 0, "failed": 0}
    monkeypatch.setattr(exports, "_begun", broken)
    monkeypatch.setattr(exports, "_TRIES", 1)
    with disabled_log():
        async with at_work(options):
            [export] = (await door.get(f"{PATH}s", ADMIN)).data
            await ended(door, export["exportId"])
    told = (await door.get("/admin/jobs", ADMIN)).data
    assert [(each["kind"], each["problem"]) for each in told["failures"]] == [("report", "ZeroDivisionError")]
    [kind] = told["kinds"]
    assert (kind["waiting"], kind["failed"]) == (0, 1)
