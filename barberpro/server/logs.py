"""Structured logs: one event a line, JSON for machines and words for a terminal, on standard error."""

import logging
import re
import sys
import traceback
from typing import Final, Literal

import structlog

_ROW: Final = re.compile(r"^(?P<margin>[ |]*)DETAIL:.*", re.MULTILINE)
"""Postgres's words about the row or the values that it refused."""


def configure_logs(level: str, form: Literal["auto", "json", "console"]) -> None:
    """Sends structlog's and the standard library's logs through the same renderer."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[structlog.typing.Processor] = [
        structlog.processors.ExceptionRenderer(_traceback),
        # The renderer's own tracebacks show local variables, and so names and tokens; here it gets ready ones.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # The doors write their own access log; these repeat it, or tell of every packet and every cut.
    for noisy in ("aiohttp.access", "engineio", "socketio", "asyncio", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What the stores' absence means for us is told by us.
    for client in ("engineio.client", "barberpro.client.transport", "asyncpg"):
        logging.getLogger(client).setLevel(logging.ERROR)


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    """Without local variables, and without the contents of rows: those are people's."""
    return _ROW.sub(r"\g<margin>DETAIL: (not shown)", "".join(traceback.format_exception(*exc_info)).rstrip("\n"))
