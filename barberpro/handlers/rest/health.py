"""Is the process alive, and can it work? For load balancers and orchestrators."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.services import Services
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

READY: Final[web.AppKey[Callable[[], Awaitable[dict[str, bool]]]]] = web.AppKey("ready")
"""Says of each part that the node needs whether it works; the composition root sets it."""

_PATIENCE_SECONDS: Final = 1.0


async def live(_request: web.Request) -> Answer:
    return Answer({"live": True})


async def ready(request: web.Request) -> Answer:
    """Raises PERSISTENCE_UNAVAILABLE; details.parts says which part does not work."""
    parts = await request.app[READY]()
    if not all(parts.values()):
        absent = ", ".join(name for name, works in parts.items() if not works)
        raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE, f"Not ready: {absent}.", {"parts": parts})
    return Answer({"ready": True, "parts": parts})


async def stores_answer(services: Services) -> dict[str, bool]:
    """Whether Postgres and Redis answer within a second: what every `ready()` begins with."""
    postgres, redis = await asyncio.gather(
        _works(lambda: services.pool.fetchval("SELECT 1")), _works(lambda: services.redis.ping())
    )
    return {"postgres": postgres, "redis": redis}


async def _works(ask: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await ask()
    except Exception:
        return False  # whatever it is, this part cannot be worked with now
    return True
