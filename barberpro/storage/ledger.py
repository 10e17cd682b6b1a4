"""The ledger of payments: lines are added to it, and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.protocol.actors import Actor
from barberpro.protocol.commands import Method
from barberpro.protocol.money import Kind, Purpose
from barberpro.storage.postgres import AnyConnection, take_turn
from barberpro.storage.searching import Conditions, searched

LINE: Final = (
    "payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency, of_payment_id, reason, at,"
    " actor_id, actor_role, digest"
)
_ADD: Final = f"""
    INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency,
                                of_payment_id, reason, actor_id, actor_role, request_id, command_id, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    RETURNING {LINE}
"""  # noqa: S608 - fixed words
_OF_COMMAND: Final = f"""
    SELECT {LINE} FROM payment_ledger WHERE shop_id = $1 AND command_id = $2 ORDER BY kind
"""  # noqa: S608 - fixed words
_FIND: Final = f"SELECT {LINE} FROM payment_ledger WHERE payment_id = $1"  # noqa: S608 - fixed words
_LEFT: Final = """
    SELECT coalesce(sum(amount), 0) AS left, coalesce(sum(amount) FILTER (WHERE kind <> 'refund'), 0) AS paid
    FROM payment_ledger WHERE payment_id = $1 OR of_payment_id = $1
"""
_SUMS: Final = """
    SELECT width_bucket(at, $2::timestamptz[]) - 1 AS day, currency, kind, purpose, method, sum(amount) AS amount
    FROM payment_ledger
    WHERE {whose} AND at >= ($2::timestamptz[])[1] AND at < ($2::timestamptz[])[array_length($2, 1)]
    GROUP BY 1, 2, 3, 4, 5
"""


@dataclass(frozen=True, slots=True)
class Line:
    """amount: signed. digest: of the request that wrote it; None when an event did."""

    payment_id: str
    kind: Kind
    purpose: Purpose
    shop_id: str
    barber_id: str
    booking_id: str
    method: Method
    amount: Decimal
    currency: str
    of_payment_id: str | None
    reason: str | None
    at: datetime
    actor_id: str
    actor_role: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that is to be added; as in `Line`. command_id, digest: of the request, when it may be repeated."""

    payment_id: str
    kind: Kind
    purpose: Purpose
    shop_id: str
    barber_id: str
    booking_id: str
    method: Method
    amount: Decimal
    currency: str
    of_payment_id: str | None = None
    reason: str | None = None
    command_id: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """What lines of one kind came to. day: the number of the day in the period, from 0."""

    day: int
    currency: str
    kind: Kind
    purpose: Purpose
    method: Method
    amount: Decimal


async def add_line(connection: AnyConnection, new: NewLine, actor: Actor, request_id: str | None) -> Line:
    """A request that may be repeated asks `lines_of_command` first."""
    row = await connection.fetchrow(
        _ADD,
        new.payment_id,
        new.kind,
        new.purpose,
        new.shop_id,
        new.barber_id,
        new.booking_id,
        new.method,
        new.amount,
        new.currency,
        new.of_payment_id,
        new.reason,
        actor.id,
        actor.role.value,
        request_id,
        new.command_id,
        new.digest,
    )
    assert row is not None  # noqa: S101 - what is inserted is returned
    return Line(**row)


async def lines_of_command(connection: AnyConnection, shop_id: str, command_id: str) -> list[Line]:
    """What a request wrote, the charge first. Nobody else writes with its key until the transaction ends."""
    await take_turn(connection, f"payment.{shop_id}.{command_id}")
    return [Line(**row) for row in await connection.fetch(_OF_COMMAND, shop_id, command_id)]


async def find_line(connection: "AnyConnection | Pool[Any]", payment_id: str, *, lock: bool = False) -> Line | None:
    """lock: until the transaction ends nobody else has it so, and what is left of it stays what it is."""
    row = await connection.fetchrow(_FIND + (" FOR NO KEY UPDATE" if lock else ""), payment_id)
    return Line(**row) if row is not None else None


async def left_of(connection: AnyConnection, payment_id: str) -> tuple[Decimal, Decimal]:
    """Of a charge or tip: what may still be given back, and what was paid, corrections taken into account."""
    row = await connection.fetchrow(_LEFT, payment_id)
    assert row is not None  # noqa: S101 - a sum has one row
    return row["left"], row["paid"]


async def sums_of_barber(pool: "Pool[Any]", barber_id: str, bounds: Sequence[datetime]) -> list[Sum]:
    """By day, between the first and the last bound; the days begin at the others."""
    rows = await pool.fetch(_SUMS.format(whose="barber_id = $1"), barber_id, list(bounds))
    return [Sum(**row) for row in rows]


async def sums_of_shop(pool: "Pool[Any]", shop_id: str | None, bounds: Sequence[datetime]) -> list[Sum]:
    """As `sums_of_barber`. shop_id: None for all of them."""
    whose = "shop_id = $1" if shop_id is not None else "$1::text IS NULL"
    return [Sum(**row) for row in await pool.fetch(_SUMS.format(whose=whose), shop_id, list(bounds))]


async def search_lines(
    pool: "Pool[Any]",
    filters: dict[str, str],
    since: datetime | None,
    until: datetime | None,
    before: tuple[datetime, str] | None,
    most: int,
) -> list[Line]:
    """The newest first. filters: by column. before: where the page before ended (at, payment_id)."""
    where = Conditions()
    for column, value in filters.items():
        where.add(f"{column} = {{}}", value)
    if since is not None:
        where.add("at >= {}", since)
    if until is not None:
        where.add("at < {}", until)
    if before is not None:
        where.add("(at, payment_id) < ({}, {})", *before)
    query = f"SELECT {LINE} FROM payment_ledger WHERE {where} ORDER BY at DESC, payment_id DESC LIMIT {most}"  # noqa: S608 - fixed words
    return [Line(**row) for row in await searched(pool, query, where.values)]
