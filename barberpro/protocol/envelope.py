"""The REST envelope."""

from collections.abc import Mapping
from typing import Any

from barberpro.protocol.errors import BarberProError
from barberpro.protocol.times import now_millis, rfc3339


def _meta(request_id: str) -> dict[str, Any]:
    return {"timestamp": rfc3339(now_millis()), "requestId": request_id}


def success(data: object, request_id: str) -> dict[str, Any]:
    return {"success": True, "data": data, "meta": _meta(request_id)}


def page(rows: list[Any], next_cursor: str | None, more: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """A list: its rows, the cursor of the next page (None at the end), and what more `meta` tells of it."""
    return {"success": True, "data": rows, "meta": {**_meta(request_id), "nextCursor": next_cursor, **more}}


def failure(error: BarberProError, request_id: str) -> dict[str, Any]:
    return {"success": False, "error": error.to_wire(), "meta": _meta(request_id)}
