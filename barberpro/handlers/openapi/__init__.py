"""GET /openapi.json: what REST takes and tells (OpenAPI 3.1), made from the tables that it answers by."""

import asyncio
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web

from barberpro.handlers import asyncapi, pages
from barberpro.handlers.openapi.document import document
from barberpro.handlers.realtime import sse
from barberpro.handlers.rest.operations import Operation, Plain
from barberpro.handlers.rest.routes import ROUTES

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    # It is the same for everybody, and tools that show it are pages from elsewhere.
    "Access-Control-Allow-Origin": "*",
}


def setup_openapi(app: web.Application) -> None:
    app.router.add_get(ROUTE.path, ROUTE.handler)


async def _serve(_request: web.Request) -> web.Response:
    """GET /openapi.json: this document."""
    body = await asyncio.to_thread(_written)
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=_HEADERS)


ROUTE: Final = Plain(path="/openapi.json", name="get_openapi", call=_serve, files=("application/json",))


def routes() -> tuple[Operation | Plain, ...]:
    """Every endpoint of the server, but the sockets and the parts of pages."""
    return (*ROUTES, sse.ROUTE, ROUTE, asyncapi.ROUTE, *pages.ROUTES)


def whole() -> dict[str, Any]:
    """The document of the server's endpoints, made anew."""
    return document(routes())


@cache
def _written() -> bytes:
    """Once a process."""
    return orjson.dumps(whole())
