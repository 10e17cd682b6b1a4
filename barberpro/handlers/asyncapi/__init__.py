"""GET /asyncapi.json: what the live doors take and send (AsyncAPI 3.0), made from the models that check it."""

import asyncio
from functools import cache
from typing import Final

import orjson
from aiohttp import web

from barberpro.handlers.asyncapi.document import document
from barberpro.handlers.rest.operations import Plain

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    # It is the same for everybody, and tools that show it are pages from elsewhere.
    "Access-Control-Allow-Origin": "*",
}


def setup_asyncapi(app: web.Application) -> None:
    app.router.add_get(ROUTE.path, ROUTE.handler)


async def _serve(_request: web.Request) -> web.Response:
    """GET /asyncapi.json: the live doors, for programs."""
    body = await asyncio.to_thread(_written)
    return web.Response(body=body, content_type="application/json", charset="utf-8", headers=_HEADERS)


@cache
def _written() -> bytes:
    """Once a process: it takes a twentieth of a second."""
    return orjson.dumps(document())


ROUTE: Final = Plain(path="/asyncapi.json", name="get_asyncapi", call=_serve, files=("application/json",))
