"""Connections to Postgres, and what it raises while it is away."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

AnyConnection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

Away: Final = (
    OSError,  # refused, reset, timed out
    asyncpg.InterfaceError,  # the connection closed under the query
    asyncpg.InternalClientError,  # it closed between two messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, starting up, query cancelled
    asyncpg.InsufficientResourcesError,  # disk or memory full, too many connections
    asyncpg.TransactionRollbackError,  # deadlock, serialization: the same again will do
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is being promoted
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process stood still in the middle
)
"""Errors after which the same statement, sent again later, may succeed; its outcome is unknown."""

_CONNECT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0


class _Connection(asyncpg.Connection):
    """Closing it takes no longer than it may, and raises nothing: what is given up may be silent."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's
        with contextlib.suppress(*Away):
            await super().close(timeout=_CLOSE_SECONDS if timeout is None else timeout)


async def _keep_session(_connection: object) -> None:
    """Resets nothing."""


async def connect_pool(
    database_url: str, size: int = 10, patience: float = 5.0, settings: Mapping[str, str] | None = None
) -> "Pool[Any]":
    """A pool of up to `size` connections. Raises what `Away` lists when Postgres cannot be reached.

    patience: seconds for one answer; a connection on which none comes, not even to a cancellation, takes as long again.
    Whoever says nothing for half as long in the middle of a transaction loses it, with its locks: a node that is cut
    off, or stands still, must not hold up the others. synchronous_commit is set, whatever the server's default: an
    acknowledgement rests on it. settings: more of Postgres's own, for these sessions.
    """
    pool = await asyncpg.create_pool(
        database_url,
        min_size=0,  # asyncpg restores a floor by itself, and logs a traceback each time that it cannot
        max_size=size,
        timeout=_CONNECT_SECONDS,
        command_timeout=patience,
        max_inactive_connection_lifetime=60,
        # Nothing here changes a session's state, so a connection goes back to the pool without a round trip.
        reset=_keep_session,
        connection_class=_Connection,
        server_settings={
            "application_name": "barberpro",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": f"{patience * 500:.0f}",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "3",
            "tcp_keepalives_count": "3",
            **(settings or {}),
        },
    )
    async with pool.acquire():
        return pool


async def take_turn(connection: AnyConnection, name: str) -> None:
    """Nobody else has the turn of this name until the transaction ends; whoever wants it waits for that."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)


async def renew(pool: "Pool[Any]") -> None:
    """Has every connection made anew when it is used next: where one went silent, the others may have, too.

    Each would keep somebody waiting for the whole of the pool's patience before it is found out.
    """
    await pool.expire_connections()


async def close_pool(pool: "Pool[Any]") -> None:
    """Closes it in order; what does not answer to that is given up."""
    with contextlib.suppress(*Away):  # after any error the pool ends all connections by itself
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Connections there are, may be, are lent out; and callers that wait for one."""

    size: int
    most: int
    in_use: int
    waiting: int


def pool_use(pool: "Pool[Any]") -> PoolUse:
    """How a pool is used just now."""
    # Who waits, asyncpg does not tell: they stand in line at the queue of its free connections.
    line: Any = getattr(pool, "_queue")._getters  # noqa: B009 - the stubs do not have it
    waiting = sum(not waiter.done() for waiter in line)
    return PoolUse(pool.get_size(), pool.get_max_size(), pool.get_size() - pool.get_idle_size(), waiting)
