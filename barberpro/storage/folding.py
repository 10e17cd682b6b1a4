"""Words as they are searched: in any script and spelling, with typos forgiven.

A word is folded to plain letters (AnyASCII), and spellings of one sound to one of them, as Indian names have many:
Sandeep is Sandip, Laxmi is Lakshmi, Sidharth is Siddharth. Words of different scripts share their consonants: a script
writes the vowels that another leaves out. What a word may be found by are its keys, and a typed word finds whatever has
one of its keys, so that an index on sets of numbers answers:

- alike: from each one letter may be dropped, if it has at least four, and they are the same. So one letter may be
  wrong, missing, too many, or swapped with its neighbour;
- begun: the word begins with the three letters or more that were typed;
- in another script: both have the same consonants.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from anyascii import anyascii

_WORD: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = re.compile("['\u2019\u02bc]")
_SPELLINGS: Final = (
    ("ph", "f"),
    ("x", "ks"),
    ("ck", "k"),
    ("q", "k"),
    ("w", "v"),
    ("ee", "i"),
    ("oo", "u"),
)
_WITHIN: Final = re.compile(r"(?<=.)h")
"""Written or not: Siddhartha, Mohamed, Chhaya."""
_DOUBLED: Final = re.compile(r"(.)\1+")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_DROPPED_FROM: Final = 4
"""Letters of a word from which one may be dropped: of shorter ones too little would be left."""
_BEGUN_WITH: Final = 3
_MOST_WORDS: Final = 8
"""That are typed; the others are not looked at."""


class Word(NamedTuple):
    """latin: written in Latin letters, or in figures."""

    letters: str
    latin: bool


def words(text: str) -> list[Word]:
    """The text's words, folded, in order."""
    plain = _APOSTROPHES.sub("", unicodedata.normalize("NFC", text))
    found = ((_folded(each), _is_latin(each)) for each in _WORD.findall(_whole_letters(plain)))
    return [Word(letters, latin) for letters, latin in found if letters]


def keys(*texts: str) -> list[int]:
    """What each word of the texts, and each two that stand side by side, may be found by."""
    return sorted(frozenset().union(*map(_keys_of, texts)))


@lru_cache(maxsize=8192)
def _keys_of(text: str) -> frozenset[int]:
    """Kept, as services have the same names everywhere."""
    told = words(text)
    found = {first.letters + second.letters for first, second in pairwise(told)}
    for word in told:
        found.update(_keys(word), _beginnings(word.letters))
    return frozenset(map(_number, found))


def wanted(text: str) -> list[list[int]]:
    """For each word that was typed, the keys of which one has to be there.

    Two typed words may stand for one: "hair cut" finds "haircut".
    """
    typed = words(text)[:_MOST_WORDS]
    pairs = [Word(first.letters + second.letters, first.latin and second.latin) for first, second in pairwise(typed)]
    return [
        sorted({_number(key) for each in (word, *pairs[max(0, place - 1) : place + 1]) for key in _asked(each)})
        for place, word in enumerate(typed)
    ]


def _keys(word: Word) -> Iterator[str]:
    yield from _one_dropped(word.letters)
    yield from _sounds("latin" if word.latin else "other", word.letters)


def _asked(word: Word) -> Iterator[str]:
    yield from _one_dropped(word.letters)
    yield from _sounds("other" if word.latin else "latin", word.letters)
    if len(word.letters) >= _BEGUN_WITH:
        yield f"{word.letters}~"


def _one_dropped(letters: str) -> Iterator[str]:
    """The word itself, too."""
    yield letters
    if len(letters) >= _DROPPED_FROM:
        yield from (letters[:place] + letters[place + 1 :] for place in range(len(letters)))


def _sounds(script: str, letters: str) -> Iterator[str]:
    consonants = _consonants(letters)
    if len(consonants) > 1:
        yield f"{script}={consonants}"


def _beginnings(letters: str) -> Iterator[str]:
    yield from (f"{letters[:end]}~" for end in range(_BEGUN_WITH, len(letters) + 1))


def _whole_letters(text: str) -> str:
    """Without marks that are no letters of their own in Latin, and with those that are in other scripts: in Devanagari
    a vowel is one, and would end the word.
    """
    return "".join(anyascii(each) if unicodedata.category(each)[0] == "M" else each for each in text)


def _folded(word: str) -> str:
    letters = re.sub(r"[^a-z0-9]", "", anyascii(word).casefold())
    for spelling, one in _SPELLINGS:
        letters = letters.replace(spelling, one)
    return _DOUBLED.sub(r"\1", _WITHIN.sub("", letters))


def _consonants(letters: str) -> str:
    """A vowel at the beginning is told by `a`, and m and n are one: a dot stands for either."""
    rest = _VOWELS.sub("", letters[1:]).replace("m", "n").replace("c", "s")
    return _DOUBLED.sub(r"\1", _VOWELS.sub("a", letters[:1]).replace("m", "n").replace("c", "s") + rest)


def _is_latin(word: str) -> bool:
    return unicodedata.name(word[0], "").startswith(("LATIN", "DIGIT"))


def _number(key: str) -> int:
    return zlib.crc32(key.encode()) - 2**31
