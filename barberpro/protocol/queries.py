"""Query parameters: words, and what they stand for."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field

from barberpro.protocol.commands import Wire

_FLAGS: Final = {"true": True, "false": False}
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")


def _flag(text: object) -> bool:
    if not isinstance(text, str) or text not in _FLAGS:
        raise ValueError("is neither true nor false")
    return _FLAGS[text]


def _whole(text: object) -> object:
    """pydantic takes `1_000` and ` 7.0 ` for whole numbers, too."""
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("is not a whole number")
    return text


def _number(text: object) -> object:
    """As JSON writes it; pydantic takes `1_2`, ` 12 ` and `12.`, too."""
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise ValueError("is not a number")
    return text


Flag = Annotated[bool, BeforeValidator(_flag)]
Whole: Final = BeforeValidator(_whole)
Number: Final = BeforeValidator(_number)
Cursor = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_.=-]*$")]
"""Opaque: from `meta.nextCursor` of the page before."""
TimeCursor = Annotated[str, Field(pattern=r"^[0-9]{1,18}\.[A-Za-z0-9_/-]{1,90}$")]
"""As Cursor, of a list by time: `<microseconds since 1970>.<id>`."""


class Query(Wire):
    """Base of all queries: as `Wire`, from texts."""

    model_config = ConfigDict(strict=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The parameters, as a caller writes them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


class Listing(Query):
    """Of a list by time."""

    limit: Annotated[int, Field(ge=1, le=200), Whole] = 50
    cursor: TimeCursor | None = None
