"""Reports as files, and the jobs that make them, for administrators."""

from typing import Final

from aiohttp import web

from barberpro.domain import exports
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.parsing import asked, body, command_id_or_new, validated
from barberpro.handlers.rest.replies import Answer, File, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.reports import ExportReport, ExportsQuery, JobKind, JobsTold
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.exports import StoredExport, body_of_export, find_export, list_exports
from barberpro.storage.jobs import Ended, Waiting, ended_jobs, failures, waiting_jobs

_FAILURES: Final = 50


async def ask(request: web.Request) -> Answer:
    """POST /admin/reports/export: puts a report down to be made."""
    services, actor = request.app[SERVICES], identity(request).actor
    wanted = validated(ExportReport, await body(request))
    if wanted.shop_id is not None and await services.catalogue.shop(wanted.shop_id) is None:
        raise not_found("shop")
    told = await exports.ask(services.pool, actor, via_of(request), command_id_or_new(request), wanted)
    return Answer(told, 202, {"Location": f"{exports.FILES}/{told['exportId']}"})


async def list_all(request: web.Request) -> Page:
    """GET /admin/reports/exports: the newest first."""
    query = asked(ExportsQuery, request)
    found = await list_exports(request.app[SERVICES].pool, query.cursor, query.limit + 1)
    shown = found[: query.limit]
    return Page([exports.told(each) for each in shown], shown[-1].export_id if len(found) > query.limit else None)


async def show(request: web.Request) -> Answer:
    """GET /admin/reports/exports/{exportId}: how far it is."""
    return Answer(exports.told(await _export(request)))


async def download(request: web.Request) -> File:
    """GET /admin/reports/exports/{exportId}/file: the file itself, no envelope."""
    export = await _export(request)
    if export.status != "done":
        raise BarberProError(
            ErrorCode.INVALID_TRANSITION, details={"exportId": export.export_id, "status": export.status}
        )
    content = await body_of_export(request.app[SERVICES].pool, export.export_id)
    if len(content) != export.bytes:  # it has expired this very moment
        raise not_found("export")
    return File(content, exports.CONTENT_TYPES[export.wanted["format"]], exports.name_of(export))


async def jobs(request: web.Request) -> Answer:
    """GET /admin/jobs: what waits, what was done in the last 24 hours, and what failed."""
    pool = request.app[SERVICES].pool
    waiting = {each.kind: each for each in await waiting_jobs(pool)}
    ended = {each.kind: each for each in await ended_jobs(pool)}
    told: JobsTold = {
        "kinds": [_kind(kind, waiting.get(kind), ended.get(kind)) for kind in sorted(waiting.keys() | ended.keys())],
        "failures": [
            {"jobId": str(each.job_id), "kind": each.kind, "at": rfc3339_of(each.at), "problem": each.problem}
            for each in await failures(pool, _FAILURES)
        ],
    }
    return Answer(told)


def _kind(kind: str, waiting: Waiting | None, ended: Ended | None) -> JobKind:
    return {
        "kind": kind,
        "waiting": waiting.waiting if waiting is not None else 0,
        "running": waiting.running if waiting is not None else 0,
        "overdueSeconds": waiting.overdue_seconds if waiting is not None else None,
        "done": ended.done if ended is not None else 0,
        "failed": ended.failed if ended is not None else 0,
    }


async def _export(request: web.Request) -> StoredExport:
    export_id = request.match_info["exportId"]
    export = await find_export(request.app[SERVICES].pool, export_id) if is_id(export_id) else None
    if export is None:
        raise not_found("export")
    return export
