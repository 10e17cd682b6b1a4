"""What letters say, in each language."""

import re
from string import Formatter

import pytest

from barberpro.domain import templates
from barberpro.domain.templates import render

FIELDS = {
    "code": "123456", "minutes": "10", "link": "https://shop.test/verify?token=abc", "shop": "The Shop", "days": "7",
}  # fmt: skip
LETTERS = sorted(templates._all())


def test_every_letter_is_written_in_all_languages_of_the_pages() -> None:
    names = {name for language, name in LETTERS if language == "en"}
    assert set(LETTERS) == {(language, name) for language in ("en", "ar", "de", "es", "hi") for name in names}


@pytest.mark.parametrize(("language", "name"), LETTERS)
def test_each_letter_exists_in_english_and_fills_in_the_same_fields(language: str, name: str) -> None:
    def fields(of: str) -> set[str]:
        return {str(field) for _, field, _, _ in Formatter().parse(templates._all()[of, name]) if field}

    assert fields(language) == fields("en")
    template, _, channel = name.rpartition(".")
    text = render(channel, template, language, FIELDS)
    assert bool(text.subject) == (channel == "email")
    assert "\n" not in text.subject
    assert "{" not in text.body


def test_an_sms_in_english_fits_into_one_part() -> None:
    assert len(render("sms", "code", "en", FIELDS).body) <= 160


def test_a_language_that_is_not_there_is_its_kind_or_english() -> None:
    assert render("sms", "code", "de-AT", FIELDS) == render("sms", "code", "de", FIELDS)
    assert render("sms", "code", "fr", FIELDS) == render("sms", "code", "en", FIELDS)
    assert render("sms", "code", "../en", FIELDS) == render("sms", "code", "en", FIELDS)


def test_a_field_cannot_begin_a_line_of_its_own() -> None:
    text = render("email", "code", "en", {**FIELDS, "code": "1\r\nBcc: all@example.com\n\n{link}"})
    assert "1 Bcc: all@example.com {link}" in text.body
    assert text.subject == "Your BarberPro code"


def test_an_unknown_letter_and_a_missing_field_are_refused() -> None:
    with pytest.raises(LookupError, match=re.escape("there is no letter 'thanks' for email")):
        render("email", "thanks", "en", FIELDS)
    with pytest.raises(LookupError, match="minutes"):
        render("sms", "code", "en", {"code": "1"})
