"""openapi.json: sound in itself, at one with the models that check what comes in, and with docs/rest.md."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import TypeAdapter

from barberpro.domain.policy import TABLE, Action, Caller
from barberpro.handlers import openapi
from barberpro.handlers.openapi.document import document
from barberpro.handlers.rest.operations import Deprecation, Operation
from barberpro.handlers.rest.routes import ROUTES
from barberpro.protocol.codes import HTTP_STATUS, ErrorCode
from tests.support.asyncapi import references
from tests.support.openapi import RestContract
from tests.support.shops import Json

DOCS: Final = Path(__file__).parents[2] / "docs" / "rest.md"
OPERATIONS: Final = [route for route in ROUTES if isinstance(route, Operation)]
GONE: Final = Deprecation(datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC), "/api/v2/flags")


@cache
def contract() -> RestContract:
    return RestContract(openapi.whole())


def test_it_is_as_the_openapi_initiative_would_have_it() -> None:
    assert [str(problem) for problem in OpenAPIV31SpecValidator(contract().document).iter_errors()] == []


def test_their_schema_would_find_a_mistake() -> None:
    unsaid = {"/x/{id}": {"get": {"responses": {"200": {"description": "what {id} is, nobody says"}}}}}
    broken = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": unsaid}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to() -> None:
    named = set(references(contract().document))
    for reference in named:
        found: Any = contract().document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    schemas = {f"#/components/schemas/{name}" for name in contract().document["components"]["schemas"]}
    mapped = set(re.findall(r"#/components/schemas/\w+", str(contract().document)))
    assert schemas <= named | mapped


def test_bounds_are_told_in_the_words_of_json_schema() -> None:
    """Behind another validator pydantic tells them in its own, which nobody else knows."""
    assert re.findall(r"'(?:ge|gt|le|lt|min_length|max_length)': .{20}", str(contract().document)) == []


def test_every_endpoint_has_words_or_a_name_that_says_enough_and_the_roles_of_the_policy() -> None:
    for name, operation in contract().operations().items():
        assert operation["summary"], name
        for action, who in operation["x-access"].items():
            granted = {caller for caller, _ in TABLE[Action(action)]} - {Caller.SYSTEM}
            assert who.keys() == {caller.value for caller in granted}, name
            assert {} in operation["security"] or Caller.NOBODY not in granted or len(operation["x-access"]) > 1


def _examples() -> Iterator[tuple[str, Json, Any]]:
    shared = openapi.whole()["components"]["responses"]
    for name, operation in contract().operations().items():
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        answers = [shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                   for each in operation["responses"].values()]  # fmt: skip
        for content in (content for part in (*bodies, *answers) for content in part["content"].values()):
            if "schema" in content:
                shown = [content["example"]] if "example" in content else []
                yield (
                    name,
                    content["schema"],
                    [*shown, *(each["value"] for each in content.get("examples", {}).values())],
                )


def test_every_body_and_every_answer_has_an_example_that_fits_it() -> None:
    for name, schema, examples in _examples():
        assert examples, name
        for example in examples:
            assert contract().problem(schema, example) is None, (name, contract().problem(schema, example), example)


def test_every_example_of_a_body_is_taken_by_the_model_that_checks_it() -> None:
    for route in OPERATIONS:
        if route.takes is not None:
            example = contract().operations()[f"{route.method} {route.path}"]["requestBody"]["content"]
            TypeAdapter(route.takes).validate_python(example["application/json"]["example"])


def test_a_refusal_stands_under_its_status() -> None:
    for name, operation in contract().operations().items():
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                answer = contract().document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            for code in answer["content"].get("application/json", {}).get("examples", {}):
                assert HTTP_STATUS[ErrorCode(code)] == int(status), name


def test_an_endpoint_that_is_about_to_go_says_so() -> None:
    told = document([replace(OPERATIONS[0], deprecated=GONE)])["paths"][OPERATIONS[0].path]["get"]
    assert told["deprecated"] is True
    assert told["x-sunset"] == "2027-05-01T00:00:00+00:00"
    assert told["responses"]["200"]["headers"].keys() >= {"Deprecation", "Sunset"}
    assert "deprecated" not in contract().operations()[f"GET {OPERATIONS[0].path}"]


def test_a_deprecation_is_told_as_the_rfcs_write_it() -> None:
    assert GONE.headers == {
        "Deprecation": "@1793491200",
        "Sunset": "Sat, 01 May 2027 00:00:00 GMT",
        "Link": '</api/v2/flags>; rel="successor-version"',
    }
    with pytest.raises(ValueError, match="sunset"):
        Deprecation(GONE.sunset, GONE.since)


def _documented() -> set[str]:
    """The endpoints that docs/rest.md has a row for; ids have no names there."""
    told = set()
    for cell in re.findall(r"^\| ((?:GET|POST|PUT|PATCH|DELETE) /[^|]*)\|", DOCS.read_text(), re.MULTILINE):
        method, _, paths = cell.strip().partition(" ")
        told |= {f"{method} {_nameless(path.partition('?')[0])}" for path in paths.split(", ")}
    return told


def _nameless(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1"))


def test_every_endpoint_has_its_row_in_the_docs_and_the_docs_have_no_others() -> None:
    known = {
        f"{method} {_nameless(path)}" for method, _, path in (name.partition(" ") for name in contract().operations())
    }
    assert _documented() == known
