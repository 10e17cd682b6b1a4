"""Documents in which the server describes itself: made once a process, the same for everybody."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import orjson
from aiohttp import web

from barberpro.handlers.rest.operations import Plain

_HEADERS: Final = {
    "Cache-Control": "no-cache",
    # Tools that show it are pages from elsewhere.
    "Access-Control-Allow-Origin": "*",
}


def described(path: str, name: str, words: str, make: Callable[[], dict[str, Any]]) -> Plain:
    """The endpoint of the document that `make` makes: when it is first asked for, in a thread. words: what it is."""

    @cache
    def written() -> bytes:
        return orjson.dumps(make())

    async def serve(_request: web.Request) -> web.Response:
        body = await asyncio.to_thread(written)
        return web.Response(body=body, content_type="application/json", charset="utf-8", headers=_HEADERS)

    return Plain(path=path, name=name, call=serve, files=("application/json",), words=words)
