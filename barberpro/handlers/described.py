"""Documents in which the server describes itself: made once a process, the same for everybody."""

import asyncio
import gzip
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from barberpro.handlers.packing import takes_gzip
from barberpro.handlers.rest.operations import Plain

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    # Tools that show it are pages from elsewhere.
    "Access-Control-Allow-Origin": "*",
    hdrs.VARY: hdrs.ACCEPT_ENCODING,
}


def described(path: str, name: str, words: str, make: Callable[[], dict[str, Any]]) -> Plain:
    """The endpoint of the document that `make` makes: when it is first asked for, in a thread. words: what it is."""

    @cache
    def written() -> tuple[bytes, bytes]:
        """As it is, and packed: some hundred kB, which telephones read, too."""
        body = orjson.dumps(make())
        return body, gzip.compress(body, mtime=0)

    async def serve(request: web.Request) -> web.Response:
        body, packed = await asyncio.to_thread(written)
        headers = dict(_HEADERS)
        if takes_gzip(request):
            body, headers[hdrs.CONTENT_ENCODING] = packed, "gzip"
        return web.Response(body=body, content_type="application/json", charset="utf-8", headers=headers)

    return Plain(path=path, name=name, call=serve, files=("application/json",), words=words)
