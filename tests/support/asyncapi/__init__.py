"""What asyncapi.json promises, to hold messages against. Holds no tests itself.

schema-3.0.0.json is the AsyncAPI initiative's own, from the npm package @asyncapi/specs 6.11.1 (there it is called
`3.0.0-without-$id.json`, and has line breaks), under the Apache licence beside it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import best_match

from tests.support.shops import Json

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", ValueError)
def _is_instant(text: object) -> bool:
    return isinstance(text, str) and text.endswith("Z") and datetime.fromisoformat(text).microsecond % 1000 == 0


@FORMATS.checks("date", ValueError)
def _is_date(text: object) -> bool:
    return isinstance(text, str) and bool(date.fromisoformat(text))


@cache
def asyncapi_schema() -> Draft7Validator:
    """Of any AsyncAPI 3.0.0 document. Blocking."""
    return Draft7Validator(orjson.loads((Path(__file__).parent / "schema-3.0.0.json").read_bytes()))


class Contract:
    """`hold` messages to it. `seen`: the names of those that were, as in the document's components."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._closed: Json = closed(document["components"])
        self.seen: set[str] = set()

    def problem(self, message: str, payload: object) -> str | None:
        """Where and why a payload is not what the document says; fields that it does not name are one, too."""
        schema = {"$ref": f"#/components/messages/{message}/payload", "components": self._closed}
        # As the other side gets it.
        received = orjson.loads(orjson.dumps(payload))
        error = best_match(Draft7Validator(schema, format_checker=FORMATS).iter_errors(received))
        return f"{message}: {error.json_path}: {error.message}" if error is not None else None

    def hold(self, message: str, payload: object) -> None:
        problem = self.problem(message, payload)
        assert problem is None, f"{problem}\n{payload}"
        self.seen.add(message)

    def of(self, action: str) -> set[str]:
        """The components' names of all messages that the server gets ("receive") or says ("send")."""
        operations = self.document["operations"].values()
        named = [each for operation in operations if operation["action"] == action for each in operation["messages"]]
        if action == "send":
            named += [each for operation in operations for each in operation.get("reply", {}).get("messages", [])]
        return {self.resolve(each["$ref"])["$ref"].rpartition("/")[2] for each in named}

    def resolve(self, reference: str) -> Any:  # noqa: ANN401 - any part of it
        """What a reference names. Raises KeyError."""
        found = self.document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        return found


def references(part: object) -> Iterable[str]:
    """All in a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def closed(part: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Schemas that refuse what they do not name. To clients they say nothing of it: there may be more one day."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    shut = {name: closed(each) for name, each in part.items()}
    if part.get("type") == "object" and "properties" in part:
        shut.setdefault("additionalProperties", False)
    return shut
