"""What is asked of Postgres while something is done. Holds no tests itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest


@contextmanager
def queries_about(*tables: str) -> Iterator[list[str]]:
    """The statements that name one of the tables; other parts of a server ask for theirs meanwhile."""
    told: list[str] = []
    connection: Any = asyncpg.Connection  # what all of fetch, fetchrow, fetchval and execute go through is private
    plain = connection._execute

    async def noted(self: Any, query: str, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - asyncpg's own
        if any(f" {table} " in f"{' '.join(query.split())} " for table in tables):
            told.append(query)
        return await plain(self, query, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_execute", noted)
        yield told
