"""Who comes in: nobody from an address that is blocked; whoever has no token or a good one, as often as is allowed."""

import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from barberpro.domain.identity import Identity
from barberpro.handlers.callers import network_of
from barberpro.handlers.ratelimit import Subjects, counted_user
from barberpro.handlers.ratelimit.rules import RATED, Rated
from barberpro.handlers.rest.context import ADDRESS, IDENTITY, QUOTA, REQUEST_ID
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_ALWAYS: Final = re.compile(r"/health/(live|ready)|/metrics")
_COUNTED: Final = re.compile(r"/api/.*|/display/[^/]+/token")
"""What looks into the stores. Pages are files that are kept."""
_SOCKETS: Final = re.compile(r"/ws/.*|/socket\.io/.*")
_BY_A_SECRET: Final = re.compile(r"/api/v1/auth/(?!(logout|me|sessions|account)\b).+")
"""Where the body shows who one is: a token that has ended beside it, as apps send with all they ask, does no harm."""
_POLLS: Final = "/socket.io/"


@web.middleware
async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Identifies and counts. Health is told to everybody, at any rate; pages to all who are not blocked."""
    if not _ALWAYS.fullmatch(request.path):
        await _admit(request)
    return await handler(request)


async def _admit(request: web.Request) -> None:
    """Raises RATE_LIMIT_EXCEEDED, UNAUTHORIZED, TOKEN_EXPIRED (for a bad token on any path but sign-in's)."""
    services = request.app[SERVICES]
    request[ADDRESS] = services.proxies.address(request)
    network, known, bad = network_of(request[ADDRESS]), None, False
    if _COUNTED.fullmatch(request.path):
        try:
            known = _identify(request)
        except BarberProError:
            bad = True
    if known is None or known.actor.role is not Role.ADMIN:  # who could not lift a block from behind it
        services.gate.refuse_blocked(network)
    subjects = Subjects(network, counted_user(known.actor if known is not None else None))
    for rated in _rated(request):
        await _count(request, rated, subjects)
    if bad and not _BY_A_SECRET.fullmatch(request.path):
        _identify(request)  # raises, now that it is counted: guessing tokens is not free
    if known is not None:
        request[IDENTITY] = known


async def count_handshake(request: web.Request) -> None:
    """Of a connection that is only found out to be a new one behind this. Raises RATE_LIMIT_EXCEEDED."""
    await _count(request, Rated.HANDSHAKE, Subjects(network_of(request[ADDRESS])))


async def _count(request: web.Request, rated: Rated, subjects: Subjects) -> None:
    """Raises RATE_LIMIT_EXCEEDED."""
    quota = await request.app[SERVICES].gate.count(rated, subjects, request[REQUEST_ID])
    if quota is None:
        return
    told = request.get(QUOTA)
    if told is None or not quota.allowed or quota.remaining < told.remaining:
        request[QUOTA] = quota
    quota.check()


def _rated(request: web.Request) -> list[Rated]:
    if _SOCKETS.fullmatch(request.path):
        # Of a connection that was counted; the door counts those that name one that it does not know.
        polls = request.path == _POLLS and "sid" in request.query
        return [] if polls else [Rated.HANDSHAKE]
    if not _COUNTED.fullmatch(request.path):
        return []
    special = RATED.get((request.method, request.path))
    return [Rated.REQUEST] if special is None else [Rated.REQUEST, special]


def _identify(request: web.Request) -> Identity | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BarberProError(ErrorCode.UNAUTHORIZED)
    return request.app[SERVICES].tokens.verify(token.strip())
