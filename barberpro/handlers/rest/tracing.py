"""A span for each request of the REST door, which goes on with the caller's trace when it names one."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, get_tracer

_TRACER: Final = get_tracer("barberpro")
_API: Final = "/api/"


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Goes before all others. Answers that are refusals are no errors here: the status tells."""
    resource = request.match_info.route.resource
    if resource is None or not request.path.startswith(_API):
        return await handler(request)
    name = f"{request.method} {resource.canonical}"
    with _TRACER.start_as_current_span(name, extract(request.headers), kind=SpanKind.SERVER) as span:
        response = await handler(request)
        span.set_attribute("http.response.status_code", response.status)
        return response
