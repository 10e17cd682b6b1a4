"""Takes up keys that were added or removed while the server runs: nobody restarts a shop's line to rotate a key."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import structlog

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import KeyFileError, key_ring, names
from barberpro.storage.sealing import Sealer
from barberpro.storage.sealing_keys import SealingKeyError, read_ring
from barberpro.tasks import end

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0


class Keys(Protocol):
    """Keys of one kind, in a directory and in use."""

    async def look(self) -> None:
        """Has those in the directory used. Raises KeyFileError and SealingKeyError; nothing has changed then."""
        ...


class SigningKeys:
    """Those that sign tokens."""

    def __init__(
        self, directory: Path, tokens: Tokens, expel: Callable[[], Awaitable[None]], *, production: bool
    ) -> None:
        """expel: called when a key was taken away, to end the connections whose tokens it signed."""
        self._directory = directory
        self._tokens = tokens
        self._expel = expel
        self._production = production
        self._known: tuple[str, ...] | None = None

    async def look(self) -> None:
        found = await asyncio.to_thread(names, self._directory)
        if found and found == self._known:
            return
        ring = await asyncio.to_thread(key_ring, self._directory, create=False, production=self._production)
        if ring.kids != self._tokens.keys.kids:
            self._tokens.use(ring)
            log.info("signing_keys_read", kids=ring.kids)
            await self._expel()
        self._known = found


class SealingKeys:
    """Those that seal personal data."""

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._directory = directory
        self._sealer = sealer

    async def look(self) -> None:
        ring = await asyncio.to_thread(read_ring, self._directory, create=False)
        if ring != self._sealer.ring:
            self._sealer.use(ring)
            log.info("sealing_keys_read", newest=self._sealer.key_id, keys=len(ring.unsealing))


class KeyWatch:
    """Looks every five seconds. Keys that cannot be read are told; those in use are as good as before."""

    def __init__(self, kinds: Sequence[Keys], every: float = LOOK_SECONDS) -> None:
        self._kinds = kinds
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="key watch")

    async def close(self) -> None:
        await end([self._task])

    async def look(self) -> None:
        for keys in self._kinds:
            try:
                await keys.look()
            except (KeyFileError, SealingKeyError) as error:
                log.error("keys_unread", problem=str(error))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.look()
