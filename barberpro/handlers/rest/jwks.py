"""The public halves of the keys that sign tokens, for whoever wants to verify them without asking us."""

from typing import Final

import orjson
from aiohttp import web

from barberpro.handlers.services import SERVICES

_CACHE: Final = {"Cache-Control": "public, max-age=300"}
"""Shorter than a new key is known before it signs."""


async def jwks(request: web.Request) -> web.Response:
    """GET /.well-known/jwks.json: RFC 7517; no envelope."""
    keys = [key.jwk for key in request.app[SERVICES].tokens.keys.keys]
    return web.Response(body=orjson.dumps({"keys": keys}), content_type="application/json", headers=_CACHE)
