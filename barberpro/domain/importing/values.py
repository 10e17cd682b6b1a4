"""Values as exports have them, read leniently: numbers as texts, times in five shapes.

Every reader raises ValueError with words that do not repeat the value: it may be somebody's number.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import phonenumbers
from pydantic import TypeAdapter, ValidationError

from barberpro.protocol.accounts import Email, FullPhone
from barberpro.protocol.commands import Name, Reason
from barberpro.protocol.currencies import decimals_of
from barberpro.protocol.ratings import ReviewText
from barberpro.protocol.shops import PhotoUrl
from barberpro.protocol.times import parse_moment

Read = TypeVar("Read")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS_BELOW: Final = 100_000_000_000
"""A number below is seconds: as milliseconds it would be a time before 1974, when nobody booked by phone."""
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,15}")
_MOST: Final = Decimal(10) ** 9
_FLOAT_NOISE: Final = Decimal("0.000001")
_SECONDS: Final = ("_seconds", "seconds")
_NANOSECONDS: Final = ("_nanoseconds", "nanoseconds", "nanos")


def _by(model: TypeAdapter[str]) -> Callable[[object], str]:
    """A reader of texts that the protocol has a type for."""

    def read(value: object) -> str:
        try:
            return model.validate_python(value)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    return read


name: Final = _by(TypeAdapter(Name))
reason: Final = _by(TypeAdapter(Reason))
review: Final = _by(TypeAdapter(ReviewText))
photo: Final = _by(TypeAdapter(PhotoUrl))
email: Final = _by(TypeAdapter(Email))
_full_phone: Final = _by(TypeAdapter(FullPhone))


def phone(country: str) -> Callable[[object], str]:
    """A reader of numbers; one without its country's code is of this country (ISO 3166, two letters)."""

    def read(value: object) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(text, str) and len(text) <= 40 and not text.strip().startswith("+"):
            try:
                number = phonenumbers.parse(text, country)
            except phonenumbers.NumberParseException:
                raise ValueError("is no telephone number") from None
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return _full_phone(text)

    return read


def text(value: object) -> str:
    """Any that is not empty; at most 200 characters."""
    if isinstance(value, str) and 0 < len(value.strip()) <= 200:
        return value.strip()
    raise ValueError("is no text of 1 to 200 characters")


def identifier(value: object) -> str:
    """A document's id, or a reference to one: of a path the last part."""
    told = value.get("path", value.get("_path")) if isinstance(value, dict) else value
    if isinstance(told, dict):
        segments = told.get("segments")
        told = "/".join(map(str, segments)) if isinstance(segments, list) else None
    if isinstance(told, int) and not isinstance(told, bool):
        told = str(told)
    last = told.strip().rpartition("/")[2] if isinstance(told, str) else ""
    if not 0 < len(last) <= 128 or not last.isprintable():
        raise ValueError("is no id of 1 to 128 characters")
    return last


def whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = _whole(value)
        if number is None:
            raise ValueError("is no whole number")
        if not least <= number <= most:
            raise ValueError(f"is not from {least} to {most}")
        return number

    return read


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) else None


def number(value: object) -> Decimal:
    """From 0 to a milliard."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("is no number")
    try:
        read = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not read.is_finite():
        raise ValueError("is no number")
    if not 0 <= read < _MOST:
        raise ValueError("is not from 0 to 999999999")
    return read


def amount(currency: str) -> Callable[[object], Decimal]:
    """A reader of amounts. The noise of a sum of floats is taken off; a true fraction of the least coin is refused."""
    unit = Decimal(1).scaleb(-decimals_of(currency))

    def read(value: object) -> Decimal:
        told = number(value)
        rounded = told.quantize(unit)
        if abs(told - rounded) > (_FLOAT_NOISE if isinstance(value, float) else 0):
            raise ValueError(f"has more decimals than {currency}")
        return rounded

    return read


def moment(value: object) -> datetime:
    """RFC 3339; milliseconds or seconds of the epoch, as a number or a text; Firestore's seconds and nanoseconds."""
    read = _moment(value)
    if not _FIRST <= read < _LAST:
        raise ValueError("is not a time of this century")
    return read.replace(microsecond=read.microsecond // 1000 * 1000)


def _moment(value: object) -> datetime:
    if isinstance(value, Mapping):
        return _of_parts(value)
    told = _whole(value)
    if told is None and isinstance(value, float):
        told = int(value) if abs(value) < 1e18 else None  # NaN is below nothing
    if told is None:
        return parse_moment(value)
    return _of_millis(told * 1000 if abs(told) < _SECONDS_BELOW else told)


def _of_parts(value: Mapping[Any, Any]) -> datetime:
    seconds = next((_whole(value[name]) for name in _SECONDS if name in value), None)
    nanos = next((_whole(value[name]) for name in _NANOSECONDS if name in value), 0)
    if seconds is None or nanos is None or not 0 <= nanos < 1_000_000_000:
        raise ValueError("is no time")
    return _of_millis(seconds * 1000 + nanos // 1_000_000)


def _of_millis(millis: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError:
        raise ValueError("is out of range") from None
