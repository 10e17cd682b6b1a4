"""An export beside what is here: counts, sums, and samples of what differs. Nothing is written.

For the time in which both systems run: what is taken from the old one should stand here as it stands there.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from barberpro.domain.importing.bookings import ReadBooking, is_live
from barberpro.domain.importing.collections import Barbers, Bookings, Collection, Users, agreed_of
from barberpro.domain.importing.rows import Place, Row, parse, read_lines
from barberpro.domain.importing.sources import Source
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.import_compare import Standing, imported, only_here, standing, there
from barberpro.storage.imported import ImportedBooking, KnownRow, known_rows
from barberpro.storage.imports import last_source
from barberpro.storage.postgres import AnyConnection

_NOT_HERE: Final = "is not here"


@dataclass(slots=True)
class Pair:
    """A count or a sum: in the export, and here."""

    export: Decimal = field(default_factory=Decimal)
    here: Decimal = field(default_factory=Decimal)

    @property
    def differ(self) -> bool:
        return self.export != self.here


@dataclass(frozen=True, slots=True)
class Sample:
    """A field that differs; field None: the document is not here at all."""

    file: str
    line: int
    source_id: str
    field: str | None
    export: str
    here: str


@dataclass(slots=True)
class Comparison:
    """pairs: counts and sums by what they are of. only_here: (currency, how many, their prices) since."""

    pairs: dict[str, Pair] = field(default_factory=lambda: defaultdict(Pair))
    live: int = 0
    differences: int = 0
    samples: list[Sample] = field(default_factory=list)
    only_here: list[tuple[str, int, Decimal]] = field(default_factory=list)

    @property
    def all_well(self) -> bool:
        return not self.differences and not any(pair.differ for pair in self.pairs.values())


class Compare:
    """told: of each batch, the collection and the bytes that were read."""

    def __init__(
        self, connection: AnyConnection, source: Source, users: Users, barbers: Barbers, most: int,
        told: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        """most: samples."""
        self._connection = connection
        self._source = source
        self._collections: list[Collection[Any]] = [users, barbers, Bookings(barbers.shops.currency)]
        self._most = most
        self._told = told
        self._same = False
        self._found = Comparison()

    async def run(self) -> Comparison:
        """All of it as it stands at one moment."""
        present = await asyncio.to_thread(self._source.present)
        # Before the transaction: who says nothing in one for long loses it.
        source = await asyncio.to_thread(self._source.digest)
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            self._same = await last_source(self._connection) == source
            for collection in self._collections:
                if collection.name in present:
                    await self._file(collection)
            self._found.only_here = await only_here(self._connection)
        return self._found

    async def _file(self, collection: Collection[Any]) -> None:
        path, place, met = self._source.path(collection.name), Place(), 0
        while True:
            lines = await asyncio.to_thread(read_lines, path, place, collection.at_once)
            if lines.behind.offset == place.offset:
                break
            place = lines.behind
            met += await self._rows(
                collection, await asyncio.to_thread(parse, lines, collection.inside, collection.read)
            )
            self._told(collection.name, place.offset)
        pair = self._found.pairs[f"{collection.name} that were taken"]
        pair.export, pair.here = Decimal(met), Decimal(await imported(self._connection, collection.name))

    async def _rows(self, collection: Collection[Any], rows: Sequence[Row[Any]]) -> int:
        """Compares them; how many of them were taken."""
        known = await known_rows(self._connection, collection.name, [row.source_id for row in rows if row.read])
        if self._same:  # of duplicates, the one that was taken is compared
            rows = [row for row in rows if row.source_id not in known or known[row.source_id].line == row.line]
        if collection.name == "bookings":
            await self._bookings(rows, known)
        else:
            await self._people(collection.name, rows, known)
        refused = [row for row in rows if row.refusal is not None]
        live = sum(row.fields is not None and collection.name == "bookings" and is_live(row.fields) for row in refused)
        self._found.live += live
        if len(refused) > live:
            self._found.pairs[f"{collection.name} that cannot be taken"].export += len(refused) - live
        return sum(row.read is not None and row.source_id in known for row in rows)

    async def _people(self, name: str, rows: Sequence[Row[Any]], known: dict[str, KnownRow]) -> None:
        present = await there(self._connection, name, [row.target_id for row in known.values()])
        pair = self._found.pairs[name]
        for row in rows:
            if row.read is None:
                continue
            pair.export += 1
            if row.source_id in known and known[row.source_id].target_id in present:
                pair.here += 1
            else:
                self._differs(name, row, None, "", _NOT_HERE)

    async def _bookings(self, rows: Sequence[Row[ReadBooking]], known: dict[str, KnownRow]) -> None:
        agreed = await agreed_of(self._connection, rows)
        here = await standing(self._connection, [row.target_id for row in known.values()])
        for row in rows:
            if row.line not in agreed:
                continue
            target = known.get(row.source_id)
            stands = here.get(target.target_id) if target is not None else None
            said, is_here = _of_export(agreed[row.line]), _of_here(stands) if stands is not None else None
            self._add(agreed[row.line].currency, said, is_here)
            if is_here is None:
                self._differs("bookings", row, None, "", _NOT_HERE)
                continue
            for name, value in said.items():
                if value != is_here[name]:
                    self._differs("bookings", row, name, _shown(value), _shown(is_here[name]))

    def _add(self, currency: str, said: dict[str, Any], is_here: dict[str, Any] | None) -> None:
        for side, booking in (("export", said), ("here", is_here)):
            if booking is None:
                continue
            for what, value in (
                (f"bookings {booking['status']}", 1),
                (f"prices, {currency}", booking["totalPrice"]),
                (f"paid, {currency}", booking["paid"]),
                ("ratings", booking["rating"] is not None),
                ("stars", booking["rating"] or 0),
            ):
                pair = self._found.pairs[what]
                setattr(pair, side, getattr(pair, side) + value)

    def _differs(self, name: str, row: Row[Any], field: str | None, export: str, here: str) -> None:
        self._found.differences += 1
        if len(self._found.samples) < self._most:
            file = self._source.path(name).name
            self._found.samples.append(Sample(file, row.line, row.source_id, field, export, here))


def _of_export(booking: ImportedBooking) -> dict[str, Any]:
    """By the export's names, where it has one."""
    paid = booking.total_price if booking.paid is not None and not booking.refunded else Decimal()
    return {
        "status": booking.status,
        "barberId": booking.barber_id,
        "customerId": booking.customer_id,
        "totalPrice": booking.total_price,
        "tokenNumber": booking.token_number,
        "actualServiceTime": booking.started_at,
        "completionTime": booking.ended_at,
        "rating": booking.rating.stars if booking.rating is not None else None,
        "paid": paid,
    }


def _of_here(stands: Standing) -> dict[str, Any]:
    return {
        "status": stands.status,
        "barberId": stands.barber_id,
        "customerId": stands.customer_id,
        "totalPrice": stands.total_price,
        "tokenNumber": stands.token_number,
        "actualServiceTime": stands.started_at,
        "completionTime": stands.ended_at,
        "rating": stands.stars,
        "paid": stands.paid,
    }


def _shown(value: object) -> str:
    return rfc3339_of(value) if isinstance(value, datetime) else "nothing" if value is None else str(value)
