"""Words find each other through keys exactly when they are alike, as the docstring of folding.py says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.storage.folding import Word, keys, wanted, words

letters = st.text(alphabet="abdeiks", min_size=1, max_size=9)


def found(typed: str, *texts: str) -> bool:
    """Whether every word that was typed is found in the texts."""
    known = set(keys(*texts))
    return all(known.intersection(asked) for asked in wanted(typed))


def alike(typed: Word, word: Word) -> bool:
    """By trying all ways, without any keys."""
    one, other = typed.letters, word.letters
    begun = len(one) >= 3 and other.startswith(one)
    return begun or bool(ways(one) & ways(other))


def ways(word: str) -> set[str]:
    """The word, and what is left of it when one letter is dropped; of a short one nothing is."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word)) if len(word) >= 4}


@given(letters, letters)
def test_two_words_find_each_other_when_they_are_alike(typed: str, text: str) -> None:
    [one], [other] = words(typed), words(text)
    assert found(typed, text) == alike(one, other)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("rajesh", "Rajesh Kumar"), ("RAJESH", "rajesh"), ("rajseh", "Rajesh"), ("rajsh", "Rajesh"),
        ("rajeesh", "Rajesh"), ("rajest", "Rajesh"), ("raj", "Rajesh"), ("kumar rajesh", "Rajesh Kumar"),
        ("sandip", "Sandeep"), ("laxmi", "Lakshmi"), ("sidharth", "Siddhartha"), ("chaya", "Chhaya"),
        ("wikram", "Vikram"), ("jose nunez", "José Núñez"), ("lukasz", "Łukasz"), ("strasse", "Straße"),
        ("zoe", "Zoë"), ("zoes", "Zoë\u2019s"), ("dsouza", "D'Souza"), ("d\u2019souza", "Dsouza"),
        ("haircut", "Hair cut"), ("hair cut", "Haircut"), ("hiarcut", "Haircut"), ("hairc", "Haircut"),
        ("rajesh", "राजेश"), ("राजेश", "Rajesh"), ("राजेश", "राजेश कुमार"), ("sandeep", "संदीप"),
        ("lakshmi", "लक्ष्मी"), ("suresh", "சுரேஷ்"), ("venkat", "వెంకట"), ("rahul", "রাহুল"),
        ("gurpreet", "ਗੁਰਪ੍ਰੀਤ"), ("muhammad", "محمد"), ("e\u0301clair", "Éclair"),
    ],
)  # fmt: skip
def test_spellings_scripts_and_typos_are_forgiven(typed: str, text: str) -> None:
    assert found(typed, text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ravi", "Ramesh"), ("raj", "Ram"), ("sam", "Sim"), ("rajesh mehta", "Rajesh Kumar"), ("esh", "Rajesh"),
        ("haircut", "Haft"), ("rajesh", "Rojas"), ("priya", "राजेश"), ("colour", "Shave"),
    ],
)  # fmt: skip
def test_other_words_are_not_found(typed: str, text: str) -> None:
    assert not found(typed, text)


@given(st.text(max_size=80))
def test_any_text_finds_itself(text: str) -> None:
    assert found(text, text)


def test_what_has_no_letter_or_figure_has_no_words() -> None:
    assert words("!? % _ \u200b \u0301 *") == []
