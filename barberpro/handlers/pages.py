"""The pages that the server shows: the shop's display, and where its QR code leads."""

from importlib.resources import files
from typing import Final

import orjson
from aiohttp import web

from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_display
from barberpro.handlers.display_tokens import DisplayTokens
from barberpro.handlers.rest.context import is_id
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import not_found

_WEB: Final = files("barberpro.clients") / "web"
_TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

PARTS: web.AppKey[dict[str, bytes]] = web.AppKey("parts", dict)
DISPLAY_TOKENS: web.AppKey[DisplayTokens] = web.AppKey("display_tokens", DisplayTokens)


def read_parts() -> dict[str, bytes]:
    """The pages and their parts by name. They are few and small: read once, kept."""
    return {part.name: part.read_bytes() for part in _WEB.iterdir() if _kind(part.name) is not None}


def setup_pages(app: web.Application, parts: dict[str, bytes]) -> None:
    """Adds the pages to the application. `app[SERVICES]` must be set."""
    app[PARTS] = parts
    app[DISPLAY_TOKENS] = DisplayTokens(app[SERVICES].tokens)
    app.router.add_get("/display/{shop_id}", _display)
    app.router.add_get("/display/{shop_id}/token", _display_token)
    app.router.add_get("/join/{shopId}", _join)
    app.router.add_get("/static/{name:[a-z0-9.-]+}", _static)


def _kind(name: str) -> str | None:
    return _TYPES.get(name.rpartition(".")[2])


def _file(request: web.Request, name: str) -> web.Response:
    kind, body = _kind(name), request.app[PARTS].get(name)
    if kind is None or body is None:
        raise not_found("page")
    return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})


async def _static(request: web.Request) -> web.Response:
    return _file(request, request.match_info["name"])


async def _join(request: web.Request) -> web.Response:
    """The same for every shop: the page asks for what it shows, with the code from its address."""
    return _file(request, "join.html")


async def _display(request: web.Request) -> web.Response:
    await _public_shop(request)
    return _file(request, "display.html")


async def _display_token(request: web.Request) -> web.Response:
    """A display token for the page."""
    token = request.app[DISPLAY_TOKENS].of(await _public_shop(request))
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps({"token": token}), content_type="application/json", headers=headers)


async def _public_shop(request: web.Request) -> str:
    """The shop that the path names. Raises NOT_FOUND when there is none, or its display is not public."""
    shop_id = request.match_info["shop_id"]
    if not is_id(shop_id):
        raise not_found("shop")
    shop = await request.app[SERVICES].catalogue.shop(shop_id)
    if shop is None:
        raise not_found("shop")
    require(None, Action.SEE_DISPLAY, to_display(None, shop), "shop")
    return shop_id
