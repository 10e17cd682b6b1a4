"""Takes up keys that were added or removed while the server runs: nobody restarts a shop's line to rotate a key."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import KeyFileError, key_ring, names

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 5.0


class KeyWatch:
    """Looks at the directory every five seconds."""

    def __init__(self, directory: Path, tokens: Tokens, *, production: bool) -> None:
        self._directory = directory
        self._tokens = tokens
        self._production = production
        self._known: tuple[str, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="key watch")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Raises KeyFileError."""
        found = await asyncio.to_thread(names, self._directory)
        if found and found != self._known:
            ring = await asyncio.to_thread(key_ring, self._directory, create=False, production=self._production)
            if ring.kids != self._tokens.keys.kids:
                self._tokens.use(ring)
                log.info("signing_keys_read", kids=ring.kids)
            self._known = found

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except KeyFileError as error:
                log.error("signing_keys_unread", problem=str(error))
