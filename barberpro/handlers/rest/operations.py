"""What an endpoint is: how it is reached, what it takes and tells, who may ask, and what it refuses.

The server answers by it (`handler`), and openapi.json and the Python client's methods are made from it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, Literal

from aiohttp import web

from barberpro.domain.policy import Action
from barberpro.handlers.rest.replies import Endpoint, endpoint
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.queries import Query

V1: Final = "/api/v1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """An endpoint that is about to go. since: when it was called deprecated; sunset: when it may go.

    instead: the path of what takes its place.
    """

    since: datetime
    sunset: datetime
    instead: str | None = None

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.sunset.tzinfo is None or self.sunset < self.since:
            raise ValueError("a deprecation needs two instants, the sunset not before the other one")

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9745, RFC 8594, and a link (RFC 5829) to what takes its place."""
        told = {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.sunset.astimezone(UTC), usegmt=True),
        }
        if self.instead is not None:
            told["Link"] = f'<{self.instead}>; rel="successor-version"'
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An endpoint.

    name: what clients call it. actions: what may be asked there (domain/policy.py); none: it is for everybody.
    takes: the model of its body, or a union of them; None: it takes none. tells: the type of `data`; a list of them:
    in pages. meta: what more `meta` tells. statuses: of what it tells, the usual one first. refuses: codes beside those
    that everything may be refused with. files: media types of what it answers in place of an envelope. cookie: what it
    does with a page's refresh token, where that is in a cookie (session_cookie.py). example: of a body, where examples
    of its fields do not make one.
    """

    method: str
    path: str
    name: str
    call: Endpoint
    actions: tuple[Action, ...]
    takes: Any = None
    query: type[Query] | None = None
    tells: Any = None
    meta: Any = None
    statuses: tuple[int, ...] = (200,)
    refuses: tuple[ErrorCode, ...] = ()
    files: tuple[str, ...] = ()
    cookie: Literal["sets", "takes", "ends"] | None = None
    example: Mapping[str, object] | None = None
    deprecated: Deprecation | None = None

    @property
    def handler(self) -> Handler:
        known = self.query.names() if self.query is not None else ()
        headers = self.deprecated.headers if self.deprecated is not None else {}
        return endpoint(self.call, *self.actions, query=known, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """An endpoint whose answers have no envelope; refusals have one.

    call: aiohttp's handler; None where the door that serves it has one of its own. files: the media types of its
    answers. actions, query, refuses: as of an Operation. words: what it is, where no handler's docstring tells.
    """

    path: str
    name: str
    files: tuple[str, ...]
    call: Handler | None = None
    method: str = "GET"
    actions: tuple[Action, ...] = (Action.SEE_SYSTEM,)
    query: type[Query] | None = None
    refuses: tuple[ErrorCode, ...] = ()
    tells: Any = None
    words: str | None = None

    @property
    def handler(self) -> Handler:
        if self.call is None:
            raise ValueError(f"{self.path} is served by a door of its own")
        return self.call


def _maker(method: str) -> Callable[..., Operation]:
    def make(path: str, name: str, call: Endpoint, *actions: Action, **more: Any) -> Operation:  # noqa: ANN401 - fields of an Operation
        return Operation(method=method, path=path, name=name, call=call, actions=actions, **more)

    return make


get, post, put, patch, delete = map(_maker, ("GET", "POST", "PUT", "PATCH", "DELETE"))
