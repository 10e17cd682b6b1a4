"""Documents of an export: one JSON object a line, in any of the shapes that exporters write.

| Shape | |
|---|---|
| plain | `{"bookingId": "a", "status": ...}`; or the id as `id`, `_id`, `__id__`, `__name__`, `docId`, ... |
| wrapped | `{"id": "a", "data": {...}}` |
| Firestore's REST API | `{"name": "projects/.../documents/bookings/a", "fields": {"status": {"stringValue": ...}}}` |
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import orjson

from barberpro.domain.importing import values

Json = dict[str, Any]
Read = TypeVar("Read")

_BESIDE: Final = ("__id__", "__name__", "_id", "id", "docId", "documentId")
_WRAPPED: Final = ("data", "document")
_TYPED: Final = (
    "stringValue", "integerValue", "doubleValue", "booleanValue", "timestampValue", "referenceValue", "nullValue",
)  # fmt: skip
_SPREAD: Final = "metadata"


class NotTakenError(Exception):
    """A row cannot be taken: its field, if it is one's fault, and the reason."""

    def __init__(self, field: str | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A field without which the row is taken; None: the row as a whole."""

    field: str | None
    reason: str


@dataclass(slots=True)
class Fields:
    """A document's fields: each is asked for by name, and what nobody asked for is told at the end."""

    source_id: str | None
    data: Json
    problems: list[LeftOut] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def need(self, name: str, read: Callable[[object], Read]) -> Read:
        """Raises NotTakenError when it is missing or cannot be read."""
        value = self.raw(name)
        if value is None:
            raise NotTakenError(name, "is missing")
        try:
            return read(value)
        except ValueError as error:
            raise NotTakenError(name, str(error)) from None

    def take(self, name: str, read: Callable[[object], Read]) -> Read | None:
        """None when it is not there; or when it cannot be read, which is told."""
        value = self.raw(name)
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            self.leave_out(name, str(error))
            return None

    def raw(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The value, or None; an empty text is none, since forms write that."""
        self._asked.add(name)
        value = self.data.get(name)
        return None if value == "" else value

    def leave_out(self, name: str, reason: str) -> None:
        """The row is taken without this field."""
        self.problems.append(LeftOut(name, reason))

    def known(self, names: Iterable[str]) -> None:
        """These have no place here, and that is known."""
        self._asked.update(names)

    def tell_unknown(self) -> None:
        for name in self.data.keys() - self._asked:
            self.leave_out("".join(each if each.isprintable() else "?" for each in name[:100]), "is not known")
        self.problems.sort(key=lambda problem: problem.field or "")


def fields_of(line: bytes, inside: tuple[str, ...]) -> Fields:
    """inside: the fields in which the document's id may stand, the first that does. Raises NotTakenError."""
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise NotTakenError(None, "is no JSON") from None
    if not isinstance(told, dict):
        raise NotTakenError(None, "is no JSON object")
    beside, data = _unwrapped(told)
    for name in _BESIDE:
        if beside is None and name not in inside and name in data:
            beside = data.pop(name)
    metadata = data.get(_SPREAD)
    if isinstance(metadata, dict):
        del data[_SPREAD]
        data |= {f"{_SPREAD}.{name}": value for name, value in metadata.items()}
    fields = Fields(None, data)
    own = [value for value in (fields.raw(name) for name in inside) if value is not None]
    try:
        fields.source_id = values.identifier(beside if beside is not None else own[0] if own else None)
    except ValueError as error:
        raise NotTakenError(inside[0], "is missing" if beside is None and not own else str(error)) from None
    return fields


def _unwrapped(told: Json) -> tuple[object, Json]:
    """The id that stands beside the data, if one does, and the data."""
    if isinstance(told.get("fields"), dict) and "name" in told:
        return told["name"], {name: _plain(value) for name, value in told["fields"].items()}
    for wrapper in _WRAPPED:
        if isinstance(told.get(wrapper), dict):
            beside = next((told[name] for name in _BESIDE if told.get(name) is not None), None)
            return beside, dict(told[wrapper])
    return None, told


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value of Firestore's REST API without its type's name."""
    if not isinstance(value, Mapping):
        return value
    for name in _TYPED:
        if name in value:
            return value[name]
    match value:
        case {"mapValue": {"fields": dict() as fields}}:
            return {name: _plain(inner) for name, inner in fields.items()}
        case {"arrayValue": {"values": list() as inners}}:
            return [_plain(inner) for inner in inners]
        case {"mapValue": {}}:
            return {}
        case {"arrayValue": {}}:
            return []
    return dict(value)


def digest_of(line: bytes) -> bytes:
    """Tells whether a document says what it said before; of its text, not of its meaning."""
    return hashlib.blake2b(line.strip(), digest_size=8).digest()
