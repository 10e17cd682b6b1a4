"""A document in lines: a field or an endpoint each. Holds no tests itself."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from barberpro.handlers import openapi
from barberpro.handlers.asyncapi.document import document as live_document

Json = dict[str, Any]
_HERE: Final = Path(__file__).parent
REST: Final = _HERE / "rest.txt"
LIVE: Final = _HERE / "live.txt"


def rest_lines() -> list[str]:
    """Of openapi.json."""
    document = openapi.whole()
    operations = (
        line
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for line in _operation(f"{method.upper()} {path}", operation, document["components"])
    )
    return [*operations, *_schemas(document["components"]["schemas"])]


def live_lines() -> list[str]:
    """Of asyncapi.json."""
    components = live_document()["components"]
    messages = (
        line for name, message in components["messages"].items() for line in _fields(f"({name})", message["payload"])
    )
    return [*messages, *_schemas(components["schemas"])]


def _operation(name: str, operation: Json, components: Json) -> Iterator[str]:
    yield f"{name} is {operation['operationId']}"
    for parameter in operation.get("parameters", []):
        each = components["parameters"][parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
        needed = "" if each.get("required") else "?"
        yield f"{name} takes {each['in']} {each['name']}{needed}: {_type(each['schema'])}"
    if "requestBody" in operation:
        yield f"{name} takes {_type(operation['requestBody']['content']['application/json']['schema'])}"
    refused = []
    for status, answer in operation["responses"].items():
        answer = components["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        if int(status) >= 400:
            refused += answer["content"]["application/json"]["examples"]
            continue
        for kind, content in answer["content"].items():
            yield f"{name} answers {status} {_answer(kind, content.get('schema', {}))}"
    if refused:
        yield f"{name} refuses {', '.join(refused)}"


def _answer(kind: str, schema: Json) -> str:
    if kind != "application/json" or not schema:
        return kind
    if "data" in schema.get("properties", {}):
        return f"{_type(schema['properties']['data'])}, meta {_type(schema['properties']['meta'])}"
    return _type(schema)


def _schemas(schemas: Json) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield from _fields(name, schema)


def _fields(name: str, schema: Json) -> Iterator[str]:
    if "properties" not in schema:
        yield f"{name}: {_type(schema)}"
        return
    if not schema["properties"]:
        yield f"{name}: nothing"
    for field, each in schema["properties"].items():
        needed = "" if field in schema.get("required", []) else "?"
        yield f"{name}.{field}{needed}: {_type(each)}"


def _type(schema: Json) -> str:
    """In one line."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for union, word in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if union in schema and "properties" not in schema:
            return word.join(map(_type, schema[union]))
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " | ".join(map(repr, schema["enum"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"[{_type(schema.get('items', {}))}]{_bounds(schema)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{{any: {_type(schema['additionalProperties'])}}}"
    if kind == "object" and "properties" in schema:
        return "{" + ", ".join(line.removeprefix(".") for line in _fields("", schema)) + "}"
    return f"{kind}{_bounds(schema)}"


_NARROWER: Final = ("format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def _bounds(schema: Json) -> str:
    told = [f"{name} {schema[name]}" for name in _NARROWER if name in schema]
    return f" ({', '.join(told)})" if told else ""


def write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("\n".join(lines) + "\n")
