"""Hearing at once what Postgres tells of, on a connection of its own: the others go back to a pool."""

import contextlib
from collections.abc import Callable
from typing import Any, Final

import asyncpg

from barberpro.storage.postgres import Away

_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 1.0


class Ear:
    """Calls `heard` for each notification of a channel. What is told while it is deaf is lost: look now and then."""

    def __init__(self, database_url: str, channel: str, heard: Callable[[], None]) -> None:
        self._url = database_url
        self._channel = channel
        self._heard = heard
        self._connection: asyncpg.Connection[Any] | None = None

    async def listen(self) -> None:
        """Connects where it is not connected. Raises what storage.postgres.Away lists."""
        if self._connection is not None and not self._connection.is_closed():
            return
        settings = {"application_name": "barberpro ear", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "3"}
        connection = await asyncpg.connect(
            self._url, timeout=_SECONDS, command_timeout=_SECONDS, server_settings=settings
        )
        await connection.add_listener(self._channel, self._hear)
        self._connection = connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*Away):
                await connection.close(timeout=_CLOSE_SECONDS)

    def _hear(self, *_told: object) -> None:
        self._heard()
