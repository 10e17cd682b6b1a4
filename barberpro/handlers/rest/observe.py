"""A request's id, its headers and its line in the log."""

import re
import time
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from barberpro.handlers.rest.context import COMMAND_ID, IDEMPOTENCY_KEY, IDENTITY, QUOTA, REQUEST_ID
from barberpro.protocol.ids import new_request_id

log = structlog.get_logger(__name__)

_HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A caller's own id goes into logs and the audit log, so it must not be able to forge anything there."""


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Names the request for every log line that it causes, and writes its own when it is done."""
    started = time.perf_counter()
    given = request.headers.get(_HEADER, "")
    request_id = request[REQUEST_ID] = given if _SANE.fullmatch(given) else new_request_id()
    status = 0  # the caller went away before there was an answer
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as outcome:
            status = outcome.status
            raise
        finally:
            _log(request, status, time.perf_counter() - started)


def _log(request: web.Request, status: int, seconds: float) -> None:
    """No query string and no id of anybody: the template says enough."""
    resource = request.match_info.route.resource
    identity = request.get(IDENTITY)
    log.info(
        "request",
        method=request.method,
        path=resource.canonical if resource is not None else "(unknown)",
        status=status,
        ms=round(seconds * 1000, 1),
        role=identity.actor.role.value if identity is not None else "anonymous",
    )


async def put_headers(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare, so that streams and upgraded sockets get them as well."""
    if REQUEST_ID in request:
        response.headers[_HEADER] = request[REQUEST_ID]
    if COMMAND_ID in request:
        response.headers[IDEMPOTENCY_KEY] = request[COMMAND_ID]
    quota = request.get(QUOTA)
    if quota is not None:
        response.headers["X-RateLimit-Limit"] = str(quota.limit)
        response.headers["X-RateLimit-Remaining"] = str(quota.remaining)
