"""Invariant 6: the rows of Postgres are what its events make of them."""

from collections.abc import Iterator
from typing import Final

from loadtests.faults.finding import Finding
from loadtests.faults.history import Json
from loadtests.faults.invariants import FOLD
from loadtests.faults.replay import Replay

_OF_THE_QUEUE: Final[tuple[str, ...]] = (
    "status", "seq", "day", "lastToken", "completed", "cancelled", "pauseReason", "graceFor", "graceDueAt",
)  # fmt: skip
"""What a queue's row has of what its events say; who is served and who is next stand in the bookings."""


def rows_differ(replay: Replay, queues: list[Json], bookings: list[Json], watermark: Json) -> Iterator[Finding]:
    """The rows in the words of events, each with the shopSeq of the last event that wrote it."""
    for told in _differences(replay, queues, bookings, watermark):
        yield Finding(FOLD, f"{replay.shop_id}: {told}")


def _differences(replay: Replay, queues: list[Json], bookings: list[Json], watermark: Json) -> Iterator[str]:
    if (watermark["shopSeq"], watermark["link"]) != (replay.last, replay.link):
        yield f"the watermark is {watermark['shopSeq']} {watermark['link']!r}, the last event {replay.last}"
    if watermark["epoch"] < replay.epoch:
        yield f"the shard's epoch is {watermark['epoch']}, the last event's {replay.epoch}"
    rows = {row.pop("barberId"): row for row in queues}
    events = {barber: place for barber, place in replay.queues.items() if place.happened}
    for barber in sorted(rows.keys() | events.keys()):
        place = events.get(barber)
        told = {key: place.doc[key] for key in _OF_THE_QUEUE if key in place.doc} if place else {}
        told |= {"shopSeq": place.seqs[-1]} if place else {}
        yield from _compared(f"queue {barber}", rows.get(barber, {}), told)
    visits = {row["bookingId"]: row for row in bookings}
    for booking_id in sorted(visits.keys() | replay.lives.keys()):
        life = replay.lives.get(booking_id)
        told = {**life.last, "shopSeq": life.since[-1]} if life else {}
        yield from _compared(f"booking {booking_id}", visits.get(booking_id, {}), told)


def _compared(what: str, row: Json, told: Json) -> Iterator[str]:
    wrong = sorted(key for key in row.keys() | told.keys() if row.get(key) != told.get(key))
    if wrong:
        differences = ", ".join(f"{key} {row.get(key)!r}, by its events {told.get(key)!r}" for key in wrong)
        yield f"{what} has {differences}"
