"""GET /asyncapi.json: what the live doors take and send (AsyncAPI 3.0), made from the models that check it."""

from typing import Final

from aiohttp import web

from barberpro.handlers.asyncapi.document import document
from barberpro.handlers.described import described

ROUTE: Final = described("/asyncapi.json", "get_asyncapi", "The live doors, for programs.", document)


def setup_asyncapi(app: web.Application) -> None:
    app.router.add_get(ROUTE.path, ROUTE.handler)
