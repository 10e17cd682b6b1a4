"""What is said of an endpoint: its handler's docstring, without the method and the path that it begins with."""

import inspect
import re
from typing import Final

from barberpro.handlers.rest.operations import Operation, Plain

_HEAD: Final = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /\S*?(?: and [./a-z]+)?(?:: |\.\s*|\s+-\s+)")


def words_of(route: Operation | Plain) -> str:
    """In one piece; the endpoint's name where its handler says no more than its path."""
    told = inspect.cleandoc((route.call.__doc__ if route.call is not None else None) or "")
    if isinstance(route, Plain) and route.words is not None:
        told = route.words
    told = _HEAD.sub("", told, count=1).strip()
    told = told or f"{route.name.replace('_', ' ')}."
    return told[0].upper() + told[1:]


def sentence(words: str) -> str:
    """The first one, without its full stop."""
    return re.split(r"(?<=[^.])\.(?:\s|$)", words.replace("\n", " "), maxsplit=1)[0].strip()
