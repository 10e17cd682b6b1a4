"""What endpoints answer: envelopes of their data, files, and refusals by status."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, get_origin

from barberpro.handlers.asyncapi.schemas import PLACE, Schemas
from barberpro.handlers.openapi.examples import Examples
from barberpro.handlers.rest.operations import V1, Operation, Plain
from barberpro.protocol.codes import HTTP_STATUS, MESSAGES, TEMPORARY, ErrorCode
from barberpro.protocol.envelope import Failure, Meta, PageMeta
from barberpro.protocol.errors import BarberProError

Json = dict[str, Any]

_OF_ANY_TOKEN: Final = (ErrorCode.UNAUTHORIZED, ErrorCode.TOKEN_EXPIRED, ErrorCode.TOKEN_REVOKED)
_OF_THE_API: Final = (
    *_OF_ANY_TOKEN,
    ErrorCode.RATE_LIMIT_EXCEEDED,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.PERSISTENCE_UNAVAILABLE,
    ErrorCode.SHUTTING_DOWN,
)
_OF_BODIES: Final = (ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
_MEANINGS: Final = {200: "Done.", 201: "Made.", 202: "Taken; it is done later."}
_REQUEST_ID: Final = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_RATES: Final = {
    "X-RateLimit-Limit": {"$ref": "#/components/headers/RateLimit"},
    "X-RateLimit-Remaining": {"$ref": "#/components/headers/RateLeft"},
}
_RETRY: Final = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}


def refused_codes(route: Operation | Plain, by_policy: Iterable[ErrorCode]) -> dict[int, list[ErrorCode]]:
    """By status: what the endpoint refuses, and what everything of its kind may be refused with."""
    codes = set(route.refuses)
    if isinstance(route, Operation):
        codes.add(ErrorCode.BAD_REQUEST)
    if route.path.startswith(V1):
        codes.update(_OF_THE_API, by_policy, {ErrorCode.NOT_FOUND} if "{" in route.path else ())
        if route.method != "GET":
            codes.update(_OF_BODIES)
    by_status: defaultdict[int, list[ErrorCode]] = defaultdict(list)
    for code in ErrorCode:
        if code in codes:
            by_status[HTTP_STATUS[code]].append(code)
    return dict(sorted(by_status.items()))


class Answers:
    """`of` an endpoint its answers; `shared`: those that many of them have, by name."""

    def __init__(self, schemas: Schemas, examples: Examples) -> None:
        self._schemas = schemas
        self._examples = examples
        self.shared: Json = {}

    def of(self, route: Operation | Plain, refused: dict[int, list[ErrorCode]]) -> Json:
        counted = _RATES if route.path.startswith(V1) else {}
        headers = {**_REQUEST_ID, **counted, **_of_the_endpoint(route)}
        statuses = route.statuses if isinstance(route, Operation) else (200,)
        content = self._content(route)
        told = {
            str(status): {"description": _MEANINGS[status], "headers": headers, "content": content}
            for status in statuses
        }
        return told | {str(status): self._refusal(status, codes) for status, codes in refused.items()}

    def _content(self, route: Operation | Plain) -> Json:
        if isinstance(route, Plain) and route.tells is not None:
            schema = self._schemas.of(route.tells)
            return {kind: {"schema": schema, "example": self._examples.of(schema)} for kind in route.files}
        if route.files:
            return {kind: {} for kind in route.files}
        assert isinstance(route, Operation)  # noqa: S101 - a Plain has files
        data = self._schemas.of(route.tells)
        meta = self._meta(route)
        schema = {
            "type": "object",
            "properties": {"success": {"const": True}, "data": data, "meta": meta},
            "required": ["success", "data", "meta"],
        }
        example = {"success": True, "data": self._examples.of(data), "meta": self._examples.of(meta)}
        return {"application/json": {"schema": schema, "example": example}}

    def _meta(self, route: Operation) -> Json:
        own = self._schemas.of(PageMeta if get_origin(route.tells) is list else Meta)
        if route.meta is None:
            return own
        parts = [
            self._schemas.definitions[each["$ref"].removeprefix(PLACE)] for each in (own, self._schemas.of(route.meta))
        ]
        properties = {name: each for part in parts for name, each in part["properties"].items()}
        return {"type": "object", "properties": properties, "required": list(properties)}

    def _refusal(self, status: int, codes: list[ErrorCode]) -> Json:
        name = "_or_".join(codes) if len(codes) < _FEW else None
        if name is not None and name in self.shared:
            return {"$ref": f"#/components/responses/{name}"}
        told = self._told(codes)
        if name is None:
            return told
        self.shared[name] = told
        return {"$ref": f"#/components/responses/{name}"}

    def _told(self, codes: list[ErrorCode]) -> Json:
        failure = self._schemas.of(Failure)
        narrowed = {"properties": {"error": {"properties": {"code": {"enum": [code.value for code in codes]}}}}}
        return {
            "description": " ".join(f"{code.value}: {MESSAGES[code]}" for code in codes),
            "headers": {**_REQUEST_ID, **(_RETRY if TEMPORARY.issuperset(codes) else {})},
            "content": {
                "application/json": {
                    "schema": {"allOf": [failure, narrowed]},
                    "examples": {code.value: {"value": self._example(code)} for code in codes},
                }
            },
        }

    def _example(self, code: ErrorCode) -> Json:
        error = {**BarberProError(code).to_wire(), "details": _DETAILS.get(code, {})}
        return {"success": False, "error": error, "meta": self._examples.of(self._schemas.of(Meta))}


_FEW: Final = 5
_DETAILS: Final[dict[ErrorCode, Json]] = {
    ErrorCode.BAD_REQUEST: {"fields": [{"path": "limit", "problem": "is not a whole number"}]},
    ErrorCode.NOT_FOUND: {"resource": "booking"},
    ErrorCode.FORBIDDEN: {"role": "customer"},
    ErrorCode.PAYLOAD_TOO_LARGE: {"limitBytes": 65_536},
    ErrorCode.PHONE_CONFIRMATION_REQUIRED: {"noShows": 3, "days": 30},
    ErrorCode.BARBER_UNAVAILABLE: {
        "barberId": "bb_4t8n1c6x0azd",
        "fields": [{"path": "preferredTime", "problem": "is outside the shifts"}],
        "nextAvailableTime": "2026-11-24T09:30:00.000Z",
    },
}


def _of_the_endpoint(route: Operation | Plain) -> Json:
    told = {}
    if isinstance(route, Operation) and route.cookie is not None:
        told["Set-Cookie"] = {"$ref": "#/components/headers/SetCookie"}
    if isinstance(route, Operation) and route.deprecated is not None:
        told |= {name: {"$ref": f"#/components/headers/{name}"} for name in ("Deprecation", "Sunset")}
    return told
