"""The pages that the server shows, and their parts."""

from functools import partial
from typing import Final

import orjson
from aiohttp import hdrs, web

from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_display
from barberpro.handlers.display_tokens import DisplayTokens
from barberpro.handlers.packing import takes_gzip
from barberpro.handlers.parts import Parts, is_there
from barberpro.handlers.rest.context import is_id
from barberpro.handlers.rest.operations import Plain
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import not_found
from barberpro.protocol.system import DisplayToken

_AT_THE_ROOT: Final = {"/sw.js": "sw.js", "/app.webmanifest": "app.webmanifest"}
"""Parts whose path is no /static/: a service worker works for what is below it."""
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"

PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
DISPLAY_TOKENS: web.AppKey[DisplayTokens] = web.AppKey("display_tokens", DisplayTokens)


def setup_pages(app: web.Application, parts: Parts) -> None:
    """Adds the pages to the application. `app[SERVICES]` must be set."""
    app[PARTS] = parts
    app[DISPLAY_TOKENS] = DisplayTokens(app[SERVICES].tokens)
    app.add_routes([web.route(route.method, route.path, route.handler) for route in ROUTES])
    for path, name in _AT_THE_ROOT.items():
        app.router.add_get(path, partial(_page, name))
    app.router.add_get("/static/{name:[a-z0-9._-]+}", _static)
    app.router.add_get("/static/{build}/{name:[a-z0-9._-]+}", _static)


async def _page(name: str, request: web.Request) -> web.Response:
    for value in request.match_info.values():
        if not is_id(value):
            raise not_found("page")
    return _file(request, name, _ASK_AGAIN)


async def _static(request: web.Request) -> web.Response:
    """Of another build than this server's, what this one has: for pages that are open while servers change."""
    present = request.match_info.get("build") == request.app[PARTS].build
    return _file(request, request.match_info["name"], _FOR_EVER if present else _ASK_AGAIN)


def _file(request: web.Request, name: str, cache: str) -> web.Response:
    part = request.app[PARTS].by_name.get(name)
    if part is None:
        raise not_found("page")
    headers = {hdrs.CACHE_CONTROL: cache, hdrs.ETAG: part.etag, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    body: bytes | None = part.body
    status = 200
    if request.headers.get(hdrs.IF_NONE_MATCH, "").removeprefix("W/") == part.etag:
        body, status = None, 304
    elif part.packed is not None and takes_gzip(request):
        body = part.packed
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    charset = None if part.kind == "image/png" else "utf-8"
    # A 304 tells the kind, too: browsers take over its headers, and a script of another kind is not run.
    return web.Response(status=status, body=body, content_type=part.kind, charset=charset, headers=headers)


async def _display_token(request: web.Request) -> web.Response:
    """GET /display/{shopId}/token: the display token of a screen that is public; all screens of a shop share it."""
    token = request.app[DISPLAY_TOKENS].of(await _public_shop(request))
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=orjson.dumps({"token": token}), content_type="application/json", headers=headers)


async def _public_shop(request: web.Request) -> str:
    """The shop that the path names. Raises NOT_FOUND when there is none, or its display is not public."""
    shop_id = request.match_info["shopId"]
    if not is_id(shop_id):
        raise not_found("shop")
    shop = await request.app[SERVICES].catalogue.shop(shop_id)
    if shop is None:
        raise not_found("shop")
    require(None, Action.SEE_DISPLAY, to_display(None, shop), "shop")
    return shop_id


def _shown(path: str, name: str, words: str) -> Plain:
    """The page of that file. It is the same for everybody: it asks for what it shows."""
    page, _, thing = path.removeprefix("/").partition("/")
    return Plain(
        path=path,
        name=f"show_{page}_of_{thing.strip('{}').removesuffix('Id')}" if thing else f"show_{page.replace('-', '_')}",
        call=partial(_page, name),
        files=("text/html",),
        words=words,
        refuses=(ErrorCode.NOT_FOUND,) if thing else (),
    )


_PAGES: Final = (
    ("/docs", "docs.html", "This API, to be read and tried."),
    ("/display", "display.html", "The shop's screen, which is to be paired."),
    (
        "/display/{shopId}",
        "display.html",
        "The shop's screen, to be paired unless it is public.",
    ),
    ("/join/{shopId}", "join.html", "Where the shop's QR code leads: waits, and a place in the line."),
    ("/ticket", "ticket.html", "The newest place in a line that this phone has."),
    ("/ticket/{bookingId}", "ticket.html", "A place in a line, on its holder's phone."),
    ("/kiosk", "kiosk.html", "A tablet at the door, which is to be paired."),
    ("/kiosk/{shopId}", "kiosk.html", "A tablet at the shop's door."),
    ("/console", "console.html", "The barber's console."),
    ("/admin", "admin.html", "The owners' and administrators' dashboard."),
    ("/verify-email", "account.html", "Where the letter's link leads that confirms an address."),
    ("/reset-password", "account.html", "Where the letter's link leads for a new password."),
    ("/accept-invitation", "account.html", "Where an invitation is accepted: by its letter's link, or by a code."),
)
ROUTES: Final = (
    *(_shown(path, name, words) for path, name, words in _PAGES if is_there(name)),
    Plain(
        path="/display/{shopId}/token",
        name="get_display_token",
        call=_display_token,
        files=("application/json",),
        tells=DisplayToken,
        refuses=(ErrorCode.NOT_FOUND, ErrorCode.RATE_LIMIT_EXCEEDED),
    ),
)
"""The pages, and what they ask for outside /api/. One whose file is not there is no page."""
