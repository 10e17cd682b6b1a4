"""What clients were shown: never something older than before, and never what Postgres does not confirm."""

from collections.abc import Iterator
from dataclasses import dataclass

from loadtests.faults.attempts import SLACK
from loadtests.faults.facts import booking_facts, display_facts, displayed_facts
from loadtests.faults.finding import Finding, clock
from loadtests.faults.history import Json
from loadtests.faults.replay import NEVER, Happened, Replay

BACK = "never back"
CONFIRMED = "confirmed"


@dataclass(slots=True)
class _Expected:
    facts: str
    event: Happened


class NeverBack:
    """(epoch, seq) never falls, for one client in one room."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, int]] = {}

    def look(self, seen: Json) -> Iterator[Finding]:
        key, now = (seen["client"], seen["room"]), (seen["epoch"], seen["seq"])
        last = self._last.get(key, now)
        self._last[key] = now
        if now < last:
            yield Finding(BACK, f"{_who(seen)} {now} after {last}")


class Confirmed:
    """Every state is what the events make of its room, of no older epoch than they, and not shown before COMMIT."""

    def __init__(self, shops: dict[str, Replay], barbers: dict[str, list[str]]) -> None:
        """barbers: of each shop, those with events or without."""
        self._shops = shops
        self._barbers = barbers
        self._at_barber = {barber: shop for shop, all_of_it in barbers.items() for barber in all_of_it}
        self._of_booking = {booking: shop for shop in shops.values() for booking in shop.lives}
        self._display: dict[str, tuple[int, _Expected]] = {}

    def look(self, seen: Json) -> Iterator[Finding]:
        expected = self._expected(seen["room"], seen["seq"])
        if isinstance(expected, str):
            yield Finding(CONFIRMED, f"{_who(seen)} {(seen['epoch'], seen['seq'])}, and {expected}")
            return
        facts, event = seen["facts"], expected.event
        # A queue that was never used has no day of its own: the present one is shown.
        if facts != expected.facts and (event is not NEVER or facts.partition("|")[2] != expected.facts[1:]):
            yield Finding(CONFIRMED, f"{_who(seen)} {facts} at {seen['seq']}, its events say {expected.facts}")
        if seen["epoch"] < event.epoch:
            yield Finding(
                CONFIRMED, f"{_who(seen)} {seen['seq']} in epoch {seen['epoch']}, its event is of {event.epoch}"
            )
        if event.committed is not None and seen["at"] < event.committed - SLACK:
            yield Finding(CONFIRMED, f"{_who(seen)} {seen['seq']} before it was committed at {clock(event.committed)}")

    def _expected(self, room: str, seq: int) -> _Expected | str:
        kind, _, name = room.partition(":")
        if kind == "queue":
            return self._queue(name, seq)
        return self._booking(name, seq) if kind == "booking" else self._shown(name, seq)

    def _queue(self, barber: str, seq: int) -> _Expected | str:
        replay = self._shops.get(self._at_barber.get(barber, ""))
        place = replay.queues.get(barber) if replay is not None else None
        event = place.by_seq.get(seq) if place is not None else None
        if event is None and replay is not None and seq == 0:
            event = NEVER
        return _Expected(event.facts, event) if event is not None else "Postgres has no such event"

    def _booking(self, booking: str, seq: int) -> _Expected | str:
        replay = self._of_booking.get(booking)
        event = replay.happened.get(seq) if replay is not None else None
        stood = replay.lives[booking].at(seq) if replay is not None else None
        if event is None or stood is None:
            return "Postgres has no such event, or the booking was not made then"
        barber, status, token, _ = stood
        if event.barber != barber:
            return f"that event was of {event.barber}, and the booking was at {barber}"
        return _Expected(booking_facts(barber, token, status, event.place_of(status, token), event.served()), event)

    def _shown(self, shop: str, seq: int) -> _Expected | str:
        known = self._display.get(shop)
        if known is not None and known[0] == seq:
            return known[1]
        replay = self._shops.get(shop)
        event = replay.happened.get(seq, NEVER if seq == 0 else None) if replay is not None else None
        if replay is None or event is None:
            return "Postgres has no such event"
        parts = (_part(barber, replay, seq) for barber in self._barbers[shop])
        expected = _Expected(display_facts(parts), event)
        self._display[shop] = (seq, expected)
        return expected


def _part(barber: str, replay: Replay, seq: int) -> str:
    place = replay.queues.get(barber)
    _, status, serving, next_one, line, *_ = (place.at(seq) if place is not None else NEVER).facts.split("|")
    waiting = line.split(",") if line else []
    return displayed_facts(barber, status, serving, next_one, waiting, len(waiting))


def _who(seen: Json) -> str:
    return f"{seen['client']} was shown at {clock(seen['at'])} of {seen['room']}"
