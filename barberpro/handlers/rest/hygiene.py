"""Headers that keep browsers from doing more with an answer than it is for."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from barberpro.handlers.services import SERVICES

_PAGE: Final = (
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a page of ours may load and do; all of it is the server's own, and no script or style stands in the page.
Pictures may be made by the page: a QR code is fetched with a token, which no <img> can send."""
_WORKS: Final = frozenset({"text/html", "text/javascript"})
"""What that policy is for: a service worker is held to the one that came with its script, not to its page's."""
_DATA: Final = "default-src 'none'; frame-ancestors 'none'"
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _DATA,
}
"""Of every answer that is no page."""
_HSTS: Final = "max-age=31536000"
"""For a year. Other names below the host are the operator's, and not spoken for."""


async def put_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare: on whatever any handler answers, refusals and streams as well."""
    response.headers.update(SECURITY_HEADERS)
    if response.status == HTTPStatus.NOT_MODIFIED:
        # Its headers take the place of those that the browser has kept, and it does not say of what kind that is.
        del response.headers["Content-Security-Policy"]
    elif response.content_type in _WORKS:
        response.headers["Content-Security-Policy"] = _PAGE
    if request.app[SERVICES].proxies.secure(request):
        response.headers["Strict-Transport-Security"] = _HSTS
    response.headers.pop(hdrs.SERVER, None)  # which library, of which version: nobody's business
