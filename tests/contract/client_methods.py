"""The Python client's methods, made from the tables that REST answers by. Holds no tests itself."""

import builtins
import keyword
import re
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Final, get_args, get_origin

import barberpro
from barberpro.handlers import openapi
from barberpro.handlers.openapi.words import words_of
from barberpro.handlers.rest.operations import Operation, Plain
from barberpro.protocol import commands

Json = dict[str, Any]
API: Final = Path(barberpro.__file__).parent / "clients" / "python" / "api"
ELSEWHERE: Final = {"stream"}
"""What the client does in a way of its own: it watches rooms over Socket.IO."""
_HEAD: Final = '''\
"""{title}.

Made from openapi.json by `python -m tests.contract.rewrite`; a test holds it to that.
"""
{imports}

class {name}(Calls):
'''


def files() -> dict[str, str]:
    """The sources of barberpro/clients/python/api, by name."""
    document = openapi.whole()
    areas: defaultdict[str, list[Operation | Plain]] = defaultdict(list)
    for route in openapi.routes():
        if route.name not in ELSEWHERE and route.files != ("text/html",):
            areas[document["paths"][route.path][route.method.lower()]["tags"][0]].append(route)
    words = {tag["name"]: tag["description"].rstrip(".") for tag in document["tags"]}
    made = {f"{area}.py": _file(area, words[area], routes, document) for area, routes in areas.items()}
    return {**made, "every.py": _formatted(_every(sorted(areas)))}


def _every(areas: list[str]) -> str:
    lines = ['"""All of them. Made as the others."""', ""]
    lines += [f"from barberpro.clients.python.api.{area} import {area.title()}" for area in areas]
    bases = ", ".join(area.title() for area in areas)
    return "\n".join(
        [*lines, "", "", f"class Endpoints({bases}):", '    """Every endpoint of the server, typed."""', ""]
    )


def _file(area: str, title: str, routes: list[Operation | Plain], document: Json) -> str:
    methods = [_Method(route, document) for route in routes]
    source = "\n".join(method.source() for method in methods)
    names: defaultdict[str, set[str]] = defaultdict(set)
    for module, name in (each for method in methods for each in method.imports):
        names[module].add(name)
    if "Page[" in source:
        names["barberpro.clients.python.rest"].add("Page")
    if "OMITTED" in source:
        names["barberpro.clients.python.rest"] |= {"OMITTED", "Omitted"}
    if "quoted(" in source:
        names["barberpro.clients.python.rest"].add("quoted")
    names["barberpro.clients.python.api.calls"].add("Calls")
    for name in ("Any", "Literal"):
        if re.search(rf"\b{name}\b", source):
            names["typing"].add(name)
    typing = f"from typing import {', '.join(sorted(names.pop('typing')))}\n\n" if "typing" in names else ""
    imports = typing + "\n".join(f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names))
    return _formatted(_HEAD.format(title=title, imports="\n" + imports + "\n", name=area.title()) + source)


class _Method:
    """An endpoint as a method."""

    def __init__(self, route: Operation | Plain, document: Json) -> None:
        self._route = route
        self._schemas = document["components"]["schemas"]
        self._operation = document["paths"][route.path][route.method.lower()]
        self.imports: set[tuple[str, str]] = set()

    def source(self) -> str:
        path = re.findall(r"\{(\w+)\}", self._route.path)
        query = [each for each in self._operation.get("parameters", []) if each.get("in") == "query"]
        body = list(self._body())
        parameters = [f"{_own(name)}: str" for name in path]
        keywords = [f"{_own(name)}: {type_}" for name, type_, needed in body if needed]
        keywords += [self._asked(each) for each in sorted(query, key=lambda each: not each["required"])]
        keywords += [
            f"{_own(name)}: {_either([type_, 'Omitted'])} = OMITTED" for name, type_, needed in body if not needed
        ]
        if self._route.method != "GET":
            keywords.append("idempotency_key: str | None = None")
        signature = ", ".join(["self", *parameters, *(["*", *keywords] if keywords else [])])
        returned, call = self._answered(bool(body), [each["name"] for each in query])
        docs = textwrap.indent(_docstring(words_of(self._route) or self._operation["summary"]), " " * 8)
        lines = [f"    async def {self._route.name}({signature},) -> {returned}:", docs]
        if body:
            lines.append("        body = {" + ", ".join(f'"{name}": {_own(name)}' for name, _, _ in body) + "}")
        if query:
            names = [each["name"] for each in query]
            lines.append("        query = {" + ", ".join(f'"{name}": {_own(name)}' for name in names) + "}")
        return "\n".join([*lines, f"        told: {returned} = await {call}", "        return told", ""])

    def _answered(self, body: bool, query: list[str]) -> tuple[str, str]:
        """What it returns, and the call that gets it."""
        path = re.sub(r"\{(\w+)\}", lambda name: f"{{quoted({_own(name[1])})}}", self._route.path)
        given = [f'{"f" if "{" in path else ""}"{path}"']
        if get_origin(self._route.tells) is list:
            rows = self._named(get_args(self._route.tells)[0])
            return f"Page[{rows}]", f"self._rest.page({', '.join([*given, *(['query'] if query else [])])})"
        if isinstance(self._route, Plain) and self._route.files == ("application/json",):
            told = self._named(self._route.tells) if self._route.tells is not None else "dict[str, Any]"
            return told, f"self._rest.document({given[0]})"
        given = [f'"{self._route.method}"', *given]
        given += [f"{name}={name}" for name, there in (("query", query), ("body", body)) if there]
        given += ["key=idempotency_key"] if self._route.method != "GET" else []
        if self._route.files:
            return "bytes", f"self._rest.raw({', '.join(given)})"
        return self._named(self._route.tells), f"self._rest.data({', '.join(given)})"

    def _asked(self, parameter: Json) -> str:
        type_ = self._type(parameter["schema"])
        return f"{_own(parameter['name'])}: {type_}" + ("" if parameter["required"] else " | None = None")

    def _body(self) -> Iterator[tuple[str, str, bool]]:
        """The fields of the body, of all its forms: name, type, whether it must be there."""
        if "requestBody" not in self._operation:
            return
        schema = self._operation["requestBody"]["content"]["application/json"]["schema"]
        refs = [each["$ref"] for each in schema.get("anyOf", schema.get("oneOf", [schema]))]
        forms = [self._schemas[each.rpartition("/")[2]] for each in refs]
        types: defaultdict[str, list[str]] = defaultdict(list)
        for form in forms:
            for name, each in form["properties"].items():
                types[name].append(self._type(each))
        for name, told in types.items():
            needed = all(name in form.get("required", []) for form in forms)
            yield name, _either(told), needed

    def _named(self, told: Any) -> str:  # noqa: ANN401 - a type
        """A type by its name, imported."""
        if isinstance(told, UnionType):
            return " | ".join(map(self._named, get_args(told)))
        self.imports.add((told.__module__, told.__name__))
        return str(told.__name__)

    def _type(self, schema: Json) -> str:
        if "$ref" in schema:
            return self._named(_model(schema["$ref"].rpartition("/")[2]))
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return _either([self._type(each) for each in schema[union]])
        words = [schema["const"]] if "const" in schema else schema.get("enum")
        if words:
            return f"Literal[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in words)}]"
        match schema.get("type"):
            case "array":
                return f"list[{self._type(schema['items'])}]"
            case "object":
                return f"dict[str, {self._type(schema['additionalProperties'])}]"
        return {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}[schema["type"]]


def _either(types: list[str]) -> str:
    """Any of them; words in one list, None at the end."""
    parts = dict.fromkeys(part for each in types for part in each.split(" | "))
    words = dict.fromkeys(word for each in parts if each.startswith("Literal[") for word in each[8:-1].split(", "))
    whole = [f"Literal[{', '.join(words)}]"] if words else []
    others = [each for each in parts if not each.startswith("Literal[")]
    return " | ".join(sorted((*whole, *others), key=lambda part: part == "None"))


def _model(name: str) -> Any:  # noqa: ANN401 - a class
    for module in [commands, *(each for path, each in sys.modules.items() if path.startswith("barberpro.protocol."))]:
        found = getattr(module, name, None)
        if found is not None and found.__module__ == module.__name__:
            return found
    raise LookupError(name)


def _own(name: str) -> str:
    """A field's name as Python has it."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return f"{snake}_" if keyword.iskeyword(snake) or hasattr(builtins, snake) else snake


def _docstring(words: str) -> str:
    wrapped = textwrap.wrap(f'"""{" ".join(words.split())}', 110)
    return wrapped[0] + '"""' if len(wrapped) == 1 else "\n".join([*wrapped, '"""'])


def _formatted(source: str) -> str:
    """As `make lint` wants it."""
    options = ("--config", str(Path(__file__).parents[2] / "pyproject.toml"), "-")
    for words in (("check", "--quiet", "--select", "I,F401", "--fix", *options), ("format", "--quiet", *options)):
        command = [sys.executable, "-m", "ruff", *words]
        source = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words
    return source
