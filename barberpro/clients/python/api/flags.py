"""Which features are on.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from barberpro.clients.python.api.calls import Calls
from barberpro.protocol.flags import FlagsOn


class Flags(Calls):
    async def list_own_flags(
        self,
    ) -> FlagsOn:
        """Those that are on for who asks. Of the others not even the names are told."""
        told: FlagsOn = await self._rest.data("GET", "/api/v1/flags")
        return told
