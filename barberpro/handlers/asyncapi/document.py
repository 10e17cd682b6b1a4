"""The AsyncAPI document: the three doors over the messages. The server is the application that it describes."""

from typing import Any, Final

from barberpro import __version__
from barberpro.handlers.asyncapi import examples
from barberpro.handlers.asyncapi.channels import IN_FRAMES, SECURITY, doors
from barberpro.handlers.asyncapi.messages import FRAMED, PLAIN, Message
from barberpro.handlers.asyncapi.schemas import Schemas
from barberpro.protocol.closing import MEANINGS, RECONNECT, CloseCode
from barberpro.protocol.codes import HTTP_STATUS, MESSAGES, TEMPORARY, ErrorCode
from barberpro.protocol.requests import Since

Json = dict[str, Any]

_DESCRIPTION: Final = """\
Queues of barbershops, live. Every room message is an absolute state: it replaces what the client has. Apply it when
its (epoch, seq) is not less than what you have; apply the state that answers a subscription whatever it is. A slow
client may be given only the newest state. Clients must pass over fields and events that they do not know.

Unions of a refusal and something else are told apart by `ok`. Errors are the same `{code, message, temporary, details}`
everywhere; `x-error-codes` lists them, `x-close-codes` those with which the WebSocket door closes."""
_INFO: Final[Json] = {
    "title": "BarberPro",
    "version": __version__,
    "description": _DESCRIPTION,
    "license": {"name": "MIT"},
}


def document() -> Json:
    """Made from the models anew."""
    schemas = Schemas([(Since, True), *((message.model, message.received) for message in (*PLAIN, *FRAMED))])
    messages = {message.name: _plain(schemas, message) for message in PLAIN}
    messages |= {f"{IN_FRAMES}{message.name}": _framed(schemas, message) for message in FRAMED}
    served = doors(schemas.definitions["Since"])
    return {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": {door.name: door.server for door in served},
        "channels": {name: channel for door in served for name, channel in door.channels.items()},
        "operations": {name: operation for door in served for name, operation in door.operations.items()},
        "components": {
            "schemas": schemas.definitions,
            "messages": messages,
            "securitySchemes": SECURITY,
        },
        "x-error-codes": {code.value: _error(code) for code in ErrorCode},
        "x-close-codes": {str(code.value): _close(code) for code in CloseCode},
    }


def _plain(schemas: Schemas, message: Message) -> Json:
    return _message(message, schemas.of(message.model), list(message.examples))


def _framed(schemas: Schemas, message: Message) -> Json:
    echoed: Json = {}
    if message.correlation and not message.received:
        echoed = {message.correlation: {"description": "The request's, as it was sent; null when it had none."}}
    payload = schemas.framed(schemas.of(message.model), message.name, echoed)
    own = {"event": message.name, **dict.fromkeys(echoed, examples.COMMAND_ID)}
    framed = _message(message, payload, [{**own, **example} for example in message.examples])
    if message.correlation:
        framed["correlationId"] = {"location": f"$message.payload#/{message.correlation}"}
    return framed


def _message(message: Message, payload: Json, shown: list[Json]) -> Json:
    return {
        "name": message.name,
        "summary": message.summary,
        "payload": payload,
        "examples": [{"payload": example} for example in shown],
    }


def _error(code: ErrorCode) -> Json:
    return {"httpStatus": HTTP_STATUS[code], "temporary": code in TEMPORARY, "message": MESSAGES[code]}


def _close(code: CloseCode) -> Json:
    return {"meaning": MEANINGS[code], "reconnect": code in RECONNECT}
