"""What is said of an endpoint: its handler's docstring, without the method and the path that it begins with."""

import inspect
import re
from typing import Final

from barberpro.handlers.rest.operations import Operation, Plain

_HEAD: Final = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /\S+?(?: and [./a-z]+)?(?:: |\.\s+|\.?$)")


def words_of(route: Operation | Plain) -> str:
    """In one piece; empty where the docstring says no more than the path."""
    told = getattr(route, "words", None) or (route.call.__doc__ if route.call is not None else None)
    told = _HEAD.sub("", inspect.cleandoc(told or ""), count=1).strip()
    return told[:1].upper() + told[1:]
