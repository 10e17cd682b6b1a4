"""Searches whose conditions depend on what is asked for."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from asyncpg import Pool, Record

_PATIENCE_SECONDS: Final = 5.0


class Conditions:
    """Conditions that hold all at once, and the values that they compare with. `str` gives their SQL."""

    def __init__(self, values: list[object] | None = None) -> None:
        """values: those of the other conditions of one query, which these are added to."""
        self.values: list[object] = values if values is not None else []
        self._told: list[str] = []

    def add(self, condition: str, *values: object) -> None:
        """condition: SQL of our own, with `{}` where each of the values stands."""
        self._told.append(condition.format(*(self.argument(value) for value in values)))

    def argument(self, value: object) -> str:
        """The value's place in the query."""
        self.values.append(value)
        return f"${len(self.values)}"

    def __str__(self) -> str:
        return " AND ".join(self._told) or "true"


async def searched(pool: "Pool[Any]", query: str, values: Iterable[object]) -> list[Record]:
    """What the query finds. Raises what storage.postgres.Away lists."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        rows: list[Record] = await pool.fetch(query, *values)
    return rows
