"""What the server says on a live connection, beside the rooms' states: answers to requests, and notices."""

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic takes no other before Python 3.12
)

from typing_extensions import TypedDict

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.ids import Id, RoomName
from barberpro.protocol.states import Count, Date, PlacedBooking, RoomState, Timestamp


class ConnectRefusal(TypedDict):
    """`data` of a refused Socket.IO handshake's connect_error."""

    code: ErrorCode
    message: str
    temporary: bool


class ErrorObject(ConnectRefusal):
    """The one error of every door. temporary: the same request, sent again a little later, may succeed."""

    details: dict[str, Any]


class Refused(TypedDict):
    ok: Literal[False]
    error: ErrorObject


class Done(TypedDict):
    ok: Literal[True]


class Subscribed(TypedDict):
    """What a subscription begins with. state: null when what the client has is up to date."""

    room: RoomName
    epoch: Count
    seq: Count
    upToDate: bool
    state: RoomState | None


class SubscribeAck(Subscribed):
    ok: Literal[True]


class BookingResult(PlacedBooking):
    """A booking after a command."""

    businessDate: Date | None
    skipCount: Count


class QueuePoint(TypedDict):
    """A queue's place after a command: the first state with it shows what the command did."""

    barberId: Id
    epoch: Count
    seq: Count


class Token(TypedDict):
    """A token, and its end."""

    token: str
    expiresAt: Timestamp


class CommandResult(TypedDict):
    """booking: when the command concerned one. ticket: of the booking, for a guest or a kiosk that has joined."""

    booking: NotRequired[BookingResult]
    queue: QueuePoint
    ticket: NotRequired[Token]


class CommandAck(TypedDict):
    """The command is durable. replayed: it was so before, and this is that result again."""

    ok: Literal[True]
    replayed: bool
    data: CommandResult


class AuthenticateAck(TypedDict):
    ok: Literal[True]
    expiresAt: Timestamp


class SessionExpiring(TypedDict):
    """The token ends soon; `authenticate` renews it."""

    expiresAt: Timestamp


class ServerRestarting(TypedDict):
    """The connection closes soon. reconnectAfterMs: when to come back, spread so that not all come at once."""

    reconnectAfterMs: Count
