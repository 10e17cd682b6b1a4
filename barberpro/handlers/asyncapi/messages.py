"""The messages of the live doors: for each the model that checks it, or that its writer is typed by."""

from dataclasses import dataclass
from typing import Any, Final

from barberpro.handlers.asyncapi import examples
from barberpro.protocol import answers, requests
from barberpro.protocol.commands import CommandRequest
from barberpro.protocol.rooms import EVENT_OF_ROOM, RoomKind
from barberpro.protocol.states import BookingUpdated, DisplayUpdated, QueueUpdated

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """name: its event. model: a type that pydantic makes a schema of. received: by the server, from a client.

    correlation: the field that a request and its answer have in common; frames have it in them.
    """

    name: str
    model: Any
    summary: str
    examples: tuple[Any, ...]
    received: bool = False
    correlation: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends, and what answers it."""

    message: Message
    answer: Message


def messages_of(requests: tuple[Request, ...]) -> list[Message]:
    return [message for request in requests for message in (request.message, request.answer)]


def _request(name: str, model: object, ack: object, summary: str, asked: object, told: object) -> Request:
    """A Socket.IO event with its ack, which may always be a refusal instead."""
    return Request(
        Message(name, model, summary, (asked,), received=True),
        Message(f"{name}_ack", ack, f"The ack of {name}.", (told, examples.REFUSED)),
    )


STATES: Final = {
    RoomKind.QUEUE: Message(
        EVENT_OF_ROOM[RoomKind.QUEUE],
        QueueUpdated,
        "The state of a barber's queue.",
        (examples.FULL_QUEUE, examples.PUBLIC_QUEUE),
    ),
    RoomKind.BOOKING: Message(
        EVENT_OF_ROOM[RoomKind.BOOKING], BookingUpdated, "The state of a booking.", (examples.BOOKING,)
    ),
    RoomKind.DISPLAY: Message(
        EVENT_OF_ROOM[RoomKind.DISPLAY], DisplayUpdated, "The state of a shop's screen.", (examples.DISPLAY,)
    ),
}
NOTICES: Final = (
    Message("session_expiring", answers.SessionExpiring, "The token ends soon.", (examples.SESSION_EXPIRING,)),
    Message(
        "session_expired",
        answers.ErrorObject,
        "The token has ended, or was revoked; the connection closes.",
        (examples.EXPIRED,),
    ),
    Message(
        "server_restarting",
        answers.ServerRestarting,
        "The server ends; the connection closes.",
        (examples.SERVER_RESTARTING,),
    ),
)

SOCKETIO_REQUESTS: Final = (
    Request(
        Message("connect", requests.Handshake, "`auth` of the handshake.", (examples.TOKEN,), received=True),
        Message("connect_error", answers.ConnectRefusal, "`data` of a refusal.", (examples.CONNECT_REFUSAL,)),
    ),
    _request(
        "subscribe",
        requests.Subscribe,
        answers.SubscribeAck | answers.Refused,
        "Watch a room. `since`: the newest state of it that the client has.",
        examples.SUBSCRIBE,
        {"ok": True, **examples.SUBSCRIBED},
    ),
    _request(
        "request_queue_stream",
        requests.RequestQueueStream,
        answers.SubscribeAck | answers.Refused,
        "Watch a barber's queue; its state comes as queue_updated, too.",
        {"barberId": examples.BARBER},
        {"ok": True, **examples.SUBSCRIBED},
    ),
    _request(
        "unsubscribe",
        requests.Unsubscribe,
        answers.Done | answers.Refused,
        "Watch a room no more.",
        {"room": examples.ROOM},
        {"ok": True},
    ),
    _request(
        "command",
        CommandRequest,
        answers.CommandAck | answers.Refused,
        "A transition. Sent again with its commandId, it has the same answer and no second effect.",
        examples.JOIN,
        examples.COMMAND_ACK,
    ),
    _request(
        "authenticate",
        requests.Authenticate,
        answers.AuthenticateAck | answers.Refused,
        "Go on with a new token of the same user.",
        examples.TOKEN,
        examples.AUTHENTICATE_ACK,
    ),
)

WEBSOCKET_SUBSCRIBED: Final = Message(
    "subscribed",
    answers.Subscribed,
    "The first frame: what the subscription begins with; and the answer to `subscribe`.",
    (examples.SUBSCRIBED,),
)
WEBSOCKET_ERROR: Final = Message(
    "error",
    answers.Refused,
    "A frame whose event is unknown, or one too many; the connection stays.",
    (examples.REFUSED,),
)
WEBSOCKET_REQUESTS: Final = (
    Request(
        Message("command", CommandRequest, "A transition.", (examples.JOIN,), received=True, correlation="commandId"),
        Message(
            "ack",
            answers.CommandAck | answers.Refused,
            "The answer to the command with this commandId; answers come as they are ready.",
            (examples.COMMAND_ACK, examples.REFUSED),
            correlation="commandId",
        ),
    ),
    Request(
        Message(
            "subscribe",
            requests.SubscribeAgain,
            "Once more, now and then: its answer proves that what the client has is the newest, or brings that.",
            (examples.SUBSCRIBE_AGAIN,),
            received=True,
        ),
        WEBSOCKET_SUBSCRIBED,
    ),
    Request(
        Message(
            "authenticate",
            requests.Authenticate,
            "The first frame, answered by `subscribed`, when the handshake carried no token; later a new token.",
            (examples.TOKEN,),
            received=True,
        ),
        Message(
            "authenticated",
            answers.AuthenticateAck | answers.Refused,
            "The answer to a new token.",
            (examples.AUTHENTICATE_ACK, examples.REFUSED),
        ),
    ),
)

PLAIN: Final = (*STATES.values(), *NOTICES, *messages_of(SOCKETIO_REQUESTS))
"""Those of Socket.IO and of event streams: the event's name stands beside the payload."""
FRAMED: Final = (
    *STATES.values(), *NOTICES, WEBSOCKET_ERROR, *messages_of(WEBSOCKET_REQUESTS),
)  # fmt: skip
"""Those of the WebSocket door: the event's name stands in the payload."""
