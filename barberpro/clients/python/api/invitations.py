"""To work in a shop.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import OMITTED, Omitted, Page
from barberpro.protocol.staff import Accepted, OwnInvitationTold


class Invitations(Calls):
    async def list_own_invitations(
        self,
    ) -> Page[OwnInvitationTold]:
        """Those to one's own address or number."""
        told: Page[OwnInvitationTold] = await self._rest.page("/api/v1/invitations")
        return told

    async def accept_invitation(
        self,
        *,
        token: str | Omitted | None = OMITTED,
        invitation_id: str | Omitted | None = OMITTED,
        code: str | Omitted | None = OMITTED,
        name: str | Omitted | None = OMITTED,
        idempotency_key: str | None = None,
    ) -> Accepted:
        """By the account that is invited."""
        body = {"token": token, "invitationId": invitation_id, "code": code, "name": name}
        told: Accepted = await self._rest.data("POST", "/api/v1/invitations/accept", body=body, key=idempotency_key)
        return told
