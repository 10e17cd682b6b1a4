"""A request's id, its headers and its line in the log."""

import re
import time
from typing import Final

import structlog
from aiohttp import ClientConnectionResetError, hdrs, web
from aiohttp.typedefs import Handler

from barberpro.handlers.metrics import HTTP_REQUESTS, HTTP_SECONDS
from barberpro.handlers.rest.context import COMMAND_ID, IDEMPOTENCY_KEY, IDENTITY, OWN_HEADERS, QUOTA, REQUEST_ID
from barberpro.protocol.ids import new_request_id

log = structlog.get_logger(__name__)

REQUEST_ID_HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""A caller's own id goes into logs and the audit log, so it must not be able to forge anything there."""
_POLLS: Final = "/socket.io/"


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Names the request for every log line that it causes, and writes its own when it is done."""
    started = time.perf_counter()
    given = request.headers.get(REQUEST_ID_HEADER, "")
    request_id = request[REQUEST_ID] = given if _SANE.fullmatch(given) else new_request_id()
    response: web.StreamResponse | None = None
    status = 0  # the caller went away before there was an answer
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as outcome:
            status = outcome.status
            raise
        except ClientConnectionResetError:
            return web.Response()  # to nobody: of the error itself, aiohttp would write a traceback
        finally:
            seconds, route = time.perf_counter() - started, _route(request)
            _count(request, route, status, seconds, response)
            _log(request, route, status, seconds)


def _route(request: web.Request) -> str:
    """The template of the path: no query string and no id of anybody."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(unknown)"


def _count(request: web.Request, route: str, status: int, seconds: float, response: web.StreamResponse | None) -> None:
    method = request.method if request.method in hdrs.METH_ALL else "other"
    HTTP_REQUESTS[route, method, str(status)] += 1
    lasts = response is not None and not isinstance(response, web.Response)  # a stream, or a socket
    if status and not lasts and route != _POLLS:
        HTTP_SECONDS.of(route, method).observe(seconds)


def _log(request: web.Request, route: str, status: int, seconds: float) -> None:
    identity = request.get(IDENTITY)
    log.info(
        "request",
        method=request.method,
        path=route,
        status=status,
        ms=round(seconds * 1000, 1),
        role=identity.actor.role.value if identity is not None else "anonymous",
    )


async def put_headers(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare, so that streams and upgraded sockets get them as well."""
    if REQUEST_ID in request:
        response.headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
    if COMMAND_ID in request:
        response.headers[IDEMPOTENCY_KEY] = request[COMMAND_ID]
    response.headers.update(request.get(OWN_HEADERS, {}))
    quota = request.get(QUOTA)
    if quota is not None:
        response.headers["X-RateLimit-Limit"] = str(quota.limit)
        response.headers["X-RateLimit-Remaining"] = str(quota.remaining)
