"""Query parameters: words, and what they stand for."""

from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field

from barberpro.protocol.commands import Wire

_FLAGS: Final = {"true": True, "false": False}


def _flag(text: object) -> bool:
    if not isinstance(text, str) or text not in _FLAGS:
        raise ValueError("is neither true nor false")
    return _FLAGS[text]


Flag = Annotated[bool, BeforeValidator(_flag)]
Cursor = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_.=-]*$")]
"""Opaque: from `meta.nextCursor` of the page before."""


class Query(Wire):
    """Base of all queries: as `Wire`, from texts."""

    model_config = ConfigDict(strict=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The parameters, as a caller writes them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())
