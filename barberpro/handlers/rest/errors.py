"""The one place where an exception becomes a reply."""

from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from redis import exceptions as redis

from barberpro.handlers.rest.context import REQUEST_ID
from barberpro.handlers.rest.replies import refusal_reply
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.storage.postgres import Away

log = structlog.get_logger(__name__)

STORES_AWAY: Final = (*Away, redis.ConnectionError, redis.TimeoutError)
_CODE_OF_STATUS: Final = {
    413: ErrorCode.PAYLOAD_TOO_LARGE,
    415: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    429: ErrorCode.RATE_LIMIT_EXCEEDED,
    503: ErrorCode.SHUTTING_DOWN,
}


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever is raised behind it into an envelope."""
    try:
        return await handler(request)
    except web.HTTPException as outcome:
        if outcome.status < 400 or request.writer.output_size > 0:
            raise
        headers = {"Allow": outcome.headers["Allow"]} if "Allow" in outcome.headers else None
        return refusal_reply(_of_http(request, outcome), request[REQUEST_ID], outcome.status, headers)
    except Exception as problem:
        if request.writer.output_size > 0:
            raise  # a stream or a socket is under way: nothing can be answered any more
        return refusal_reply(_judge(problem), request[REQUEST_ID])


def _judge(problem: Exception) -> BarberProError:
    if isinstance(problem, BarberProError):
        if problem.code is ErrorCode.INTERNAL_ERROR:
            log.error("request_failed", exc_info=problem)
        return problem
    if isinstance(problem, STORES_AWAY):
        log.warning("store_away", problem=repr(problem))
        return BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)
    log.error("request_failed", exc_info=problem)
    return BarberProError(ErrorCode.INTERNAL_ERROR)


def _of_http(request: web.Request, outcome: web.HTTPException) -> BarberProError:
    """A refusal by aiohttp itself, in the contract's words."""
    if outcome.status == 404:
        return not_found("path")
    if outcome.status == 405:
        # The contract has no code of its own for this; the status and the Allow header tell the rest.
        return BarberProError(ErrorCode.BAD_REQUEST, f"{request.method} is not possible on this path.")
    default = ErrorCode.BAD_REQUEST if outcome.status < 500 else ErrorCode.INTERNAL_ERROR
    return BarberProError(_CODE_OF_STATUS.get(outcome.status, default))
