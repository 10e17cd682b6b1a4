"""asyncapi.json: sound in itself, and at one with the models that check commands."""

from functools import cache

import pytest

from barberpro.handlers.asyncapi.document import document
from barberpro.protocol.commands import COMMAND_TYPES, parse_command
from barberpro.protocol.errors import BarberProError
from tests.support.asyncapi import Contract, asyncapi_schema, references
from tests.support.shops import Json

ID = {"commandId": "c1"}
GOOD: dict[str, Json] = {
    "join": {"barberId": "b", "serviceIds": ["s"], "customer": {"name": "Ann", "phone": None}, "expect": {"seq": 1}},
    "check_in": {"bookingId": "b"},
    "start": {"bookingId": "b", "barberId": None},
    "complete": {"barberId": "b", "payment": {"method": "cash", "amount": "250.00"}},
    "advance": {"barberId": "b"},
    "skip": {"bookingId": "b", "reason": "late"},
    "no_show": {"bookingId": "b", "expect": {"servingBookingId": None}},
    "recall": {"bookingId": "b", "to": "front"},
    "step_back": {"bookingId": "b", "places": 2},
    "move": {"bookingId": "b", "position": 2, "reason": "fair"},
    "transfer": {"bookingId": "b", "toBarberId": "c"},
    "cancel": {"bookingId": "b", "reason": None},
    "open": {"barberId": "b"},
    "pause": {"barberId": "b"},
    "close": {"barberId": "b", "waiting": "keep"},
}
BAD: list[Json] = [
    {"type": "dance"},
    {"type": "schedule", "barberId": "b", "serviceIds": ["s"], "at": "2026-11-21T09:30:00Z"},
    {"type": "open"},
    {"type": "open", "barberId": "b", "more": 1},
    {"type": "open", "barberId": 7},
    {"type": "open", "barberId": "b c"},
    {"type": "start"},
    {"type": "start", "barberId": "b", "bookingId": "k"},
    {"type": "complete", "barberId": None, "bookingId": None},
    {"type": "complete", "barberId": "b", "payment": {"method": "shells", "amount": "1"}},
    {"type": "complete", "barberId": "b", "payment": {"method": "cash", "amount": 250}},
    {"type": "join", "barberId": "b", "serviceIds": []},
    {"type": "move", "bookingId": "b", "position": 1, "reason": "fair"},
    {"type": "step_back", "bookingId": "b", "places": "2"},
    {"type": "open", "barberId": "b", "expect": {"seq": -1}},
]


@cache
def contract() -> Contract:
    return Contract(document())


def test_it_is_as_the_asyncapi_initiative_would_have_it() -> None:
    assert [problem.message for problem in asyncapi_schema().iter_errors(contract().document)] == []


def test_their_schema_would_find_a_mistake() -> None:
    broken = {**contract().document, "operations": {"x": {"action": "subscribe", "channel": {"$ref": "#/channels/x"}}}}
    assert not asyncapi_schema().is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    named = set(references(contract().document))
    assert len(named) > 50
    for reference in named:
        contract().resolve(reference)


def test_every_message_belongs_to_an_operation_and_has_an_example_that_it_would_take() -> None:
    messages = contract().document["components"]["messages"]
    assert contract().of("receive") | contract().of("send") == messages.keys()
    for name, message in messages.items():
        assert message["examples"]
        for example in message["examples"]:
            contract().hold(name, example["payload"])


@pytest.mark.parametrize("type_", COMMAND_TYPES)
def test_a_command_that_is_taken_is_one_of_the_document(type_: str) -> None:
    command = {**ID, "type": type_, **GOOD[type_]}
    parse_command(command)
    contract().hold("command", command)
    contract().hold("ws_command", {"event": "command", **command})


@pytest.mark.parametrize("fields", BAD, ids=str)
def test_a_command_that_is_refused_is_none_of_the_document(fields: Json) -> None:
    command = {**ID, **fields}
    with pytest.raises(BarberProError):
        parse_command(command)
    assert contract().problem("command", command)
    assert contract().problem("ws_command", {"event": "command", **command})
