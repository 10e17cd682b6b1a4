"""A watch on what is logged, by us and by the libraries below. Holds no tests itself."""

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

_ERRORS: Final = frozenset({"error", "critical", "exception"})


class _Records(logging.Handler):
    """Remembers what libraries log as an error, or with a traceback."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.INFO)
        self._wrong = wrong
        self._write = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self._wrong.append(f"{record.name}: {self._write.format(record)}")


@contextmanager
def nothing_wrong_is_logged() -> Iterator[None]:
    """Fails in the end when anything was logged as an error, or with a traceback.

    Fails, too, when a library has added a handler of its own, which writes beside our log.
    """
    wrong: list[str] = []

    def look(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if method in _ERRORS or event.get("exc_info"):
            wrong.append(repr(event))
        return event

    records, root, processors = _Records(wrong), logging.getLogger(), structlog.get_config()["processors"]
    level = root.level
    root.addHandler(records)
    root.setLevel(min(level, logging.INFO))
    processors.insert(0, look)  # in place: loggers that are in use already have this very list
    try:
        yield
    finally:
        processors.remove(look)
        root.setLevel(level)
        root.removeHandler(records)
    assert not wrong, wrong
    for library in ("engineio.server", "socketio.server"):
        assert logging.getLogger(library).handlers == []


@contextmanager
def everything_logged() -> Iterator[list[str]]:
    """Yields a list that grows with all that is logged, however little it matters, by us and by libraries.

    But for aiohttp's access log, which a test's server writes and `barberpro serve` does not.
    """
    lines: list[str] = []

    def look(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        lines.append(repr(event))
        return event

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name != "aiohttp.access":
                lines.append(logging.Formatter().format(record))

    handler, root, processors = Lines(logging.DEBUG), logging.getLogger(), structlog.get_config()["processors"]
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    processors.insert(0, look)
    try:
        yield lines
    finally:
        processors.remove(look)
        root.setLevel(level)
        root.removeHandler(handler)
