"""The OpenAPI document: every endpoint that the server has, by the very tables that it answers by."""

from collections.abc import Iterable
from typing import Any, Final

from barberpro import __version__
from barberpro.domain.policy import Action, Caller, Relation, callers_of, refusals_of
from barberpro.handlers.asyncapi.schemas import PLACE, Schemas, Untitled
from barberpro.handlers.openapi.answers import Answers, refused_codes
from barberpro.handlers.openapi.examples import SCENE, Examples
from barberpro.handlers.openapi.words import words_of
from barberpro.handlers.rest.operations import V1, Operation, Plain
from barberpro.protocol.codes import HTTP_STATUS, MESSAGES, TEMPORARY, ErrorCode
from barberpro.protocol.envelope import Failure, Meta, PageMeta
from barberpro.protocol.flags import FLAG_PATTERN
from barberpro.protocol.ids import ID_PATTERN

Json = dict[str, Any]

_DESCRIPTION: Final = """\
The shop's line and the rest of it. Answers are in an envelope, `{success, data, meta}` or `{success, error, meta}`;
errors are the same `{code, message, temporary, details}` everywhere, and `x-error-codes` lists them. Lists come in
parts: `meta.nextCursor` asks for the next one, null at the end. Writes take `Idempotency-Key`: the same request with
the same key is carried out once. Unknown fields and parameters are refused by name; clients must pass over fields of
answers that they do not know. The live doors are in /asyncapi.json."""
_TAGS: Final = {
    "auth": "Accounts: ways in, what is one's own, and ways out.",
    "bookings": "Places in a line, and appointments.",
    "reviews": "What the shop says to a rating.",
    "barbers": "Searched for, looked at, and when they work.",
    "queue": "Lines: looked at, and worked; and what came of it.",
    "shops": "What they are and offer, who works there, what stands at the door.",
    "invitations": "To work in a shop.",
    "devices": "Displays and kiosks.",
    "payments": "The ledger.",
    "flags": "Which features are on.",
    "admin": "For administrators.",
    "system": "The server itself, and its pages.",
}
_PARTS: Final[Json] = {
    "parameters": {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes the request safe to repeat; it is echoed. Of a command it is the id.",
            "schema": {"type": "string", "pattern": ID_PATTERN},
            "example": SCENE["commandId"],
        },
        "RefreshToken": {
            "name": "X-Refresh-Token",
            "in": "header",
            "description": "`cookie`: the refresh token is in a cookie, for the server's own pages.",
            "schema": {"type": "string"},
            "example": "cookie",
        },
    },
    "headers": {
        "RequestId": {"description": "Of this request, for support.", "schema": {"type": "string"}},
        "RateLimit": {"description": "How many requests there are a minute.", "schema": {"type": "string"}},
        "RateLeft": {"description": "How many of them are left.", "schema": {"type": "string"}},
        "RetryAfter": {"description": "Seconds after which to try again.", "schema": {"type": "string"}},
        "Deprecation": {"description": "Since when it is deprecated (RFC 9745).", "schema": {"type": "string"}},
        "SetCookie": {"description": "The refresh token, where it was asked for so.", "schema": {"type": "string"}},
        "Sunset": {"description": "When it may go (RFC 8594).", "schema": {"type": "string"}},
    },
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's access token, a guest's ticket or a device's token. Never in the URL.",
        }
    },
}


def document(routes: Iterable[Operation | Plain]) -> Json:
    """Made from the models anew."""
    return _Document(list(routes)).whole()


class _Document:
    def __init__(self, routes: list[Operation | Plain]) -> None:
        self._routes = routes
        asked = [model for route in routes for model in (route.query, getattr(route, "takes", None)) if model]
        told = [model for route in routes for model in (route.tells, getattr(route, "meta", None)) if model]
        self._schemas = Schemas(
            [*((each, True) for each in asked), *((each, False) for each in (*told, Failure, Meta, PageMeta))],
            generator=Untitled,
        )
        inlined = [model for route in routes for model in (route.query, getattr(route, "meta", None)) if model]
        self._inlined = {model.__name__ for model in inlined}
        self._examples = Examples(self._schemas.definitions)
        self._answers = Answers(self._schemas, self._examples)

    def whole(self) -> Json:
        paths: Json = {}
        for route in self._routes:
            paths.setdefault(route.path, {})[route.method.lower()] = self._operation(route)
        used = {operation["tags"][0] for path in paths.values() for operation in path.values()}
        schemas = {name: each for name, each in self._schemas.definitions.items() if name not in self._inlined}
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "BarberPro",
                "version": __version__,
                "description": _DESCRIPTION,
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/", "description": "The server that shows this document."}],
            "tags": [{"name": name, "description": words} for name, words in _TAGS.items() if name in used],
            "paths": paths,
            "components": {"schemas": schemas, **_PARTS, "responses": self._answers.shared},
            "x-error-codes": {code.value: _error(code) for code in ErrorCode},
        }

    def _operation(self, route: Operation | Plain) -> Json:
        told: Json = {
            "operationId": route.name,
            "tags": [_tag(route.path)],
            "summary": route.name.replace("_", " ").capitalize(),
            "description": f"{words_of(route)}\n\nWho: {_who(*route.actions)}.".strip(),
            "x-access": {action.value: _access(action) for action in route.actions},
        }
        if isinstance(route, Operation) and route.deprecated is not None:
            told |= {"deprecated": True, "x-sunset": route.deprecated.sunset.isoformat()}
        parameters = [*self._path(route), *self._query(route)]
        if route.method != "GET" and route.path.startswith(V1):
            parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
        if isinstance(route, Operation) and route.cookie is not None:
            parameters.append({"$ref": "#/components/parameters/RefreshToken"})
        if parameters:
            told["parameters"] = parameters
        if isinstance(route, Operation) and route.takes is not None:
            told["requestBody"] = self._body(route)
        told["responses"] = self._answers.of(route, refused_codes(route, refusals_of(*route.actions)))
        nobody = Caller.NOBODY in callers_of(*route.actions)
        told["security"] = [*([{}] if nobody else []), *([{"bearer": []}] if route.path.startswith(V1) else [])]
        return told

    def _path(self, route: Operation | Plain) -> Iterable[Json]:
        for part in route.path.split("/"):
            if part.startswith("{"):
                name = part.strip("{}")
                pattern = f"^{FLAG_PATTERN}$" if name == "flagName" else ID_PATTERN
                yield {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": pattern},
                    "example": SCENE[name],
                }

    def _query(self, route: Operation | Plain) -> Iterable[Json]:
        if route.query is None:
            return
        model = self._schemas.definitions[route.query.__name__]
        for name, schema in model["properties"].items():
            plain = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
            given = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
            plain = {**plain, **(given[0] if given else {})}
            if schema.get("default") is not None:
                plain["default"] = schema["default"]
            yield {"name": name, "in": "query", "required": name in model.get("required", []), "schema": plain}

    def _body(self, route: Operation) -> Json:
        schema = self._schemas.of(route.takes)
        example = route.example if route.example is not None else self._examples.of(schema)
        needed = schema if "$ref" not in schema else self._schemas.definitions[schema["$ref"].removeprefix(PLACE)]
        return {
            "required": route.cookie != "takes" and ("properties" not in needed or bool(needed.get("required"))),
            "content": {"application/json": {"schema": schema, "example": dict(example)}},
        }


def _tag(path: str) -> str:
    """The area that a path is of."""
    if not path.startswith(V1):
        return "system"
    return path.removeprefix(V1).split("/")[1]


_RELATIONS: Final = {
    Relation.OWNER: "their own",
    Relation.MEMBER: "of their shop",
    Relation.PUBLIC: "where the shop shows it",
}
_CALLERS: Final = {
    Caller.NOBODY: "anybody, without a token",
    Caller.TICKET: "a guest with a ticket",
    Caller.DOOR: "a guest at the door",
    Caller.SYSTEM: "",
}


def _who(*actions: Action) -> str:
    callers = callers_of(*actions)
    if all(len(callers.get(caller, ())) == len(Relation) for caller in Caller):
        return "everybody"
    return ", ".join(_of(caller, relations) for caller, relations in callers.items() if caller is not Caller.SYSTEM)


def _of(caller: Caller, relations: frozenset[Relation]) -> str:
    name = _CALLERS.get(caller, caller.value)
    if len(relations) == len(Relation):
        return name
    return f"{name} ({' or '.join(words for each, words in _RELATIONS.items() if each in relations)})"


def _access(action: Action) -> Json:
    """Who may do it, by the policy's table: each caller's relations."""
    return {
        caller.value: [relation.value for relation in Relation if relation in relations]
        for caller, relations in callers_of(action).items()
        if caller is not Caller.SYSTEM
    }


def _error(code: ErrorCode) -> Json:
    return {"httpStatus": HTTP_STATUS[code], "temporary": code in TEMPORARY, "message": MESSAGES[code]}
