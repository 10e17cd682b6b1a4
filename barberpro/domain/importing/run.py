"""A run of an import: file by file, a batch a transaction, in which the run's own progress is written, too.

So a run that was cut off, however, goes on behind the last batch that was committed; and since every document that was
taken is known by its id, another run takes none twice.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing.collections import Barbers, Bookings, Collection, Users
from barberpro.domain.importing.documents import LeftOut, NotTakenError
from barberpro.domain.importing.people import RacedError, Shops
from barberpro.domain.importing.rows import Place, Row, parse, read_lines
from barberpro.domain.importing.sources import Source
from barberpro.protocol.actors import SYSTEM
from barberpro.storage import imports
from barberpro.storage.audit import note
from barberpro.storage.imported import KnownRow, TakenRow, add_rows, known_rows, met_again
from barberpro.storage.imports import Problem, Totals
from barberpro.storage.postgres import AnyConnection

FLAG: Final = "USE_BACKEND_FOR_BOOKINGS"
_FLAG_IS: Final = "Bookings go to this server, and no longer to Firestore."
_TURN_SECONDS: Final = 15.0
"""A connection that died with its program holds the turn until Postgres has seen it."""
_ROUNDED: Final = Decimal("0.05")
"""Averages are shown, and often kept, with one decimal."""
_SAYS_ELSE: Final = "was taken before, and says something else now: of that, only a rating is added"


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one file. rows: lines with something in them; taken now, before (by another run), refused: of these."""

    offset: int = 0
    line: int = 0
    rows: int = 0
    taken: int = 0
    before: int = 0
    refused: int = 0
    done: bool = False

    def behind(self, place: Place, rows: int, taken: int, before: int, *, done: bool) -> "Progress":
        """With so many rows more."""
        return Progress(
            offset=place.offset,
            line=place.line,
            rows=self.rows + rows,
            taken=self.taken + taken,
            before=self.before + before,
            refused=self.refused + rows - taken - before,
            done=done,
        )


@dataclass(slots=True)
class Summary:
    """files: by collection, those that are there. differ: totals that barbers claim, and their bookings are not."""

    import_id: int
    went_on: bool
    files: dict[str, Progress] = field(default_factory=dict)
    differ: int = 0

    @property
    def all_well(self) -> bool:
        return not self.differ and not any(each.refused for each in self.files.values())


class Import:
    """One run, on one connection."""

    def __init__(
        self,
        connection: AnyConnection,
        source: Source,
        shops: Shops,
        contacts: Contacts,
        country: str,
        told: Callable[[str, Progress, int], None],
    ) -> None:
        """country: of telephone numbers without a code. told: of each batch: collection, how far it is, rows."""
        self._connection = connection
        self._source = source
        self._collections: list[Collection[Any]] = [
            Users(country, contacts),
            Barbers(shops),
            Bookings(shops.currency),
        ]
        self._options = {
            "country": country,
            "timeZone": shops.time_zone,
            "currency": shops.currency,
            "shopId": shops.shop_id,
        }
        self._told = told

    async def run(self, *, dry: bool) -> Summary:
        """dry: all is done, and nothing stays. Raises TimeoutError while another import works; what Postgres raises."""
        await imports.take_turn(self._connection, _TURN_SECONDS)
        if dry:
            await imports.rehearse(self._connection)
        source = await asyncio.to_thread(self._source.digest)
        present = await asyncio.to_thread(self._source.present)
        async with self._connection.transaction():
            import_id, progress, went_on = await imports.begin(self._connection, source, self._options)
        summary = Summary(import_id, went_on, {name: Progress(**progress.get(name, {})) for name in present})
        for collection in self._collections:
            if collection.name in summary.files:
                await self._file(collection, summary)
        await self._end(summary)
        return summary

    async def _file(self, collection: Collection[Any], summary: Summary) -> None:
        path, name = self._source.path(collection.name), collection.name
        while not (so_far := summary.files[name]).done:
            # Before the transaction: who says nothing in one for long loses it.
            lines = await asyncio.to_thread(read_lines, path, Place(so_far.offset, so_far.line), collection.at_once)
            rows = await asyncio.to_thread(parse, lines, collection.inside, collection.read)
            ended = lines.behind.offset == so_far.offset
            try:
                async with self._connection.transaction():
                    before, taken = await self._take(collection, summary.import_id, rows)
                    problems = [problem for row in rows for problem in row.problems()]
                    await imports.add_problems(self._connection, summary.import_id, path.name, problems)
                    reached = so_far.behind(lines.behind, len(rows), taken, before, done=ended)
                    await self._save(summary, {**summary.files, name: reached})
            except RacedError:
                continue
            summary.files[name] = reached
            self._told(name, reached, len(rows))

    async def _save(self, summary: Summary, files: dict[str, Progress]) -> None:
        await imports.save(self._connection, summary.import_id, {name: asdict(each) for name, each in files.items()})

    async def _take(self, collection: Collection[Any], import_id: int, rows: Sequence[Row[Any]]) -> tuple[int, int]:
        """How many were taken before, and how many now."""
        connection, name = self._connection, collection.name
        known = await known_rows(connection, name, [row.source_id for row in rows if row.read is not None])
        again = _again(rows, known, import_id)
        for row in again:
            if row.digest != known[row.source_id].digest and row.fields is not None:
                row.fields.problems[:] = [LeftOut(None, _SAYS_ELSE)]
        await collection.meet_again(connection, {known[row.source_id].target_id: row for row in again})
        await met_again(connection, name, import_id, [(row.source_id, row.line) for row in again])
        new = [row for row in rows if row.read is not None and row.source_id not in known]
        taken = await self._take_new(collection, import_id, new)
        await add_rows(connection, name, import_id, taken)
        return len(again), len(taken)

    async def _take_new(self, collection: Collection[Any], import_id: int, rows: Sequence[Row[Any]]) -> list[TakenRow]:
        """Of documents with one id the first is taken of which that can be done."""
        taken: list[TakenRow] = []
        while rows:
            first = {row.source_id: row for row in reversed(rows)}
            tried = [row for row in rows if row is first[row.source_id]]
            taken += await collection.take(self._connection, import_id, tried)
            others = [row for row in rows if row is not first[row.source_id]]
            rows = _first_of(others, {row.source_id: row.line for row in tried if row.read is not None})
        return taken

    async def _end(self, summary: Summary) -> None:
        connection = self._connection
        async with connection.transaction():
            problems = [each for totals in await imports.totals_of(connection, summary.import_id)
                        for each in claims_that_differ(totals)]  # fmt: skip
            summary.differ = len(problems)
            await imports.add_problems(connection, summary.import_id, self._source.path("barbers").name, problems)
            await imports.offer_flag(connection, FLAG, _FLAG_IS)
            await imports.finish(connection, summary.import_id)
            after = {name: {"taken": each.taken, "refused": each.refused} for name, each in summary.files.items()}
            await note(connection, SYSTEM, "data.imported", "import", str(summary.import_id), after=after)


def _again(rows: Sequence[Row[Any]], known: dict[str, KnownRow], import_id: int) -> list[Row[Any]]:
    """Those that were taken before: of each the first in this run, and the others are refused."""
    again = [row for row in rows if row.read is not None and row.source_id in known]
    lines = {row.source_id: row.line for row in reversed(again)}
    lines |= {name: row.line for name, row in known.items() if row.import_id == import_id}
    return _first_of(again, lines)


def _first_of(rows: Sequence[Row[Any]], lines: Mapping[str, int]) -> list[Row[Any]]:
    """Refuses those that have the id of another line. lines: of whatever is taken, by id."""
    for row in rows:
        line = lines.get(row.source_id, row.line)
        if line != row.line:
            row.refuse(NotTakenError(None, f"is a duplicate: line {line} has the same id"))
    return [row for row in rows if row.read is not None]


def claims_that_differ(totals: Totals) -> list[Problem]:
    """What a barber's document says of all their bookings, and these do not come to."""
    found = []
    completed, rating = totals.said["completed"], totals.said["rating"]
    if completed is not None and completed != totals.completed:
        found.append(("totalCompletedBookings", f"is {completed}, and {totals.completed} completed bookings are here"))
    average = Decimal(totals.stars) / totals.ratings if totals.ratings and totals.stars is not None else Decimal()
    if rating is not None and abs(Decimal(rating) - average) > _ROUNDED:
        found.append(("rating", f"is {rating}, and {totals.ratings} ratings have an average of {average:.2f}"))
    return [Problem(totals.line, totals.source_id, name, reason, taken=True) for name, reason in found]
