"""Is the process alive, and can it work? For load balancers and orchestrators."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from barberpro.handlers.rest.replies import Answer
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

READY: Final[web.AppKey[Callable[[], Awaitable[dict[str, bool]]]]] = web.AppKey("ready")
"""Says of each part that the node needs whether it works, within a second; the composition root sets it."""


async def live(_request: web.Request) -> Answer:
    """GET /health/live: while the process runs."""
    return Answer({"live": True})


async def ready(request: web.Request) -> Answer:
    """GET /health/ready: PERSISTENCE_UNAVAILABLE while a part does not work; details.parts says which."""
    parts = await request.app[READY]()
    if not all(parts.values()):
        absent = ", ".join(name for name, works in parts.items() if not works)
        raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE, f"Not ready: {absent}.", {"parts": parts})
    return Answer({"ready": True, "parts": parts})
