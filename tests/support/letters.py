"""What is said in letters before they are sealed, for tests of what they lead to. Holds no tests itself."""

from urllib.parse import urlsplit

import pytest

from barberpro.domain.accounts import challenges
from barberpro.domain.outbox import Letter, post


def read_letters(monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """Those that ways into accounts post from now on, as they come."""
    letters: list[Letter] = []

    async def seen(connection: object, sealer: object, letter: Letter) -> None:
        letters.append(letter)
        await post(connection, sealer, letter)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(challenges, "post", seen)
    return letters


def link_of(letter: Letter) -> str:
    """Where its link leads, on whatever host: path and fragment."""
    parts = urlsplit(letter.fields["link"])
    return f"{parts.path}#{parts.fragment}"
