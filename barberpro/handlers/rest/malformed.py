"""What is not HTTP at all, or longer than a request may be: refused in an envelope, like everything else.

aiohttp finds it out before there is a request that a middleware could see. It answers in plain text that repeats what
was sent, and logs a traceback with the same, whatever private things it holds.
"""

from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from barberpro.handlers.rest.observe import REQUEST_ID_HEADER
from barberpro.handlers.rest.replies import refusal_reply
from barberpro.protocol.errors import bad_field
from barberpro.protocol.ids import new_request_id

log = structlog.get_logger(__name__)

_BAD_REQUEST: Final = 400
_plainly = web.RequestHandler.handle_error


def answer_malformed() -> None:
    """From now on. aiohttp takes this for the whole process only: its servers make their protocols themselves."""
    web.RequestHandler.handle_error = _answer  # type: ignore[method-assign]  # on purpose, see above


def _answer(
    self: web.RequestHandler,
    request: web.BaseRequest,
    status: int = 500,
    exc: BaseException | None = None,
    message: str | None = None,
) -> web.StreamResponse:
    if status != _BAD_REQUEST:
        return _plainly(self, request, status, exc, message)  # a defect of ours: not to be hidden
    request_id = new_request_id()
    log.info("request_malformed", problem=type(exc).__name__, request_id=request_id)
    too_long = isinstance(exc, LineTooLong)
    words = f"has a line of more than {self.max_field_size} bytes" if too_long else "is not well-formed HTTP"
    reply = refusal_reply(bad_field("(request)", words), request_id, headers={REQUEST_ID_HEADER: request_id})
    reply.force_close()
    return reply
