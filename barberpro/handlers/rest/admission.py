"""Who comes in to /api/, and gets a screen's token: whoever has no token or a good one, as often as is allowed."""

import ipaddress
import re
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from barberpro.domain.identity import Identity
from barberpro.handlers.ratelimit import RateLimiter
from barberpro.handlers.rest.context import IDENTITY, QUOTA
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_COUNTED: Final = re.compile(r"/api/.*|/display/[^/]+/token")


def admission(limiter: RateLimiter) -> Middleware:
    """The middleware that identifies and counts. Health and pages are for everybody, at any rate."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _COUNTED.fullmatch(request.path):
            await _admit(request, limiter)
        return await handler(request)

    return admit


async def _admit(request: web.Request, limiter: RateLimiter) -> None:
    """Raises UNAUTHORIZED, TOKEN_EXPIRED (for a bad token on any path, a public one too), RATE_LIMIT_EXCEEDED."""
    try:
        known = _identify(request)
    except BarberProError:
        await _count(request, None, limiter)  # before it is told: guessing tokens is not free
        raise
    await _count(request, known, limiter)
    if known is not None:
        request[IDENTITY] = known


async def _count(request: web.Request, known: Identity | None, limiter: RateLimiter) -> None:
    """Raises RATE_LIMIT_EXCEEDED."""
    quota = await limiter.take(f"user:{known.actor.id}" if known is not None else f"ip:{network_of(request.remote)}")
    if quota is not None:
        request[QUOTA] = quota
        if not quota.allowed:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=quota.retry_after)


def _identify(request: web.Request) -> Identity | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BarberProError(ErrorCode.UNAUTHORIZED)
    return request.app[SERVICES].tokens.verify(token.strip())


def network_of(remote: str | None) -> str:
    """A caller's address; of an IPv6 one the /64, which is what a single household or server is given."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return "unknown"  # a Unix socket
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)  # how a socket for both shows an IPv4 caller
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
