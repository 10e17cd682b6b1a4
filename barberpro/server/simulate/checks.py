"""What must hold in every state that a watcher sees; no I/O. A check returns sentences, none if all is well."""

from collections.abc import Iterator
from typing import Any, Final

from barberpro.clients.python import Version
from barberpro.clients.python.logic import version_of

State = dict[str, Any]

_PRIVATE: Final = ("bookingId", "customerName", "notes", "phone", "price", "services")
_FINAL: Final = ("completed", "cancelled")


class TokenBook:
    """Which booking has which token, over all that was ever seen: a token is given once a day."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str, int], str] = {}
        self._days: dict[str, str] = {}

    def check(self, barber_id: str, day: str, token: int, booking_id: str) -> Iterator[str]:
        # A booking keeps the day it was first seen on: the last one may sit in the chair past midnight.
        day = self._days.setdefault(booking_id, day)
        holder = self._holders.setdefault((barber_id, day, token), booking_id)
        if holder != booking_id:
            yield f"token {token} of {barber_id} on {day} is held by {holder} and by {booking_id}"


class VersionCheck:
    """A room's (epoch, seq) never goes back. It stays when only the waits are new."""

    def __init__(self) -> None:
        self._last: Version | None = None

    def check(self, state: State) -> Iterator[str]:
        version = version_of(state)
        if version is None:
            yield f"{state.get('room')}: a state without epoch and seq"
        elif self._last is not None and version < self._last:
            yield f"{state.get('room')}: {version} came after {self._last}"
        else:
            self._last = version


class QueueCheck:
    """The full state of one queue."""

    def __init__(self, tokens: TokenBook) -> None:
        self._tokens = tokens
        self._versions = VersionCheck()

    def check(self, state: State) -> list[str]:
        return [*self._versions.check(state), *_order(state), *self._identities(state)]

    def _identities(self, state: State) -> Iterator[str]:
        room = state.get("room")
        entries = [*_line(state), *state.get("skipped", [])]
        if len({entry["bookingId"] for entry in entries}) != len(entries):
            yield f"{room}: a booking is there twice"
        for entry in entries:
            yield from self._tokens.check(
                str(state.get("barberId")),
                str(state.get("businessDate")),
                int(entry["tokenNumber"]),
                str(entry["bookingId"]),
            )


class DisplayCheck:
    """The public state of a shop."""

    def __init__(self) -> None:
        self._versions = VersionCheck()

    def check(self, state: State) -> list[str]:
        return [
            *self._versions.check(state),
            *(problem for queue in state.get("queues", []) for problem in _public_queue(queue)),
        ]


class BookingCheck:
    """The states of one booking, as its customer sees them."""

    def __init__(self) -> None:
        self._versions = VersionCheck()
        self._ended: str | None = None

    def check(self, state: State) -> list[str]:
        return [*self._versions.check(state), *self._end(state)]

    def _end(self, state: State) -> Iterator[str]:
        status = str(state.get("status"))
        if self._ended is not None and status != self._ended:
            yield f"{state.get('room')}: {self._ended} became {status}"
        if status in _FINAL:
            self._ended = status


def _line(state: State) -> list[State]:
    """Everyone in the queue, the one being served first."""
    ahead = [entry for entry in (state.get("serving"), state.get("next")) if entry]
    return [*ahead, *state.get("waiting", [])]


def _order(state: State) -> Iterator[str]:
    where = f"{state.get('room') or state.get('barberId')} at {version_of(state)}"
    serving, called, waiting = state.get("serving"), state.get("next"), state.get("waiting", [])
    if waiting and not called:
        yield f"{where}: somebody is waiting while nobody is next"
    expected = [*([(serving, "serving", 0)] if serving else []), *([(called, "next", 1)] if called else [])]
    expected += [(entry, "waiting", place) for place, entry in enumerate(waiting, start=2)]
    for entry, status, position in expected:
        if (entry.get("status"), entry.get("position")) != (status, position):
            found = f"{entry.get('status')} at {entry.get('position')}"
            yield f"{where}: token {entry.get('tokenNumber')} is {found}, not {status} at {position}"
    # Who has been in the chair since yesterday may share a number with one of today's.
    tokens = [entry.get("tokenNumber") for entry in ([called] if called else []) + waiting]
    if len(set(tokens)) != len(tokens):
        yield f"{where}: a token is there twice"


def _public_queue(queue: State) -> Iterator[str]:
    yield from _order(queue)
    for entry in _line(queue):
        for field in _PRIVATE:
            if field in entry:
                yield f"display: token {entry.get('tokenNumber')} of {queue.get('barberId')} shows {field}"
