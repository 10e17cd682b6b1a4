"""Letters for a developer to read: printed, and sent to nobody."""

import sys
from collections.abc import Callable

from barberpro.domain.delivery import Unsent
from barberpro.domain.templates import Text


def _print(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


class Console:
    """For development only: codes are in it."""

    def __init__(self, channel: str, write: Callable[[str], None] = _print) -> None:
        self._channel = channel
        self._write = write

    async def send(self, letter_id: str, to: str, text: Text) -> str | None:
        subject = f"Subject: {text.subject}\n" if text.subject else ""
        self._write(f"--- {self._channel} {letter_id}\nTo: {to}\n{subject}{text.body}\n---\n")
        return None

    async def close(self) -> None:
        """Nothing is open."""


class Nowhere:
    """Where production was told no way out: letters wait, and it is told why."""

    def __init__(self, setting: str) -> None:
        """setting: what is missing."""
        self._why = f"{setting} is not set"

    async def send(self, _letter_id: str, _to: str, _text: Text) -> str | None:
        raise Unsent(self._why)

    async def close(self) -> None:
        """Nothing is open."""
