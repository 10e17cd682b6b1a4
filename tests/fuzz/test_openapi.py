"""Whatever openapi.json allows, and much that it does not, is asked of a live server: each endpoint by itself, and one
after the other with what the last one told. No answer may be other than the document says.

By Schemathesis. Longer: `make fuzz TIMES=20 ARGS=tests/fuzz/test_openapi.py`.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis.stateful import run_state_machine_as_test
from requests import Response, Session
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from barberpro.domain import guests
from barberpro.handlers import openapi
from barberpro.server.node import NodeOptions
from tests.fuzz.effort import examples
from tests.support.callers import scene
from tests.support.logs import nothing_wrong_is_logged
from tests.support.openapi import RestContract
from tests.support.shops import ADMIN, VIA, Json
from tests.support.visitors import Visitors

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""And `negative_data_rejection`, of what is still wrong when it is about what there is."""
STREAMS: Final = "/api/v1/queue/stream"
"""Lasts: tests/integration/test_event_stream.py."""


class Asking:
    """Asks a server, and holds what it says to the document. problems: what was wrong, told at the end: to say it again
    would be another request, to a shop that has changed."""

    def __init__(self, url: str, visitors: Visitors, document: Json) -> None:
        self.url = url
        self.schema = schemathesis.openapi.from_dict(document).exclude(path=STREAMS)
        self.contract = RestContract(self.schema.raw_schema)
        self.visitors = visitors
        self.session = Session()
        self.wrong: dict[str, bool] = {}
        self.problems: list[str] = []
        self.answers: Counter[tuple[str, int]] = Counter()

    def prepare(self, case: "Case[Any]") -> dict[str, str]:
        """Makes it about what there is. Its headers."""
        case.path_parameters = self.visitors.placed(case.path_parameters)
        if isinstance(case.body, dict):
            case.body = self.visitors.placed(case.body)
        made = case.meta.components if case.meta is not None else {}  # as it is by now
        wrong = {where for where, how in made.items() if how.mode is GenerationMode.NEGATIVE}
        # A caller's own token comes in the place of one that was made up.
        self.wrong[case.id] = bool(wrong - {ParameterLocation.HEADER})
        return self.visitors.headers(case.operation.definition.raw)

    def judge(self, case: "Case[Any]", response: Any) -> None:  # noqa: ANN401 - requests' or Schemathesis's
        self.answers[case.operation.label, response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS + [negative_data_rejection] * self.wrong.pop(case.id))
        except (FailureGroup, AssertionError) as failures:
            told = getattr(failures, "exceptions", [failures])
            self.problems += [f"{case.operation.label}: {each} {case.as_curl_command()}" for each in told]
        problem = self._problem(case, response)
        if problem is not None:
            self.problems.append(f"{case.operation.label}: {problem}")

    def _problem(self, case: "Case[Any]", response: Any) -> str | None:  # noqa: ANN401 - as judge's
        """Fields that the document does not name, too."""
        answer = case.operation.definition.raw["responses"].get(str(response.status_code), {})
        content = answer.get("content", {}).get("application/json", {})
        return self.contract.problem(content["schema"], orjson.loads(response.content)) if "schema" in content else None

    def ask(self, case: "Case[Any]") -> None:
        headers = self.prepare(case)
        self.judge(case, case.call(base_url=self.url, session=self.session, headers=headers))


@pytest.fixture
async def asking(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Asking]:
    with nothing_wrong_is_logged():
        async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as stage:
            await guests.change_code(stage.door.node.pool, ADMIN, stage.door.shop.shop_id, VIA)
            url, visitors = str(stage.door.client.make_url("/")), await Visitors.to(stage)
            asking = await asyncio.to_thread(Asking, url, visitors, openapi.whole())
            yield asking
            await asyncio.to_thread(asking.session.close)
        gc.collect()


def _each_by_itself(asking: Asking, count: int, mode: GenerationMode) -> None:
    for found in asking.schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not operation.definition.raw.keys() & {"parameters", "requestBody"}:
            continue  # it takes nothing that could be wrong

        @examples(count, shrunk=False)
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: "Case[Any]") -> None:
            asking.ask(case)

        ask()


async def test_every_endpoint_answers_as_the_document_says(asking: Asking) -> None:
    await asyncio.to_thread(_each_by_itself, asking, 3, GenerationMode.POSITIVE)
    assert asking.problems == []
    assert {label for label, _ in asking.answers} == set(asking.contract.operations()) - {f"GET {STREAMS}"}
    done = {label for label, status in asking.answers if status < 300}
    assert len(done) > 60, done


async def test_what_the_document_does_not_allow_is_refused_as_it_says(asking: Asking) -> None:
    await asyncio.to_thread(_each_by_itself, asking, 2, GenerationMode.NEGATIVE)
    assert asking.problems == []


async def test_one_request_after_the_other_answers_as_the_document_says(asking: Asking) -> None:
    def how(_: object, case: "Case[Any]") -> dict[str, Any]:
        return {"base_url": asking.url, "session": asking.session, "headers": asking.prepare(case)}

    def judge(_: object, response: Response, case: "Case[Any]", **__: object) -> None:
        asking.judge(case, response)

    def run() -> None:
        own = {"get_call_kwargs": how, "validate_response": judge}
        visit = type("Visit", (asking.schema.as_state_machine(),), own)
        run_state_machine_as_test(visit, settings=settings(examples(6, shrunk=False), stateful_step_count=15))

    await asyncio.to_thread(run)
    assert asking.problems == []
    assert sum(asking.answers.values()) > 30


LIES: Final = {
    "/api/v1/shops/{shopId}": "is not of type 'integer'",
    "/health/ready": "'parts' was unexpected",
    "/api/v1/barbers/search": "Undocumented status code",
    "/.well-known/jwks.json": "Undocumented Content-Type",
    "/health/live": "Missing required response headers",
    "/kiosk/{shopId}": "Schema-violating request accepted",
}
"""What each lie is answered with."""


def _lying() -> Json:
    """The document of a few endpoints, with a lie about each: one for each thing that answers are held to."""
    document = openapi.whole()
    lied, schemas = {path: document["paths"][path] for path in LIES}, document["components"]["schemas"]
    _, _, search, keys, live, kiosk = (methods["get"] for methods in lied.values())
    schemas["ShopTold"]["properties"]["name"] = {"type": "integer"}
    del schemas["Ready"]["properties"]["parts"]
    schemas["Ready"]["required"].remove("parts")
    search["responses"]["203"] = search["responses"].pop("200")
    keys["responses"]["200"]["content"] = {"text/plain": {}}
    live["responses"]["200"]["headers"] = {"X-Never": {"required": True, "schema": {"type": "string"}}}
    kiosk["parameters"][0]["schema"]["pattern"] = "^none$"
    return {**document, "paths": lied}


async def test_a_document_that_lies_is_found_out(asking: Asking) -> None:
    lied_to = await asyncio.to_thread(Asking, asking.url, asking.visitors, _lying())
    for mode in GenerationMode:
        await asyncio.to_thread(_each_by_itself, lied_to, 10, mode)
    await asyncio.to_thread(lied_to.session.close)
    for path, words in LIES.items():
        told = [problem for problem in lied_to.problems if problem.startswith(f"GET {path}:")]
        assert any(words in problem for problem in told), (path, told)
