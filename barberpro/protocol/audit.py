"""The audit log, as administrators ask for it and see it."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Listing
from barberpro.protocol.states import Timestamp
from barberpro.protocol.times import Moment

_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class AuditQuery(Listing):
    """The parameters of GET /admin/audit. action: `staff.added`, or `staff.` for all that begin so.

    objectId: a flag's is its name.
    """

    actor_id: Id | None = None
    action: _Word | None = None
    shop_id: Id | None = None
    object_type: _Word | None = None
    object_id: _Word | None = None
    request_id: _Word | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


class AuditEntry(TypedDict):
    """before, after: what was changed, as far as it is told; null where there is nothing to tell."""

    at: Timestamp
    actorId: str
    actorRole: str
    action: str
    shopId: str | None
    objectType: str
    objectId: str
    requestId: str | None
    ip: str | None
    agent: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


TimesTold = TypedDict("TimesTold", {"from": Timestamp, "to": Timestamp})
"""The window that was looked through."""
