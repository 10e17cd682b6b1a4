"""Ending background tasks."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.5


async def end(tasks: Iterable["asyncio.Task[Any] | None"]) -> None:
    """Cancels the tasks and waits until they are gone. None: one that was never begun.

    Once may not be enough (see check_cancelled).
    """
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)


def check_cancelled() -> None:
    """Raises CancelledError in a task that was cancelled and did not notice.

    Before Python 3.12, `wait_for` (which redis-py uses) can lose a cancellation that comes in the very turn in which
    what it waits for is done.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
