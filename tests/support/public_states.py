"""What a state may carry to those who are no staff (protocol.md section 2), and a watch over all that tests produce."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from barberpro.protocol.states import BookingUpdated, DisplayUpdated, QueueUpdated
from barberpro.queue.fold import ShopState
from barberpro.queue.states import Line, StateBuilder
from barberpro.storage.catalogue import Shop
from tests.support.shops import Json

Form = Mapping[str, "Form | None"]
"""The keys that an object may have; of a key whose value is an object, or a list of them, with their own form."""


def _keys(names: str) -> Form:
    return dict.fromkeys(names.split())


_WAIT: Final = _keys("p50Minutes p90Minutes")
_CAUSE: Final = _keys("type commandId tokenNumber actorRole reason at")
PUBLIC_ENTRY: Final[Form] = {**_keys("tokenNumber status position"), "estimatedWait": _WAIT}
_ROOM: Final[Form] = {**_keys("room epoch seq"), "cause": _CAUSE}
_LINE: Final[Form] = {"serving": PUBLIC_ENTRY, "next": PUBLIC_ENTRY, "waiting": PUBLIC_ENTRY}

QUEUE: Final[Form] = {
    **_ROOM,
    **_keys("barberId shopId businessDate status updatedAt"),
    **_LINE,
    "skipped": PUBLIC_ENTRY,
    "counts": _keys("waiting completed cancelled skipped"),
}
BOOKING: Final[Form] = {
    **_ROOM,
    **_keys(
        "bookingId shopId barberId tokenNumber status position aheadCount estimatedWaitTime servingToken updatedAt"
    ),
    "cause": {**_CAUSE, "bookingId": None},
    "estimatedWait": _WAIT,
}
DISPLAY: Final[Form] = {
    **_ROOM,
    **_keys("shopId shopName serverTime"),
    "queues": {**_keys("barberId barberName status waitingCount"), **_LINE, "estimatedWait": _WAIT},
    "calls": _keys("callId tokenNumber barberId barberName at"),
}
FORMS: Final = {"queue_updated": QUEUE, "booking_updated": BOOKING, "display_updated": DISPLAY}

_PRIVATE: Final = ("customerName", "notes", "customerId", "phoneSealed")
"""What a booking is born with and only staff may see."""
_BY_CUSTOMERS: Final = frozenset({"customer", "guest"})
_TELLING: Final = 4
"""A word that is shorter may stand in others by chance: it has to be the whole value."""


def leaks(form: Form, value: Any, words: Iterable[str] = (), path: str = "") -> list[str]:  # noqa: ANN401 - any JSON
    """Where a state has a key that its form has not, or a value with one of these private words in it."""
    texts: dict[str, str] = {}
    found = _strays(form, value, path, texts)
    for text, where in texts.items():
        found += [
            f"{where} tells {word!r}" for word in words if word == text or (len(word) >= _TELLING and word in text)
        ]
    return found


def _strays(form: Form | None, value: Any, path: str, texts: dict[str, str]) -> list[str]:  # noqa: ANN401 - any JSON
    """Keys that are not of the form. texts: takes every string of the value, and where it stands."""
    if isinstance(value, list):
        return [stray for each in value for stray in _strays(form, each, f"{path}[]", texts)]
    if isinstance(value, dict):
        if form is None:
            return [f"{path} is an object"]
        found = [f"{path}.{key}" for key in value.keys() - form.keys()]
        for key in value.keys() & form.keys():
            found += _strays(form[key], value[key], f"{path}.{key}", texts)
        return found
    if isinstance(value, str):
        texts.setdefault(value, path)
    return []


class Watch:
    """Looks at every public state, and remembers what is wrong with it: an error in a server's task fails no test."""

    def __init__(self) -> None:
        self.seen = 0
        self._found: list[str] = []

    def look(self, event: str, state: Mapping[str, Any], words: Iterable[str] = ()) -> None:
        """words: what must not be in it."""
        self.seen += 1
        self._found += [f"{event}{leak}" for leak in leaks(FORMS[event], state, words)]
        cause = state.get("cause") or {}
        if event != "booking_updated" and "reason" in cause and cause["actorRole"] in _BY_CUSTOMERS:
            self._found.append(f"{event}.cause.reason is a customer's")

    def take(self) -> list[str]:
        """What was found since it was asked last."""
        found, self._found = self._found, []
        return found


WATCH: Final = Watch()
"""The session's: servers in this process and clients of any server tell it."""


@contextmanager
def watched_builders(watch: Watch) -> Iterator[None]:
    """Every StateBuilder of this process shows its public states to the watch."""
    queue, display, booking = StateBuilder.queue, StateBuilder.display, StateBuilder.booking

    def watched_queue(self: StateBuilder, state: ShopState, line: Line, *, full: bool) -> QueueUpdated:
        made = queue(self, state, line, full=full)
        if not full:
            watch.look("queue_updated", made, _private_words(state, line.queue.cause))
        return made

    def watched_display(
        self: StateBuilder, state: ShopState, shop: Shop, lines: dict[str, Line], last: Json | None
    ) -> DisplayUpdated:
        made = display(self, state, shop, lines, last)
        watch.look("display_updated", made, _private_words(state, last))
        return made

    def watched_booking(self: StateBuilder, state: ShopState, own: Json, line: Line | None) -> BookingUpdated:
        made = booking(self, state, own, line)
        watch.look("booking_updated", made, _private_words(state, None) - {own["bookingId"]})
        return made

    with pytest.MonkeyPatch.context() as patch:
        for name, made in (("queue", watched_queue), ("display", watched_display), ("booking", watched_booking)):
            patch.setattr(StateBuilder, name, made)
        yield


def _private_words(state: ShopState, cause: Json | None) -> set[str]:
    """What the view knows and staff alone may see: who is in the shop's lines, and why a customer did what it did."""
    words = {*state.bookings, *state.ended}
    for each in (*state.born.values(), *state.bookings.values()):
        words |= {each[name] for name in _PRIVATE if isinstance(each.get(name), str) and each[name]}
    if cause is not None and cause["actor"]["role"] in _BY_CUSTOMERS and cause.get("reason"):
        words.add(cause["reason"])
    return words
