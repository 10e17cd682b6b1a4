"""The collections of an export: how a document of each is read, and how a batch of them is taken."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing import barbers, bookings, users
from barberpro.domain.importing.agreeing import Known, agree, rating_of
from barberpro.domain.importing.barbers import ReadBarber, read_barber
from barberpro.domain.importing.bookings import ReadBooking, read_booking
from barberpro.domain.importing.documents import Fields, NotTakenError
from barberpro.domain.importing.people import Shops, take_barbers, take_users
from barberpro.domain.importing.rows import Row
from barberpro.domain.importing.users import ReadUser, read_user
from barberpro.storage.imported import (
    ImportedBooking,
    TakenRow,
    add_bookings,
    add_ratings,
    barbers_of,
    users_of,
)
from barberpro.storage.postgres import AnyConnection

What = TypeVar("What")


class Collection(ABC, Generic[What]):
    """name: of its file, too. inside: the fields in which a document's id may stand. at_once: rows of a batch."""

    name: ClassVar[str]
    inside: ClassVar[tuple[str, ...]]
    at_once: ClassVar[int] = 1000

    @abstractmethod
    def read(self, fields: Fields) -> What:
        """What a document comes to by itself. Raises NotTakenError."""

    @abstractmethod
    async def take(self, connection: AnyConnection, import_id: int, rows: Sequence[Row[What]]) -> list[TakenRow]:
        """Writes rows that are new, in the caller's transaction. Which of them it cannot take, it refuses."""

    async def meet_again(self, connection: AnyConnection, rows: Mapping[str, Row[What]]) -> None:
        """Takes what has come to rows since they were taken. rows: by the id of what they became."""


@dataclass(frozen=True, slots=True)
class Users(Collection[ReadUser]):
    """country: of telephone numbers without a code."""

    name = "users"
    inside = users.INSIDE
    country: str
    contacts: Contacts

    def read(self, fields: Fields) -> ReadUser:
        return read_user(fields, self.country)

    async def take(self, connection: AnyConnection, import_id: int, rows: Sequence[Row[ReadUser]]) -> list[TakenRow]:
        """Raises RacedError."""
        return await take_users(connection, self.contacts, rows)


@dataclass(frozen=True, slots=True)
class Barbers(Collection[ReadBarber]):
    name = "barbers"
    inside = barbers.INSIDE
    at_once = 50
    shops: Shops

    def read(self, fields: Fields) -> ReadBarber:
        return read_barber(fields, self.shops.currency)

    async def take(self, connection: AnyConnection, import_id: int, rows: Sequence[Row[ReadBarber]]) -> list[TakenRow]:
        return await take_barbers(connection, self.shops, import_id, rows)


@dataclass(frozen=True, slots=True)
class Bookings(Collection[ReadBooking]):
    name = "bookings"
    inside = bookings.INSIDE
    currency: str

    def read(self, fields: Fields) -> ReadBooking:
        return read_booking(fields, self.currency)

    async def take(self, connection: AnyConnection, import_id: int, rows: Sequence[Row[ReadBooking]]) -> list[TakenRow]:
        agreed = await agreed_of(connection, rows)
        await add_bookings(connection, list(agreed.values()))
        return [
            TakenRow(row.source_id, agreed[row.line].booking_id, row.line, row.digest)
            for row in rows
            if row.line in agreed
        ]

    async def meet_again(self, connection: AnyConnection, rows: Mapping[str, Row[ReadBooking]]) -> None:
        """A visit may have been rated."""
        given = {
            name: rating for name, row in rows.items() if row.read and (rating := rating_of(row.source_id, row.read))
        }
        await add_ratings(connection, given)


async def agreed_of(connection: AnyConnection, rows: Sequence[Row[ReadBooking]]) -> dict[int, ImportedBooking]:
    """What bookings come to among ours, by line; those that come to nothing are refused."""
    reads = [row.read for row in rows if row.read is not None]
    known = Known(
        await barbers_of(connection, [read.barber for read in reads]),
        await users_of(connection, [read.customer for read in reads if read.customer is not None]),
    )
    return await asyncio.to_thread(_agreed, rows, known)


def _agreed(rows: Sequence[Row[ReadBooking]], known: Known) -> dict[int, ImportedBooking]:
    """Blocking: a zone is read from its file when it is met first."""
    agreed = {}
    for row in rows:
        if row.read is None or row.fields is None:
            continue
        try:
            agreed[row.line] = agree(row.source_id, row.read, known, row.fields)
        except NotTakenError as refusal:
            row.refuse(refusal)
    return agreed
