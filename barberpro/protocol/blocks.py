"""Addresses that are kept out, as administrators ask for them and see them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.commands import Reason, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Flag, Query, Whole
from barberpro.protocol.states import Timestamp


class NewBlock(Wire):
    """The body of POST /admin/blocks. address: an IP address; of an IPv6 one its whole /64 is blocked."""

    address: Annotated[str, Field(max_length=64)]
    minutes: Annotated[int, Field(ge=1, le=525_600)]
    reason: Reason


class BlocksQuery(Query):
    """The parameters of GET /admin/blocks. active: only those in force."""

    active: Flag = False
    limit: Annotated[int, Field(ge=1, le=500), Whole] = 100
    cursor: Id | None = None


class BlockTold(TypedDict):
    """liftedAt, liftedBy: of one that was ended before its time."""

    blockId: Id
    network: str
    reason: str
    madeBy: str
    at: Timestamp
    until: Timestamp
    liftedAt: Timestamp | None
    liftedBy: str | None
