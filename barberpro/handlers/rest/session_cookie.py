"""Refresh tokens in a cookie, for the server's own pages: no script reads it there, so none can carry it away.

A request asks for it with the header `X-Refresh-Token: cookie`. Pages from elsewhere never may send that header
(cross_origin.py), whether or not they may ask; and SameSite=Strict keeps the cookie out of what they ask.
"""

import time
from http.cookies import SimpleCookie
from typing import Final

from aiohttp import hdrs, web

from barberpro.domain.accounts.sessions import Grant
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

HEADER: Final = "X-Refresh-Token"
_NAME: Final = "barberpro"
_PATH: Final = "/api/v1/auth"
"""Sent nowhere else, and read by /auth/refresh alone."""


def by_cookie(request: web.Request) -> bool:
    """Whether the refresh token comes and goes in the cookie."""
    return request.headers.get(HEADER) == "cookie"


def token_of(request: web.Request) -> str:
    """The refresh token that the cookie holds. Raises UNAUTHORIZED when there is none."""
    token = request.cookies.get(_name(request))
    if token is None:
        raise BarberProError(ErrorCode.UNAUTHORIZED, "Nobody is signed in here.")
    return token


def kept(request: web.Request, grant: Grant) -> dict[str, str]:
    """The header that has a browser keep the grant's refresh token for as long as it is good."""
    return _set(request, grant.refresh_token, max(0, round(grant.refresh_expires_at.timestamp() - time.time())))


def forgotten(request: web.Request) -> dict[str, str]:
    """The header that has a browser forget it."""
    return _set(request, "", 0)


def _name(request: web.Request) -> str:
    # A browser takes this prefix over TLS only, so nobody on the way can put in a cookie of their own.
    return f"__Secure-{_NAME}" if _over_tls(request) else _NAME


def _set(request: web.Request, value: str, seconds: int) -> dict[str, str]:
    cookie: SimpleCookie = SimpleCookie({(name := _name(request)): value})
    flags = {"path": _PATH, "max-age": str(seconds), "httponly": "yes", "samesite": "Strict"}
    cookie[name].update(flags | ({"secure": "yes"} if _over_tls(request) else {}))
    return {hdrs.SET_COOKIE: cookie[name].OutputString()}


def _over_tls(request: web.Request) -> bool:
    return request.app[SERVICES].proxies.secure(request)
