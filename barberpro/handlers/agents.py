"""What a caller's program calls itself, fit for the audit log."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_MOST: Final = 120


def agent_of(headers: Mapping[str, str]) -> str | None:
    """The User-Agent: its first 120 characters, and only those that can be shown. None when there is none."""
    return _shown(headers.get("User-Agent", "")[: 2 * _MOST])


@lru_cache(maxsize=4096)  # thousands of sockets are of a few programs: one text for all of them
def _shown(text: str) -> str | None:
    return "".join(letter for letter in text if letter.isprintable())[:_MOST].strip() or None
