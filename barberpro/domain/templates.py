"""What letters say: plain files, `letters/<language>/<template>.<channel>.txt`, with {fields} to fill in.

The first line of a mail is its subject, then comes an empty line; an SMS is one text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

FALLBACK: Final = "en"
"""For languages in which a letter is not written yet."""
_LETTERS: Final = resources.files("barberpro.domain") / "letters"


@dataclass(frozen=True, slots=True)
class Text:
    """subject: empty for an SMS."""

    subject: str
    body: str


def render(channel: str, template: str, language: str, fields: Mapping[str, str]) -> Text:
    """The letter in the language, or in that of which it is a kind (`pt-BR` -> `pt`), or in English.

    Raises LookupError when there is no such template, or a field of it is missing. A field's line breaks become spaces:
    none of them can begin a header or a line of its own.
    """
    filled = {name: " ".join(value.split()) for name, value in fields.items()}
    for each in (language, language.partition("-")[0], FALLBACK):
        if (each, f"{template}.{channel}") in _all():
            whole = _all()[each, f"{template}.{channel}"].format_map(filled)
            subject, _, body = whole.partition("\n\n") if channel == "email" else ("", "", whole)
            return Text(subject.strip(), body.strip())
    raise LookupError(f"there is no letter {template!r} for {channel}")


@cache
def _all() -> dict[tuple[str, str], str]:
    """By language and name. Blocking, the first time: they are read as soon as this module is."""
    return {
        (language.name, file.name.removesuffix(".txt")): file.read_text(encoding="utf-8")
        for language in _LETTERS.iterdir()
        if language.is_dir()
        for file in language.iterdir()
        if file.name.endswith(".txt")
    }


_all()
