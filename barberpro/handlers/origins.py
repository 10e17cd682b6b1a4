"""Which web pages may ask and connect: the rule of every door."""

from collections.abc import Sequence
from typing import Literal

Origins = Sequence[str] | Literal["*"]
"""Those that are set, such as https://shop.example, beside the server's own; "*" for all."""


def welcome(origin: str | None, host: str | None, origins: Origins) -> bool:
    """origin, host: the headers. Programs that are no browsers send no Origin; the server's own pages send its host.

    Whether those came over TLS only a proxy knows, so either scheme is the server's own.
    """
    own = {f"http://{host}", f"https://{host}"} if host else set()
    return origin is None or origins == "*" or origin in origins or origin in own
