"""The statements that a request sends to Postgres, for tests that count them. Holds no tests itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

_SEEN: ContextVar[list[str] | None] = ContextVar("statements", default=None)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Every statement with a result that is sent meanwhile by whoever asks through `counting`, and by this task.

    What the server does besides, in tasks that began before, is not among them.
    """
    seen: list[str] = []
    # What all of fetch, fetchrow, fetchval and execute with arguments come to; the library's own, so without types.
    sent: Any = getattr(asyncpg.Connection, "_do_execute")  # noqa: B009

    async def noted(self: Any, query: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - asyncpg's own
        if (own := _SEEN.get()) is not None:
            own.append(query)
        return await sent(self, query, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_do_execute", noted)
        _COUNTING.append(seen)
        token = _SEEN.set(seen)
        try:
            yield seen
        finally:
            _SEEN.reset(token)
            _COUNTING.remove(seen)


_COUNTING: list[list[str]] = []


@web.middleware
async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Goes into an app as its innermost middleware."""
    _SEEN.set(_COUNTING[-1] if _COUNTING else None)
    return await handler(request)
