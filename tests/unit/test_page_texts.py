"""What the pages say, in every language that they have."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import barberpro.clients

_WEB: Final = Path(barberpro.clients.__file__).parent / "web"
_NAME: Final = re.compile(r"([a-z]+)\.([a-z]{2})\.json")


def _texts() -> dict[str, dict[str, dict[str, Any]]]:
    """By page and language."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for path in sorted(_WEB.glob("*.json")):
        match = _NAME.fullmatch(path.name)
        assert match is not None, path.name
        found[match[1]][match[2]] = json.loads(path.read_text())
    return found


def _fields(text: str | dict[str, str]) -> set[str]:
    """The names that a text has holes for; of plural forms, in any of them."""
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


def test_every_page_says_the_same_things_in_english_hindi_and_arabic_at_least() -> None:
    for page, languages in _texts().items():
        assert languages.keys() >= {"en", "hi", "ar"}, page
        english = languages["en"]
        for language, words in languages.items():
            assert words.keys() == english.keys(), (page, language)
            for key, text in words.items():
                assert _fields(text) == _fields(english[key]), (page, language, key)
                assert not isinstance(text, dict) or "other" in text, (page, language, key)
