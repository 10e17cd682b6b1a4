"""What the shop says to a rating.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""

from barberpro.clients.python.api.calls import Calls
from barberpro.clients.python.rest import quoted
from barberpro.protocol.ratings import Review


class Reviews(Calls):
    async def answer_review(
        self,
        review_id: str,
        *,
        text: str | None,
        idempotency_key: str | None = None,
    ) -> Review:
        """The shop's, in place of the one before; without a text, none."""
        body = {"text": text}
        told: Review = await self._rest.data(
            "PUT", f"/api/v1/reviews/{quoted(review_id)}/answer", body=body, key=idempotency_key
        )
        return told
