"""The peer 'row-lock postgres': every transition is one transaction that locks its queue's row.

Written to be good at it: prepared statements (asyncpg's cache), as few round trips as the design allows (begin, lock,
change, record, commit), no reset query when a connection goes back to the pool, the event, the audit entry and the
queue in one statement. It is spared what ours does on top: look-ups of repeated commands, positions in the answers,
the results kept for repetitions, timers, and publishing.
"""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
import orjson
from asyncpg import Pool
from asyncpg.pool import PoolConnectionProxy

from loadtests.bench.floor import Floor, Refusal, Step
from loadtests.bench.ours import command_id
from loadtests.bench.rowlock_sql import ADVANCE, JOIN, LOCK, LOCK_BOTH, ON_BOOKING, RECORD, TRANSFER

_CONNECTIONS: Final = 20

_SERVICES: Final = '[{"serviceId":"sv_000000000001","name":"Haircut","price":"250.00","durationMinutes":20}]'
Connection: TypeAlias = "PoolConnectionProxy[Any]"


async def _keep_as_it_is(_: "asyncpg.Connection[Any]") -> None:
    """A connection goes back to the pool without a round trip: nothing was set on it."""


class RowLock:
    """Makes a floor's steps in Postgres alone."""

    name = "row-lock postgres"

    def __init__(self, pool: "Pool[Any]") -> None:
        self._pool = pool
        self._numbers = itertools.count()

    async def run(self, step: Step) -> tuple[str, str]:
        """The booking's id and its status afterwards. Raises Refusal, and nothing is changed."""
        make: Callable[[Connection, Step], Awaitable[tuple[str, str]]] = self._on_booking
        if step.kind in {"join", "advance", "transfer"}:
            make = {"join": self._join, "advance": self._advance, "transfer": self._transfer}[step.kind]
        async with self._pool.acquire() as connection, connection.transaction():
            return await make(connection, step)

    async def _join(self, connection: Connection, step: Step) -> tuple[str, str]:
        assert step.customer is not None
        queue = await self._lock(connection, step)
        booking_id = f"bk_{step.line.shop:010d}_{next(self._numbers):020d}"
        customer, token = f"us_{step.customer.number:016d}", queue["last_token"] + 1
        await connection.execute(
            JOIN,
            _id(step),
            booking_id,
            str(step.line.shop),
            customer,
            f"Guest {step.customer.number}",
            _SERVICES,
            token,
        )
        await self._record(connection, step, queue, booking_id, "waiting", token=token)
        return booking_id, "waiting"

    async def _advance(self, connection: Connection, step: Step) -> tuple[str, str]:
        queue = await self._lock(connection, step)
        serving = queue["serving"]
        if step.expects and serving != step.serving:
            raise Refusal("STALE_STATE", serving=serving)
        called = await connection.fetchval(ADVANCE, _id(step), serving)
        if called is None and serving is None:
            raise Refusal("INVALID_TRANSITION")
        about, status = (called, "serving") if called is not None else (serving, "completed")
        await self._record(connection, step, queue, about, status, serving=called)
        return about, status

    async def _transfer(self, connection: Connection, step: Step) -> tuple[str, str]:
        assert step.booking is not None
        assert step.to is not None
        mine, other = _id(step), f"bb_{step.to.number:012d}"
        queues = {row["queue_id"]: row for row in await connection.fetch(LOCK_BOTH, [mine, other])}
        booking_id, token = step.booking.booking_id, queues[other]["last_token"] + 1
        if await connection.fetchval(TRANSFER, other, booking_id, mine, token) is None:
            raise Refusal("INVALID_TRANSITION")
        await self._record(connection, step, queues[mine], booking_id, "waiting")
        await self._record(connection, step, queues[other], booking_id, "waiting", token=token, queue_id=other)
        return booking_id, "waiting"

    async def _on_booking(self, connection: Connection, step: Step) -> tuple[str, str]:
        assert step.booking is not None
        queue = await self._lock(connection, step)
        booking_id = step.booking.booking_id
        places = [step.places or step.position] if step.kind in {"move", "step_back"} else []
        status: str | None = await connection.fetchval(ON_BOOKING[step.kind], _id(step), booking_id, *places)
        if status is None:
            raise Refusal("INVALID_TRANSITION")
        await self._record(connection, step, queue, booking_id, status, serving=queue["serving"])
        return booking_id, status

    async def _lock(self, connection: Connection, step: Step) -> asyncpg.Record:
        queue: asyncpg.Record | None = await connection.fetchrow(LOCK, _id(step))
        assert queue is not None
        if step.kind == "join" and queue["status"] != "open":
            raise Refusal("QUEUE_CLOSED")
        return queue

    async def _record(
        self,
        connection: Connection,
        step: Step,
        queue: asyncpg.Record,
        booking_id: str,
        status: str,
        *,
        token: int | None = None,
        serving: str | None = None,
        queue_id: str | None = None,
    ) -> None:
        """The event, the audit entry and the queue's new state, in one round trip."""
        data = {"bookingId": booking_id, "status": status, "serving": serving, "token": token}
        await connection.execute(
            RECORD,
            queue_id or _id(step),
            queue["seq"] + 1,
            token or queue["last_token"],
            serving if step.kind == "advance" else queue["serving"],
            step.kind,
            booking_id,
            command_id(),
            orjson.dumps(data).decode(),
            "us_bench",
            "barber",
        )


def _id(step: Step) -> str:
    return f"bb_{step.line.number:012d}"


@asynccontextmanager
async def row_lock(database_url: str, floor: Floor) -> AsyncIterator[RowLock]:
    """The peer in a database of its own, with the floor's queues open and empty."""
    pool = await asyncpg.create_pool(
        database_url,
        min_size=_CONNECTIONS,
        max_size=_CONNECTIONS,
        max_inactive_connection_lifetime=0,
        reset=_keep_as_it_is,
        server_settings={"synchronous_commit": "on"},
    )
    try:
        await pool.execute((Path(__file__).parent / "rowlock.sql").read_text())
        await pool.executemany(
            "INSERT INTO queues (queue_id, shop_id, status) VALUES ($1, $2, 'open')",
            [(f"bb_{line.number:012d}", str(line.shop)) for line in floor.lines],
        )
        yield RowLock(pool)
    finally:
        await pool.close()
