"""Answers: what an endpoint returns, and how it looks on the wire."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson
from aiohttp import hdrs, web

from barberpro.domain.policy import Action, require_ever
from barberpro.handlers.rest.context import COMMAND_ID, OWN_HEADERS, REQUEST_ID, actor_if_any
from barberpro.handlers.rest.parsing import command_id, refuse_unknown_query
from barberpro.protocol.envelope import failure, page, success
from barberpro.protocol.errors import BarberProError

_NO_STORE: Final = {"Cache-Control": "no-store"}
"""States age by the second, and most answers are one person's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The `data` of an envelope."""

    data: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A list, with the cursor of the part after it; None at the end. meta: what more is to be said of it."""

    rows: list[object]
    next_cursor: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """Something else than JSON, and so without an envelope. name: of one that is to be kept."""

    body: bytes
    content_type: str
    name: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        kept = {"Content-Disposition": f'attachment; filename="{self.name}"'} if self.name is not None else {}
        return {**_NO_STORE, **kept}


Endpoint = Callable[[web.Request], Awaitable[Answer | Page | File]]


def endpoint(
    call: Endpoint, *actions: Action, query: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The aiohttp handler of an endpoint.

    actions: what may be asked there; whose role may do none of them does not come in. What it is about, and whether it
    is the caller's, the endpoint itself finds out. query: the parameters that it takes; all others are refused by name.
    headers: of whatever is answered, refusals as well.
    """
    if not actions:
        raise ValueError("an endpoint without an action of domain/policy.py would be open to everybody")

    async def answer(request: web.Request) -> web.Response:
        if headers:
            request[OWN_HEADERS] = headers
        require_ever(actor_if_any(request), *actions)
        refuse_unknown_query(request, query)
        if request.method != hdrs.METH_GET:
            key = command_id(request)  # one that is none is refused where it makes no difference, too
            if key is not None:
                request[COMMAND_ID] = key
        reply = await call(request)
        if isinstance(reply, File):
            return web.Response(body=reply.body, content_type=reply.content_type, headers=reply.headers)
        if isinstance(reply, Page):
            return _json(page(reply.rows, reply.next_cursor, reply.meta, request[REQUEST_ID]), 200, {})
        return _json(success(reply.data, request[REQUEST_ID]), reply.status, reply.headers)

    return answer


def refusal_reply(
    refusal: BarberProError, request_id: str, status: int | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The reply that tells of a refusal. status: when it is another than the code's own."""
    more = dict(headers or {})
    if refusal.retry_after is not None:
        more["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    if refusal.http_status == 401:
        more["WWW-Authenticate"] = "Bearer"
    return _json(failure(refusal, request_id), status or refusal.http_status, more)


def _json(document: object, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=orjson.dumps(document),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={**_NO_STORE, **headers},
    )
