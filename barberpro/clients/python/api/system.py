"""The server itself, and its pages.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Any

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import quoted
from barberpro.protocol.system import Alive, DisplayToken, KeySet, Ready


class System(Calls):
    async def get_live(
        self,
    ) -> Alive:
        """While the process runs."""
        told: Alive = await self._rest.data("GET", "/health/live")
        return told

    async def get_ready(
        self,
    ) -> Ready:
        """PERSISTENCE_UNAVAILABLE while a part does not work; details.parts says which."""
        told: Ready = await self._rest.data("GET", "/health/ready")
        return told

    async def get_metrics(
        self,
    ) -> bytes:
        """Figures for Prometheus."""
        told: bytes = await self._rest.raw("GET", "/metrics")
        return told

    async def get_jwks(
        self,
    ) -> KeySet:
        """RFC 7517; no envelope."""
        told: KeySet = await self._rest.document("/.well-known/jwks.json")
        return told

    async def get_openapi(
        self,
    ) -> dict[str, Any]:
        """This document."""
        told: dict[str, Any] = await self._rest.document("/openapi.json")
        return told

    async def get_asyncapi(
        self,
    ) -> dict[str, Any]:
        """The live doors, for programs."""
        told: dict[str, Any] = await self._rest.document("/asyncapi.json")
        return told

    async def get_display_token(
        self,
        shop_id: str,
    ) -> DisplayToken:
        """The display token of a screen that is public; all screens of a shop share it."""
        told: DisplayToken = await self._rest.document(f"/display/{quoted(shop_id)}/token")
        return told
