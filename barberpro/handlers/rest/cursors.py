"""Cursors of lists that are ordered by a moment and an id: `<microseconds since 1970>.<id>`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from barberpro.protocol.errors import bad_field

_CURSOR: Final = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9_/-]{1,90})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def query_cursor(request: web.Request) -> tuple[datetime, str] | None:
    """Where the page before ended; None for the first one. Raises BAD_REQUEST."""
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
    """Of the page behind the row of this moment and id."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}.{ref}"
