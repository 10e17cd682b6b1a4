"""Words for what goes wrong: one line for the one who has to mend it."""

from typing import Final

import asyncpg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from barberpro.domain.keys import KeyFileError
from barberpro.server.embedded import EmbeddedServicesError
from barberpro.server.errors import CommandError
from barberpro.server.ports import CannotListenError
from barberpro.server.reach import no_postgres, no_redis
from barberpro.server.settings import Settings, SettingsError
from barberpro.server.supervisor import WorkerRefusedError
from barberpro.storage.deployment import ShardsDifferError
from barberpro.storage.migrate import SchemaTooNewError
from barberpro.storage.sealing_keys import SealingKeyError

MISTAKES: Final = (
    SettingsError, EmbeddedServicesError, CannotListenError, KeyFileError, SealingKeyError, ShardsDifferError,
    SchemaTooNewError, CommandError, WorkerRefusedError,
)  # fmt: skip
"""Errors that will not mend themselves; their own words say what to do."""


def words_for(error: Exception, settings: Settings) -> str | None:
    """What to tell about `error`; None when it is a defect, whose traceback is wanted."""
    if isinstance(error, MISTAKES):
        return str(error)
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        return f"Postgres: {error}"
    if isinstance(error, RedisConnectionError | RedisTimeoutError) and settings.redis_url is not None:
        return no_redis(settings.redis_url, error)
    if isinstance(error, RedisError):
        return f"Redis: {error}"
    if isinstance(error, OSError):
        # A file's error names it; without a name it is Postgres's, for Redis has errors of its own.
        if error.filename is not None or settings.database_url is None:
            return str(error)
        return no_postgres(settings.database_url, error)
    return None
