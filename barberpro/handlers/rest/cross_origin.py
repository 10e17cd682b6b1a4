"""Pages from elsewhere that may ask: CORS, by the list of origins that the doors of live connections go by, too.

aiohttp-cors was looked at: it is set up route by route, and what is no route, such as an error, gets no header; then a
page cannot read why it was refused.
"""

from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from barberpro.handlers.origins import welcome
from barberpro.handlers.services import SERVICES

_API: Final = "/api/"
_BEFOREHAND: Final = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}
_READABLE: Final = "Idempotency-Key, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id"


ALLOWED_ORIGIN: Final = web.RequestKey("allowed_origin", str)


@web.middleware
async def cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what a browser asks beforehand, before anything is counted; notes whose page may read the answer."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or not request.path.startswith(_API) or not _welcome(request):
        return await handler(request)
    request[ALLOWED_ORIGIN] = origin
    if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
        return web.Response(status=204, headers=_BEFOREHAND)
    return await handler(request)


async def put_cross_origin_headers(request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare, so that streams get them as well.

    Never `Access-Control-Allow-Credentials`: who asks is told by a token, and by no cookie.
    """
    if ALLOWED_ORIGIN in request:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request[ALLOWED_ORIGIN]
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _READABLE
        response.headers[hdrs.VARY] = hdrs.ORIGIN  # for caches: another origin gets another answer


def _welcome(request: web.Request) -> bool:
    headers = request.headers
    return welcome(headers.get(hdrs.ORIGIN), headers.get(hdrs.HOST), request.app[SERVICES].origins)
