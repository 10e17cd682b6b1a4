"""Displays and kiosks.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from typing import Literal

from barberpro.clients.python.api.calls import Calls
from barberpro.protocol.access import AskedPairing, DeviceToken, DeviceWaits


class Devices(Calls):
    async def ask_pairing(
        self,
        *,
        kind: Literal["display", "kiosk"],
        idempotency_key: str | None = None,
    ) -> AskedPairing:
        """A new device asks for a code to show."""
        body = {"kind": kind}
        told: AskedPairing = await self._rest.data("POST", "/api/v1/devices", body=body, key=idempotency_key)
        return told

    async def fetch_device_token(
        self,
        *,
        secret: str,
        idempotency_key: str | None = None,
    ) -> DeviceWaits | DeviceToken:
        """The device asks, with its secret, for its token; again before that one ends."""
        body = {"secret": secret}
        told: DeviceWaits | DeviceToken = await self._rest.data(
            "POST", "/api/v1/devices/token", body=body, key=idempotency_key
        )
        return told
