"""The doors: their servers, channels and operations. `receive` is what the server takes, `send` what it says."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from barberpro.handlers.asyncapi.messages import (
    NOTICES,
    SOCKETIO_REQUESTS,
    STATES,
    WEBSOCKET_ERROR,
    WEBSOCKET_REQUESTS,
    WEBSOCKET_SUBSCRIBED,
    Message,
    Request,
    messages_of,
)
from barberpro.handlers.realtime.sse import PARAMETERS, PATH
from barberpro.protocol.rooms import RoomKind

Json = dict[str, Any]

SECURITY: Final[Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A user's access token, a guest ticket or a display token. Never in the URL.",
    },
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": "For browsers: `barberpro.v1, bearer.<token>`; the server answers `barberpro.v1`.",
    },
    "handshake": {"type": "apiKey", "in": "user", "description": "Socket.IO's `auth: {token}` of the handshake."},
}

_SUBJECT: Final = {RoomKind.QUEUE: "barber", RoomKind.BOOKING: "booking", RoomKind.DISPLAY: "shop"}

IN_FRAMES: Final = "ws_"
"""What the names of the WebSocket door's messages begin with, in the components."""


@dataclass(frozen=True, slots=True)
class Door:
    """A server with its channels and operations, by name. prefix: of the names of its messages in the components."""

    name: str
    server: Json
    prefix: str = ""
    channels: dict[str, Json] = field(default_factory=dict)
    operations: dict[str, Json] = field(default_factory=dict)

    def channel(self, name: str, messages: Iterable[Message], **described: object) -> None:
        self.channels[name] = {
            "servers": [{"$ref": f"#/servers/{self.name}"}],
            "messages": {
                message.name: {"$ref": f"#/components/messages/{self.prefix}{message.name}"} for message in messages
            },
            **described,
        }

    def receive(self, channel: str, request: Request) -> None:
        reply = _on(channel, request.answer)
        self._operation(f"{channel}_{request.message.name}", "receive", channel, [request.message], reply=reply)

    def send(self, name: str, channel: str, messages: Iterable[Message], **described: object) -> None:
        self._operation(f"{channel}_{name}", "send", channel, messages, **described)

    def _operation(
        self, name: str, action: str, channel: str, messages: Iterable[Message], **described: object
    ) -> None:
        self.operations[name] = {"action": action, **_on(channel, *messages), **described}


def _on(channel: str, *messages: Message) -> Json:
    where = f"#/channels/{channel}"
    return {
        "channel": {"$ref": where},
        "messages": [{"$ref": f"{where}/messages/{message.name}"} for message in messages],
    }


def _server(protocol: str, description: str, *schemes: str, **more: object) -> Json:
    return {
        "host": "{authority}",
        "protocol": protocol,
        "description": description,
        "variables": {"authority": {"default": "127.0.0.1:8000", "description": "Host and port of a server."}},
        "security": [{"$ref": f"#/components/securitySchemes/{scheme}"} for scheme in schemes],
        **more,
    }


def doors(since: Json) -> list[Door]:
    """since: the schema of what a client says it has."""
    return [_socketio(), _websocket(since), _event_streams()]


def _socketio() -> Door:
    words = "Socket.IO, protocol 5, over websockets or polling; every event that a client sends is acknowledged."
    door = Door("socketio", _server("socketio", words, "handshake", pathname="/socket.io/", protocolVersion="5"))
    door.channel(
        "socketio",
        [*messages_of(SOCKETIO_REQUESTS), *STATES.values(), *NOTICES],
        address="/",
        title="The namespace /",
        description="Messages are events by name; their payload is the one argument.",
    )
    for request in SOCKETIO_REQUESTS:
        door.receive("socketio", request)
    door.send("states", "socketio", STATES.values(), summary="The rooms that the client watches.")
    door.send("notices", "socketio", NOTICES)
    return door


def _websocket(since: Json) -> Door:
    words = "One JSON object a text frame; `event` names it. Or else `authenticate` is the first frame."
    door = Door("websocket", _server("ws", words, "bearer", "subprotocol", pathname="/ws"), prefix=IN_FRAMES)
    for kind, state in STATES.items():
        channel, name = f"websocket_{kind.value}", f"{_SUBJECT[kind]}Id"
        door.channel(
            channel,
            [*messages_of(WEBSOCKET_REQUESTS), state, *NOTICES, WEBSOCKET_ERROR],
            address=f"/{kind.value}/{{{name}}}",
            title=f"The room {kind.value}:<{name}>",
            parameters={name: {"description": f"The {_SUBJECT[kind]}'s id."}},
            bindings={"ws": {"method": "GET", "query": {**since, "required": []}, "bindingVersion": "0.1.0"}},
        )
        for request in WEBSOCKET_REQUESTS:
            door.receive(channel, request)
        door.send("states", channel, [WEBSOCKET_SUBSCRIBED, state])
        door.send("notices", channel, [*NOTICES, WEBSOCKET_ERROR])
    return door


def _event_streams() -> Door:
    words = "Server-Sent Events. What is refused is refused before the stream begins, with REST's envelope."
    door = Door("sse", _server("http", words, "bearer"))
    door.channel(
        "sse",
        [*STATES.values(), *NOTICES],
        address=PATH,
        title="A room as an event stream",
        description="`event:` is the message's name, `data:` its payload, `id:` a state's `<epoch>:<seq>`. "
        "`Last-Event-ID` resumes. A comment comes every fifteen seconds.",
    )
    query = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in PARAMETERS},
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    bindings = {"http": {"method": "GET", "query": query, "bindingVersion": "0.3.0"}}
    door.send("states", "sse", STATES.values(), bindings=bindings)
    door.send("notices", "sse", NOTICES)
    return door
