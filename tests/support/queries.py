"""Which queries a request asks of Postgres. Holds no tests itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg

_ASK = asyncpg.Connection._do_execute  # type: ignore[attr-defined]  # the stubs have no private names


@contextmanager
def asked(about: tuple[str, ...]) -> Iterator[list[str]]:
    """The queries meanwhile that name one of these tables: what a node asks by itself is not to be counted."""
    queries: list[str] = []

    async def ask(self: "asyncpg.Connection[Any]", query: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - asyncpg's
        if any(table in query for table in about):
            queries.append(query)
        return await _ASK(self, query, *given, **named)

    with patch.object(asyncpg.Connection, "_do_execute", ask):
        yield queries
