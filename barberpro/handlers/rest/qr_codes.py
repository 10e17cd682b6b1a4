"""Addresses of our pages as QR codes."""

import io
from typing import Final

import segno
from aiohttp import web

from barberpro.handlers.rest.replies import File
from barberpro.handlers.services import SERVICES
from barberpro.protocol.errors import bad_field

TYPES: Final = {"svg": "image/svg+xml", "png": "image/png"}
_SCALE: Final = 10
"""Pixels a module: a code of some forty modules is as wide as a hand on a screen, and prints well on paper."""


def picture(address: str, kind: str, error: str) -> File:
    """error: how much of it may be unreadable, of L, M, Q and H (7, 15, 25 and 30 of a hundred parts)."""
    drawn = io.BytesIO()
    segno.make_qr(address, error=error).save(drawn, kind=kind, scale=_SCALE)
    return File(drawn.getvalue(), TYPES[kind])


def origin(request: web.Request) -> str:
    """Where guests reach the pages: as set, or as whoever asks has reached us."""
    try:
        return request.app[SERVICES].public_url or str(request.url.origin())
    except ValueError:
        raise bad_field("Host", "is not where anybody could be reached") from None
