"""GET /openapi.json: what REST takes and tells (OpenAPI 3.1), made from the tables that it answers by."""

from typing import Any, Final

from aiohttp import web

from barberpro.handlers import asyncapi, pages
from barberpro.handlers.described import described
from barberpro.handlers.openapi.document import document
from barberpro.handlers.realtime import sse
from barberpro.handlers.rest.operations import Operation, Plain
from barberpro.handlers.rest.routes import ROUTES


def setup_openapi(app: web.Application) -> None:
    app.router.add_get(ROUTE.path, ROUTE.handler)


def routes() -> tuple[Operation | Plain, ...]:
    """Every endpoint of the server, but the sockets and the parts of pages."""
    return (*ROUTES, sse.ROUTE, ROUTE, asyncapi.ROUTE, *pages.ROUTES)


def whole() -> dict[str, Any]:
    """The document of the server's endpoints, made anew."""
    return document(routes())


ROUTE: Final = described("/openapi.json", "get_openapi", "This document.", whole)
