"""What the middlewares find out about a request, for those behind them."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from barberpro.domain.identity import Identity
from barberpro.handlers.agents import agent_of
from barberpro.handlers.ratelimit import Quota
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import ID_PATTERN

REQUEST_ID: Final = web.RequestKey("request_id", str)
IDENTITY: Final = web.RequestKey("identity", Identity)
QUOTA: Final = web.RequestKey("quota", Quota)
ADDRESS: Final[web.RequestKey[str | None]] = web.RequestKey("address")
"""Where it came from, seen through the proxies that are trusted; None on a Unix socket."""
COMMAND_ID: Final = web.RequestKey("command_id", str)
OWN_HEADERS: Final[web.RequestKey[Mapping[str, str]]] = web.RequestKey("own_headers")
"""Of the endpoint, on whatever it answers."""

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_ID: Final = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether it could be an id of ours; Postgres must not be asked for what cannot (it may hold a NUL)."""
    return _ID.fullmatch(text) is not None


def via_of(request: web.Request) -> Via:
    """How the request came, for the audit log."""
    return Via(request[REQUEST_ID], request[ADDRESS], agent_of(request.headers))


def identity_if_any(request: web.Request) -> Identity | None:
    """Who asks; None when the request came without a token."""
    return request.get(IDENTITY)


def actor_if_any(request: web.Request) -> Actor | None:
    """Who asks; None when the request came without a token."""
    known = identity_if_any(request)
    return known.actor if known is not None else None


def identity(request: web.Request) -> Identity:
    """Who asks. Raises UNAUTHORIZED when the request came without a token."""
    known = identity_if_any(request)
    if known is None:
        raise BarberProError(ErrorCode.UNAUTHORIZED)
    return known
