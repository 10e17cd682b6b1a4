"""Lists by time: the window that is asked for, and the cursors of their pages: `<microseconds since 1970>.<id>`."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from aiohttp import web

from barberpro.protocol.calendar import local_date
from barberpro.protocol.errors import bad_field
from barberpro.protocol.times import parse_moment

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(r"([0-9]{1,18})\.([A-Za-z0-9_/-]{1,90})")


def query_moment(request: web.Request, name: str) -> datetime | None:
    """A time in RFC 3339, in UTC. Raises BAD_REQUEST."""
    text = request.query.get(name)
    try:
        return parse_moment(text) if text is not None else None
    except ValueError as problem:
        raise bad_field(name, str(problem)) from None


def query_date(request: web.Request, name: str) -> date | None:
    """A date such as 2026-11-21. Raises BAD_REQUEST."""
    text = request.query.get(name)
    try:
        return local_date(text) if text is not None else None
    except ValueError as problem:
        raise bad_field(name, str(problem)) from None


def query_cursor(request: web.Request) -> tuple[datetime, str] | None:
    """Where the page before ended, as `cursor_after` told it; None for the first one. Raises BAD_REQUEST."""
    text = request.query.get("cursor")
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    try:
        if match is not None:
            return _EPOCH + timedelta(microseconds=int(match.group(1))), match.group(2)
    except OverflowError:
        pass
    raise bad_field("cursor", "is no cursor of this list")


def cursor_after(at: datetime, ref: str) -> str:
    """The cursor of what comes after an entry. ref: tells it apart from others of the same moment."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{ref}"
