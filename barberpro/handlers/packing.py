"""Bodies that are kept packed as well: who is given which."""

from typing import Final

from aiohttp import hdrs, web

_NEVER: Final = {"q=0", "q=0.0", "q=0.00", "q=0.000"}


def takes_gzip(request: web.Request) -> bool:
    """Whether the client says that it unpacks gzip (RFC 9110, section 12.5.3)."""
    for coding in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.strip() not in _NEVER
    return False
