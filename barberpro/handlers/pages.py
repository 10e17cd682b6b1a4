"""The pages that the server shows: the shop's display, and where its QR code leads."""

from importlib.resources import files
from typing import Final

import orjson
from aiohttp import web

from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_display
from barberpro.handlers.display_tokens import DisplayTokens
from barberpro.handlers.rest.context import is_id
from barberpro.handlers.rest.operations import Plain
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import not_found
from barberpro.protocol.system import DisplayToken

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
    app.add_routes([web.route(route.method, route.path, route.handler) for route in ROUTES])
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
    """GET /join/{shopId}: the page behind the shop's QR code: the shop, and the place of whoever has one."""
    # The same for every shop: it asks for what it shows, with the code from its address.
    return _file(request, "join.html")


async def _display(request: web.Request) -> web.Response:
    """GET /display/{shop_id}: the shop's screen, where the shop shows it to everybody."""
    await _public_shop(request)
    return _file(request, "display.html")


async def _display_token(request: web.Request) -> web.Response:
    """GET /display/{shop_id}/token: the display token of that page; all screens of a shop share it."""
    token = request.app[DISPLAY_TOKENS].of(await _public_shop(request))
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=orjson.dumps({"token": token}), content_type="application/json", headers=headers)


async def _docs(request: web.Request) -> web.Response:
    """GET /docs: this API, to be read and tried."""
    return _file(request, "docs.html")


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


_HTML: Final = ("text/html",)
_HIDDEN: Final = (ErrorCode.NOT_FOUND,)
ROUTES: Final = (
    Plain(path="/docs", name="show_docs", call=_docs, files=_HTML),
    Plain(path="/display/{shop_id}", name="show_display", call=_display, files=_HTML, refuses=_HIDDEN),
    Plain(
        path="/display/{shop_id}/token",
        name="get_display_token",
        call=_display_token,
        files=("application/json",),
        tells=DisplayToken,
        refuses=(*_HIDDEN, ErrorCode.RATE_LIMIT_EXCEEDED),
    ),
    Plain(path="/join/{shopId}", name="show_join_page", call=_join, files=_HTML),
)
