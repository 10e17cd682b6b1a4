"""Has a running server learn of sealing keys that are made while it runs."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from barberpro.storage.sealing import Sealer
from barberpro.storage.sealing_keys import SealingKeyError, read_ring

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0


class KeyWatch:
    """Reads the directory every ten seconds."""

    def __init__(self, sealer: Sealer, directory: Path, every: float = LOOK_SECONDS) -> None:
        self._sealer = sealer
        self._directory = directory
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="key watch")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                ring = await asyncio.to_thread(read_ring, self._directory, create=False)
            except SealingKeyError as error:  # those that it has are as good as before
                log.error("sealing_keys_unread", problem=str(error))
                continue
            if ring != self._sealer.ring:
                self._sealer.use(ring)
                log.info("sealing_keys", newest=self._sealer.key_id, keys=len(ring.unsealing))
