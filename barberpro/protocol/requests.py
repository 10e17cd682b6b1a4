"""What a client may ask on a live connection, beside commands."""

from typing import Annotated

from pydantic import ConfigDict, Field

from barberpro.protocol.commands import Wire
from barberpro.protocol.ids import Id, RoomName
from barberpro.protocol.queries import Query


class Handshake(Wire):
    """`auth` of a Socket.IO handshake. Apps put other things there, too."""

    model_config = ConfigDict(extra="ignore")

    token: str


class Since(Wire):
    """The newest state of a room that the client has."""

    epoch: Annotated[int, Field(ge=0)]
    seq: Annotated[int, Field(ge=0)]


class Subscribe(Wire):
    room: RoomName
    since: Since | None = None


class SubscribeAgain(Wire):
    """On a connection that has one room: whether what the client has of it is still the newest."""

    since: Since | None = None


class RequestQueueStream(Wire):
    """Subscribes to `queue:<barberId>`; the state comes as `queue_updated`, too."""

    barber_id: Id


class Unsubscribe(Wire):
    room: RoomName


class Authenticate(Wire):
    """A new token of the same user."""

    token: Annotated[str, Field(max_length=8192)]


class StreamQuery(Query):
    """The parameters of GET /queue/stream: one of them, which names the room."""

    barber_id: Id | None = None
    booking_id: Id | None = None
    shop_id: Id | None = None
