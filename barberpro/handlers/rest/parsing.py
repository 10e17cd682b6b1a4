"""What comes in: bodies, query parameters, ids. Whatever is not as it should be is refused by name."""

import asyncio
import json
import uuid
from typing import Any, Final, TypeVar

import orjson
from aiohttp import ClientPayloadError, web
from pydantic import BaseModel, ValidationError

from barberpro.handlers.rest.context import COMMAND_ID, IDEMPOTENCY_KEY, is_id
from barberpro.handlers.services import SERVICES
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import AnyCommand, Wire, parse_command
from barberpro.protocol.errors import BarberProError, bad_field, bad_request, not_found
from barberpro.protocol.ids import shop_of_booking
from barberpro.protocol.queries import Query

Json = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)
Asked = TypeVar("Asked", bound=Query)

_OWN_FIELDS: Final = ("commandId", "type", "bookingId", "barberId")


async def body(request: web.Request) -> Json:
    """The request's JSON object; an empty one when there is no body.

    Raises PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, BAD_REQUEST.
    """
    raw = await read_at_most(request, request.app[SERVICES].limits.message_bytes)
    if not raw:
        return {}
    if request.content_type != "application/json":
        raise BarberProError(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    try:
        document = orjson.loads(raw)
        # orjson keeps the last of two fields of one name. Which of them a proxy or a log had looked at, nobody knows.
        json.loads(raw, object_pairs_hook=_each_once)
    except RecursionError:
        raise bad_field("(body)", "is nested too deeply") from None
    except ValueError:
        raise bad_field("(body)", "is not valid JSON") from None
    if not isinstance(document, dict):
        raise bad_field("(body)", "is not a JSON object")
    return document


class _Nothing(Wire):
    """A body without any field."""


async def no_fields(request: web.Request) -> None:
    """For a request whose path says it all. Raises BAD_REQUEST for a body with any field, and what `body` raises."""
    validated(_Nothing, await body(request))


async def read_at_most(request: web.Request, most: int) -> bytes:
    """Reads no more than it must to know that a body is too large, whatever its length is said to be.

    most: bytes. Raises PAYLOAD_TOO_LARGE, and BAD_REQUEST when it does not come in the form that its headers name, or
    not in time.
    """
    raw, seconds = bytearray(), request.app[SERVICES].limits.body_seconds
    if (request.content_length or 0) > most:
        raise BarberProError(ErrorCode.PAYLOAD_TOO_LARGE, details={"limitBytes": most})
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > most:
                    raise BarberProError(ErrorCode.PAYLOAD_TOO_LARGE, details={"limitBytes": most})
    except TimeoutError:
        raise bad_field("(body)", f"did not come within {seconds:g} seconds") from None
    except (web.RequestPayloadError, ClientPayloadError):
        raise bad_field("(body)", "is not in the form that its headers name") from None
    return bytes(raw)


def _each_once(pairs: list[tuple[str, object]]) -> Json:
    document: Json = {}
    for name, value in pairs:
        if name in document:
            raise bad_field(name, "is given more than once")
        document[name] = value
    return document


def validated(model: type[Model], document: Json) -> Model:
    """The document as the model takes it. Raises BAD_REQUEST."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise bad_request(error) from None


def command_id(request: web.Request) -> str | None:
    """The caller's Idempotency-Key, which is a command's id; None when there is none. Raises BAD_REQUEST."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not is_id(key):
        raise bad_field(IDEMPOTENCY_KEY, "is not 1 to 64 letters, digits, hyphens or underscores")
    return key


def command_id_or_new(request: web.Request) -> str:
    """As `command_id`, or a new one. It is told in the answer, so that the caller can repeat an unknown outcome."""
    request[COMMAND_ID] = command_id(request) or str(uuid.uuid4())
    return request[COMMAND_ID]


def command_from(request: web.Request, type_: str, fields: Json, **own: str) -> AnyCommand:
    """The command of this type that a request's body asks for. own: fields that its path gives.

    Raises BAD_REQUEST.
    """
    for name in _OWN_FIELDS:
        if name in fields:
            raise bad_field(name, "is not a field of this request")
    return parse_command({**fields, **own, "commandId": command_id_or_new(request), "type": type_})


def status_of(document: Json, known: dict[str, str]) -> tuple[str, Json]:
    """What `known` has for the document's status, and the fields beside it. Raises BAD_REQUEST."""
    fields = dict(document)
    if "status" not in fields:
        raise bad_field("status", "is missing")
    status = fields.pop("status")
    if not isinstance(status, str) or status not in known:
        raise bad_field("status", f"is none of {', '.join(known)}")
    return known[status], fields


def path_barber(request: web.Request) -> str:
    """The barber that the path names. Raises NOT_FOUND for what is no id."""
    return path_id(request, "barberId", "queue")


def path_shop(request: web.Request) -> str:
    """The shop that the path names. Raises NOT_FOUND for what is no id."""
    return path_id(request, "shopId", "shop")


def path_id(request: web.Request, name: str, resource: str) -> str:
    """The id that the path has under this name. Raises NOT_FOUND for what is no id."""
    text = request.match_info[name]
    if not is_id(text):
        raise not_found(resource)
    return text


def path_booking(request: web.Request) -> tuple[str, str]:
    """The booking that the path names, and its shop. Raises NOT_FOUND for what is no booking's id."""
    booking_id = request.match_info["bookingId"]
    shop_id = shop_of_booking(booking_id)
    if shop_id is None:
        raise not_found("booking")
    return booking_id, shop_id


def asked(model: type[Asked], request: web.Request) -> Asked:
    """The request's query as the model takes it. Raises BAD_REQUEST."""
    return validated(model, dict(request.query))


def refuse_unknown_query(request: web.Request, known: tuple[str, ...]) -> None:
    """Raises BAD_REQUEST for a parameter that is not known, or is given twice."""
    for name in request.query:
        if name not in known:
            raise bad_field(name, "is not a parameter of this request")
        if len(request.query.getall(name)) > 1:
            raise bad_field(name, "is given more than once")
