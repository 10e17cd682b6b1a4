"""What aiohttp refuses by itself, outside of every middleware: told in an envelope, like everything else.

It finds out that something is not HTTP at all, or longer than a request may be, before there is a request that a
middleware could see. It answers in plain text that repeats what was sent, and logs a traceback with the same, whatever
private things it holds. An `Expect` that it does not know, it refuses before the middlewares are called.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import ClientConnectionResetError, HttpVersion11, hdrs, web
from aiohttp.http_exceptions import LineTooLong

from barberpro.handlers.rest.hygiene import SECURITY_HEADERS
from barberpro.handlers.rest.observe import REQUEST_ID_HEADER
from barberpro.handlers.rest.replies import refusal_reply
from barberpro.protocol.errors import BarberProError, bad_field
from barberpro.protocol.ids import new_request_id

log = structlog.get_logger(__name__)

_BAD_REQUEST: Final = 400
_EXPECTATION_FAILED: Final = 417
_LINGERS_SECONDS: Final = 2.0
"""How long what is left of a refused body is read, so that its sender gets to read the refusal."""
_CONTINUE: Final = "100-continue"
_NOT_OF_CONNECTIONS: Final = frozenset({"handle_signals", "shutdown_timeout", "handler_cancellation"})
"""Options of a runner or a server; all others are those of each connection."""


class EnvelopeRunner(web.AppRunner):
    """Runs an application as web.AppRunner does, and takes the same options."""

    def __init__(self, app: web.Application, patience: float = 10.0, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        """patience: the seconds that a connection has for its first request."""
        options = {"lingering_time": _LINGERS_SECONDS, **options}
        super().__init__(app, **options)
        self._patience = patience
        self._options = {name: value for name, value in options.items() if name not in _NOT_OF_CONNECTIONS}

    async def _make_server(self) -> web.Server:
        """aiohttp's one hook for a server, and its connections, of another kind."""
        plain = await super()._make_server()
        return _Server(plain, self._options, self._patience)


class _Server(web.Server):
    """Serves what `plain` would have served."""

    def __init__(self, plain: web.Server, options: dict[str, Any], patience: float) -> None:
        super().__init__(
            _expecting(plain.request_handler),
            request_factory=plain.request_factory,
            handler_cancellation=plain.handler_cancellation,
        )
        self._options = options
        self._patience = patience

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, self._patience, loop=asyncio.get_running_loop(), **self._options)


class _Connection(web.RequestHandler):
    """Ends when no request comes in time: aiohttp would wait for as long as it keeps a connection between two."""

    __slots__ = ("_deadline", "_patience")

    def __init__(self, server: _Server, patience: float, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        super().__init__(server, **options)
        self._patience = patience
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = asyncio.get_running_loop().call_later(self._patience, self.force_close)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.arrived()
        super().connection_lost(exc)

    def arrived(self) -> None:
        """The first request is here."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != _BAD_REQUEST:
            return super().handle_error(request, status, exc, message)  # a defect of ours: not to be hidden
        too_long = isinstance(exc, LineTooLong)
        words = f"has a line of more than {self.max_field_size} bytes" if too_long else "is not well-formed HTTP"
        return _refuse(bad_field("(request)", words), _BAD_REQUEST, problem=type(exc).__name__)

    def log_exception(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - aiohttp's own
        """What no handler read of a body aiohttp reads itself, and takes a broken one for a defect of ours."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)


_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _expecting(handler: _Handler) -> _Handler:
    """The application, without aiohttp's words for an expectation that it does not know.

    They repeat it, and when it is no text at all they cannot be written.
    """

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(request.protocol, _Connection):
            request.protocol.arrived()
        expected = request.headers.get(hdrs.EXPECT, _CONTINUE)
        if request.version == HttpVersion11 and expected.lower() not in {"", _CONTINUE}:
            # The contract has no code of its own for this; the status tells the rest.
            return _refuse(bad_field(hdrs.EXPECT, f"is not {_CONTINUE}"), _EXPECTATION_FAILED, problem=hdrs.EXPECT)
        try:
            return await handler(request)
        except ClientConnectionResetError:
            return web.Response()  # to nobody: it went away before it was told to go on

    return answer


def _refuse(refusal: BarberProError, status: int, problem: str) -> web.StreamResponse:
    request_id = new_request_id()
    log.info("request_malformed", problem=problem, request_id=request_id)
    reply = refusal_reply(refusal, request_id, status, {REQUEST_ID_HEADER: request_id, **SECURITY_HEADERS})
    reply.force_close()
    return reply
