"""Whole commands, and ways to spoil them. Holds no tests itself."""

from collections.abc import Iterator
from typing import Any, Final

from tests.support.shops import Json, new_id

ANY_PAYMENT: Final = {"method": "cash", "amount": "250.00", "tip": "20"}
# Documents that are right in every field, with every field that there is; the ids name nothing.
WHOLE: Final[dict[str, Json]] = {
    "join": {
        "barberId": "bb_1", "serviceIds": ["sv_1"], "customer": {"name": "Asha", "phone": "+91 98765 43210"},
        "notes": "short",
    },
    "check_in": {"bookingId": "bk_1_1"},
    "start": {"barberId": "bb_1"},
    "complete": {"bookingId": "bk_1_1", "payment": ANY_PAYMENT},
    "advance": {"barberId": "bb_1", "payment": ANY_PAYMENT},
    "skip": {"bookingId": "bk_1_1", "reason": "late"},
    "no_show": {"bookingId": "bk_1_1"},
    "recall": {"bookingId": "bk_1_1", "to": "front"},
    "step_back": {"bookingId": "bk_1_1", "places": 1},
    "move": {"bookingId": "bk_1_1", "position": 2, "reason": "so"},
    "transfer": {"bookingId": "bk_1_1", "toBarberId": "bb_2"},
    "cancel": {"bookingId": "bk_1_1", "reason": "late"},
    "open": {"barberId": "bb_1"},
    "pause": {"barberId": "bb_1", "reason": "lunch"},
    "close": {"barberId": "bb_1", "waiting": "keep"},
}  # fmt: skip


def whole(kind: str) -> Json:
    return {"commandId": new_id(), "type": kind, "expect": {"seq": 0}, **WHOLE[kind]}


def paths(document: Json) -> Iterator[tuple[str, ...]]:
    """Where the fields of a document are, those of objects within it too."""
    for name, value in document.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *inner) for inner in paths(value))


def changed(document: Json, path: tuple[str, ...], value: Any) -> Json:  # noqa: ANN401 - any JSON
    """The document with another value at this place; without the field when the value is `...`."""
    first, *rest = path
    if rest:
        return {**document, first: changed(document[first], tuple(rest), value)}
    if value is ...:
        return {name: kept for name, kept in document.items() if name != first}
    return {**document, first: value}
