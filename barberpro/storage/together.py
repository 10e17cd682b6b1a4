"""One reading for all who ask for the same at the same time: a crowd that comes in at once asks Postgres once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

_Found = TypeVar("_Found")


def heard(task: "asyncio.Task[Any]") -> None:
    """Of a task that all who waited for may have left: what it raised is nobody's any more, and no error in the log."""
    if not task.cancelled():
        task.exception()


class Together(Generic[_Found]):
    """`await together(key, read)`: what `read(key)` gives, or raises, for everybody who asked meanwhile."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[_Found]] = {}

    async def __call__(self, key: str, read: Callable[[str], Awaitable[_Found]]) -> _Found:
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._read(key, read))
            task.add_done_callback(heard)
        # One who gives up does not end it for the others.
        return await asyncio.shield(task)

    async def _read(self, key: str, read: Callable[[str], Awaitable[_Found]]) -> _Found:
        try:
            return await read(key)
        finally:
            del self._under_way[key]

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
