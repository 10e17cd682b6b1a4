"""What openapi.json promises, to hold answers against. Holds no tests itself."""

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from tests.support.asyncapi import FORMATS, closed
from tests.support.shops import Json


class RestContract:
    """`problem`: what an answer, or a body, has that the document does not say."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._components: Json = {**document["components"], "schemas": closed(document["components"]["schemas"])}

    def problem(self, schema: Json, value: Any) -> str | None:  # noqa: ANN401 - any JSON
        """Where and why a value is not what the schema says; fields that it does not name are one, too."""
        whole = {**closed(schema), "components": self._components}
        error = best_match(Draft202012Validator(whole, format_checker=FORMATS).iter_errors(value))
        return f"{error.json_path}: {error.message}" if error is not None else None

    def operations(self) -> dict[str, Json]:
        """By method and path."""
        return {
            f"{method.upper()} {path}": operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }
