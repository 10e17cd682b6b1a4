"""Has what is over of accounts removed, each hour, by every node: whoever comes second finds nothing."""

import asyncio
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.storage.postgres import Away
from barberpro.storage.tidying import tidy

log = structlog.get_logger(__name__)

_EVERY_SECONDS: Final = 3600.0


class Tidying:
    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="tidying")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                log.info("accounts_tidied", rows=await tidy(self._pool))
            except Away as error:
                log.info("accounts_untidied", problem=repr(error))
            except Exception:
                log.exception("tidying_failed")
