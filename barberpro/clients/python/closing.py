"""Closing to the end, whoever is cancelled meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end. When the caller is cancelled meanwhile, that is raised afterwards.

    Otherwise a cancelled task group would leave half-closed sockets behind. `work` must not take long.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
