"""What requests ask of Postgres, for tests that count it. Holds no tests itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
import structlog

from barberpro.storage import catalogue


@contextmanager
def queries(request_id: str) -> Iterator[list[str]]:
    """The statements with arguments or rows that the request with this id sends meanwhile.

    What a node asks by itself belongs to no request, and what an earlier one has set going to that one. Whether the
    shops that are kept have changed, whoever comes first after some seconds asks for everybody: that is not counted
    either.
    """
    asked: list[str] = []
    connection: Any = asyncpg.Connection
    sent = connection._do_execute  # what all of fetch, fetchrow, fetchval and execute with arguments go through

    async def noted(self: Any, query: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - asyncpg's own
        own = named.get("ignore_custom_codec", False)  # asyncpg's, on a new connection: what types there are
        if (
            not own
            and structlog.contextvars.get_contextvars().get("request_id") == request_id
            and query != catalogue._REVISIONS
        ):
            asked.append(query)
        return await sent(self, query, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_do_execute", noted)
        yield asked
