"""Who comes in: nobody from an address that is blocked; whoever has no token or a good one, as often as is allowed."""

import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from barberpro.domain.identity import Identity
from barberpro.handlers.callers import network_of
from barberpro.handlers.ratelimit import Subjects
from barberpro.handlers.ratelimit.rules import ACTIONS, Action
from barberpro.handlers.rest.context import ADDRESS, IDENTITY, QUOTA, REQUEST_ID
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_ALWAYS: Final = re.compile(r"/health/(live|ready)|/metrics")
_COUNTED: Final = re.compile(r"/api/.*|/display/[^/]+/token")
_SOCKETS: Final = re.compile(r"/ws/.*|/socket\.io/.*")
_POLLS: Final = "/socket.io/"


@web.middleware
async def admission(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Identifies and counts. Health is told to everybody, at any rate; pages to all who are not blocked."""
    if not _ALWAYS.fullmatch(request.path):
        await _admit(request)
    return await handler(request)


async def _admit(request: web.Request) -> None:
    """Raises UNAUTHORIZED, TOKEN_EXPIRED (for a bad token on any path, a public one too), RATE_LIMIT_EXCEEDED."""
    services = request.app[SERVICES]
    request[ADDRESS] = services.proxies.address(request)
    network, known, problem = network_of(request[ADDRESS]), None, None
    if _COUNTED.fullmatch(request.path):
        try:
            known = _identify(request)
        except BarberProError as error:
            problem = error
    if known is None or known.actor.role is not Role.ADMIN:  # who could not lift a block from behind it
        services.gate.refuse_blocked(network)
    for action in _actions(request):
        await _count(request, action, Subjects(network, known.actor.id if known is not None else None))
    if problem is not None:  # not before it is counted: guessing tokens is not free
        raise problem
    if known is not None:
        request[IDENTITY] = known


async def _count(request: web.Request, action: Action, subjects: Subjects) -> None:
    """Raises RATE_LIMIT_EXCEEDED."""
    quota = await request.app[SERVICES].gate.count(action, subjects, request[REQUEST_ID])
    if quota is None:
        return
    told = request.get(QUOTA)
    if told is None or not quota.allowed or quota.remaining < told.remaining:
        request[QUOTA] = quota
    quota.check()


def _actions(request: web.Request) -> list[Action]:
    if _SOCKETS.fullmatch(request.path):
        polls = request.path == _POLLS and "sid" in request.query  # of a connection that was counted
        return [] if polls else [Action.HANDSHAKE]
    if not _COUNTED.fullmatch(request.path):
        return []
    special = ACTIONS.get((request.method, request.path))
    return [Action.REQUEST] if special is None else [Action.REQUEST, special]


def _identify(request: web.Request) -> Identity | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BarberProError(ErrorCode.UNAUTHORIZED)
    return request.app[SERVICES].tokens.verify(token.strip())
