"""Reports as files, made by jobs: asked for, made a page at a time, kept for a week."""

import asyncio
from contextlib import aclosing
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from asyncpg import Pool

from barberpro.domain.documents import Csv, Document, Pdf
from barberpro.domain.jobs import GivenUp, enqueue
from barberpro.domain.reports import REPORTS, Report, Scope
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field
from barberpro.protocol.ids import new_export_id
from barberpro.protocol.reports import Export, ExportReport, ReportFormat
from barberpro.protocol.times import rfc3339_of
from barberpro.storage import exports
from barberpro.storage.audit import note
from barberpro.storage.exports import StoredExport
from barberpro.storage.zones import zone_of

JOB: Final = "report"
FILES: Final = "/api/v1/admin/reports/exports"
CONTENT_TYPES: Final[dict[ReportFormat, str]] = {"csv": "text/csv", "pdf": "application/pdf"}
_KEPT_DAYS: Final = 7
_MOST_DAYS: Final = 366
_MOST_ROWS: Final[dict[ReportFormat, int]] = {"csv": 100_000, "pdf": 5_000}
"""A file is put together in memory; and nobody reads a hundred pages."""
_TRIES: Final = 3
_INTERRUPTED: Final = f"was interrupted {_TRIES} times"
_UTC: Final = ZoneInfo("Etc/UTC")
_SHOP: Final = "SELECT time_zone, currency FROM shops WHERE shop_id = $1"


async def ask(pool: "Pool[Any]", actor: Actor, via: Via, command_id: str, asked: ExportReport) -> Export:
    """Puts a report down to be made. Raises BAD_REQUEST, IDEMPOTENCY_MISMATCH."""
    _days(asked)
    if asked.report == "reconciliation" and asked.shop_id is None:
        raise bad_field("shopId", "is missing: a reconciliation is of one shop")
    wanted = asked.model_dump(by_alias=True, exclude_none=True)
    async with pool.acquire() as connection, connection.transaction():
        made = await exports.add_export(connection, new_export_id(), actor.id, wanted, command_id, _KEPT_DAYS)
        if made is None:
            made = await exports.export_of_command(connection, actor.id, command_id)
            if made is None or made.wanted != wanted:
                raise BarberProError(ErrorCode.IDEMPOTENCY_MISMATCH)
            return told(made)
        await enqueue(connection, JOB, made.export_id)
        await note(
            connection, actor, "report.exported", "export", made.export_id,
            after=wanted, via=via, shop_id=asked.shop_id,
        )  # fmt: skip
    return told(made)


class Exporter:
    """Does the jobs of exports. An attempt that dies is begun anew; after three the export has failed."""

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool

    async def make(self, export_id: str) -> None:
        """Raises GivenUp after the last attempt."""
        export = await exports.begin_export(self._pool, export_id)
        if export is None:
            return
        if export.attempts > _TRIES:  # no attempt has come so far as to fail: each ended with its server
            await exports.fail_export(self._pool, export_id, _INTERRUPTED)
            raise GivenUp(_INTERRUPTED)
        try:
            await exports.finish_export(self._pool, export_id, await self._file(export))
        except _TooMuch as error:
            await exports.fail_export(self._pool, export_id, str(error))
        except Exception as error:
            if export.attempts < _TRIES:
                raise
            await exports.fail_export(self._pool, export_id, type(error).__name__)
            raise GivenUp(type(error).__name__) from error

    async def forget(self) -> None:
        """Lets go of what has expired."""
        await exports.forget_exports(self._pool)

    async def _file(self, export: StoredExport) -> bytes:
        asked = ExportReport.model_validate(export.wanted)
        report, scope = REPORTS[asked.report], await self._scope(asked)
        document = await asyncio.to_thread(_begun, report, scope, asked)
        done, most = 0, _MOST_ROWS[asked.format]
        async with aclosing(report.pages(self._pool, scope)) as pages:
            async for rows in pages:
                done += len(rows)
                if done > most:
                    raise _TooMuch(f"has more than {most} rows: choose fewer days, or CSV")
                await asyncio.to_thread(document.add, rows)
                await exports.note_progress(self._pool, export.export_id, done)
        return await asyncio.to_thread(document.finished)

    async def _scope(self, asked: ExportReport) -> Scope:
        first, last = _days(asked)
        if asked.shop_id is None:
            return Scope(first, last, _UTC, None, None)
        [shop] = await self._pool.fetch(_SHOP, asked.shop_id)  # shops are never deleted
        zone = await asyncio.to_thread(zone_of, shop["time_zone"])
        return Scope(first, last, zone, asked.shop_id, shop["currency"])


class _TooMuch(Exception):
    """A report that will not become shorter by trying again."""


def told(export: StoredExport) -> Export:
    """An export as it stands on the wire."""
    return {
        "exportId": export.export_id,
        "report": export.wanted["report"],
        "format": export.wanted["format"],
        "status": export.status,
        "rowsDone": export.rows_done,
        "bytes": export.bytes,
        "problem": export.problem,
        "createdAt": rfc3339_of(export.created_at),
        "endedAt": rfc3339_of(export.ended_at) if export.ended_at is not None else None,
        "expiresAt": rfc3339_of(export.expires_at),
        "url": f"{FILES}/{export.export_id}/file" if export.status == "done" else None,
    }


def name_of(export: StoredExport) -> str:
    """What the file is called: `payments_2026-11-01_2026-11-30.csv`."""
    wanted = export.wanted
    return f"{wanted['report']}_{wanted['from']}_{wanted['to']}.{wanted['format']}"


def _days(asked: ExportReport) -> tuple[date, date]:
    """The first day and the last. Raises BAD_REQUEST."""
    days = []
    for name, text in (("from", asked.from_), ("to", asked.to)):
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            raise bad_field(name, "is no day of the calendar") from None
    first, last = days
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise bad_field("to", f"is before `from`, or {_MOST_DAYS} days or more after it")
    return first, last


def _begun(report: Report, scope: Scope, asked: ExportReport) -> Document:
    if asked.format == "csv":
        return Csv(report.columns)
    made = datetime.now(UTC).astimezone(scope.zone).isoformat(sep=" ", timespec="minutes")
    about = asked.shop_id or "all shops"
    return Pdf(report.title, f"{scope.first} to {scope.last}, {scope.zone.key}; {about}; made {made}", report.columns)
