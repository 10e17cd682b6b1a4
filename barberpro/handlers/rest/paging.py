"""Lists by time: the window that is asked for, and the cursors of their pages."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from aiohttp import web

from barberpro.handlers.rest.context import is_id
from barberpro.protocol.errors import bad_field
from barberpro.protocol.times import rfc3339

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(r"([0-9]{1,18})\.([A-Za-z0-9_/-]{1,90})")
_DATE: Final = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")


def query_moment(request: web.Request, name: str) -> datetime | None:
    """A time in RFC 3339, in UTC. Raises BAD_REQUEST."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_field(name, "is not a time in RFC 3339") from None
    if moment.tzinfo is None:
        raise bad_field(name, "has no time zone: add Z, for UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise bad_field(name, "is out of range") from None


def query_date(request: web.Request, name: str) -> date | None:
    """A date such as 2026-11-21. Raises BAD_REQUEST."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise bad_field(name, "is not a date such as 2026-11-21")


def query_id(request: web.Request, name: str) -> str | None:
    """An id of ours. Raises BAD_REQUEST for what cannot be one."""
    text = request.query.get(name)
    if text is not None and not is_id(text):
        raise bad_field(name, "is not an id")
    return text


def query_word(request: web.Request, name: str, known: tuple[str, ...]) -> str | None:
    """One of the words. Raises BAD_REQUEST for another."""
    text = request.query.get(name)
    if text is not None and text not in known:
        raise bad_field(name, f"is none of {', '.join(known)}")
    return text


def query_cursor(request: web.Request) -> tuple[datetime, str] | None:
    """Where the page before ended, as `cursor_after` told it. Raises BAD_REQUEST."""
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


def wire_time(moment: datetime) -> str:
    return rfc3339((moment - _EPOCH) // timedelta(milliseconds=1))
