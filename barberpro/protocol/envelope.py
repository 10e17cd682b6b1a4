"""The REST envelope."""

from collections.abc import Mapping
from typing import Any, Literal

from typing_extensions import TypedDict

from barberpro.protocol.answers import ErrorObject
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.states import Timestamp
from barberpro.protocol.times import now_millis, rfc3339


class Meta(TypedDict):
    """timestamp: when it was answered. requestId: as in X-Request-Id."""

    timestamp: Timestamp
    requestId: str


class PageMeta(Meta):
    """nextCursor: asks for the part of the list after this one; null at the end."""

    nextCursor: str | None


class Failure(TypedDict):
    """Whatever was refused."""

    success: Literal[False]
    error: ErrorObject
    meta: Meta


def _meta(request_id: str) -> dict[str, Any]:
    return {"timestamp": rfc3339(now_millis()), "requestId": request_id}


def success(data: object, request_id: str) -> dict[str, Any]:
    return {"success": True, "data": data, "meta": _meta(request_id)}


def page(rows: list[Any], next_cursor: str | None, more: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """A list: its rows, the cursor of the next page (None at the end), and what more `meta` tells of it."""
    return {"success": True, "data": rows, "meta": {**_meta(request_id), "nextCursor": next_cursor, **more}}


def failure(error: BarberProError, request_id: str) -> dict[str, Any]:
    return {"success": False, "error": error.to_wire(), "meta": _meta(request_id)}
