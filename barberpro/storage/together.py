"""One reading for all who ask at the same time: a crowd that comes in at once asks Postgres once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from barberpro.tasks import end

_Found = TypeVar("_Found")
_MOST_AT_ONCE: Final = 256


def heard(task: "asyncio.Task[Any]") -> None:
    """Of a task that all who waited for may have left: what it raised is nobody's any more, and no error in the log."""
    if not task.cancelled():
        task.exception()


class Together(Generic[_Found]):
    """`await together(key, read)`: what `read(key)` gives, or raises, for everybody who asked meanwhile."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[_Found]] = {}
        self._tasks: set[asyncio.Task[_Found]] = set()
        """Those that are under way, and those that were renewed before they had ended."""

    async def __call__(self, key: str, read: Callable[[str], Awaitable[_Found]]) -> _Found:
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._read(key, read))
            self._tasks.add(task)
            task.add_done_callback(heard)
            task.add_done_callback(self._tasks.discard)
        # One who gives up does not end it for the others.
        return await asyncio.shield(task)

    def renew(self, key: str) -> None:
        """Who asks from now on gets what is read from now on, and not what is being read."""
        self._under_way.pop(key, None)

    async def _read(self, key: str, read: Callable[[str], Awaitable[_Found]]) -> _Found:
        try:
            return await read(key)
        finally:
            if self._under_way.get(key) is asyncio.current_task():
                del self._under_way[key]

    async def close(self) -> None:
        """Ends what is under way."""
        await end(list(self._tasks))


class Gathered(Generic[_Found]):
    """`await gathered(key)`: what `read(keys)` finds for it. Each asks for another key; who asks while a reading is
    under way goes with the next, so that under load one reading serves many and alone nobody waits.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, _Found]]]) -> None:
        """read: must find something for every key; what it raises is raised for all of them."""
        self._read = read
        self._waiting: list[tuple[str, asyncio.Future[_Found]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, key: str) -> _Found:
        future: asyncio.Future[_Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
                await self._serve([one for one in asked if not one[1].done()])
        finally:
            self._task = None
            for _, future in self._waiting:
                future.cancel()
            self._waiting = []

    async def _serve(self, asked: "Sequence[tuple[str, asyncio.Future[_Found]]]") -> None:
        try:
            found = await self._read([key for key, _ in asked])
        except asyncio.CancelledError:
            for _, future in asked:
                future.cancel()
            raise
        except Exception as error:
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
            return
        for key, future in asked:
            if not future.done():
                future.set_result(found[key])
