"""What comes in becomes what it should be, or is refused by name: commands, rooms, requests, times."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.handlers.realtime.requests import parse
from barberpro.handlers.rest.appointments import instant
from barberpro.handlers.rest.parsing import validated
from barberpro.protocol.bookings import NewAppointment, When
from barberpro.protocol.commands import Wire, parse_command
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.ids import new_booking_id, shop_of_booking
from barberpro.protocol.requests import Authenticate, RequestQueueStream, Since, Subscribe, Unsubscribe
from barberpro.protocol.rooms import Room
from tests.fuzz.documents import anything, as_read, commands, spoil, spoiled_commands, texts
from tests.fuzz.effort import examples
from tests.fuzz.verdict import is_refusal
from tests.support.shops import Json

T = TypeVar("T")
Spoiled = tuple[Json, tuple[str, ...]]
EITHER = {"barberId", "bookingId"}
"""Of start and complete: with both or none of these, nothing in particular is wrong."""
WHEN = {"bookingDate": "2026-11-21", "preferredTime": "09:30"}
APPOINTMENT = {"barberId": "bb_1", "serviceIds": ["sv_1"], "customer": {"name": "Asha"}, "notes": "short", **WHEN}
REQUESTS: list[tuple[type[Wire], Json]] = [
    (Subscribe, {"room": "queue:bb_1", "since": {"epoch": 1, "seq": 2}}),
    (RequestQueueStream, {"barberId": "bb_1"}),
    (Unsubscribe, {"room": "queue:bb_1"}),
    (Authenticate, {"token": "a.b.c"}),
    (Since, {"epoch": 1, "seq": 2}),
]
ZONES = sorted(available_timezones())


def outcome(parser: Callable[..., T], *arguments: Any) -> T | list[str]:  # noqa: ANN401 - the parser's own
    """What the parser makes of it; or the fields that its refusal names, which must be one that can be told."""
    try:
        return parser(*arguments)
    except BarberProError as error:
        is_refusal(orjson.loads(orjson.dumps(error.to_wire())))
        fields = error.details["fields"]
    return [field["path"] for field in fields]


def names(told: list[str], path: tuple[str, ...]) -> bool:
    """Whether a refusal is about this field, or about what is in it."""
    whole = ".".join(path)
    return bool(told) and all(each == whole or each.startswith(f"{whole}.") for each in told)


@examples(300)
@given(commands | anything)
def test_any_document_is_a_command_or_is_refused_by_name(document: object) -> None:
    told = outcome(parse_command, as_read(document))
    if isinstance(told, list):
        assert told
    else:
        assert parse_command(orjson.loads(orjson.dumps(told.model_dump(exclude_unset=True)))) == told


@examples(500)
@given(spoiled_commands)
def test_the_one_field_that_was_spoiled_is_the_one_that_is_named(spoiled: Spoiled) -> None:
    document, path = as_read(spoiled[0]), spoiled[1]
    told = outcome(parse_command, document)
    if not isinstance(told, list) or path == ("type",):  # another type has other fields
        return
    if document is None:  # no JSON: it never was a document
        assert told == ["(body)"]
    else:
        unsure = path[0] in EITHER and spoiled[0]["type"] in {"start", "complete"}
        assert names(told, path) or (unsure and told == ["(body)"]), (told, path)


@pytest.mark.parametrize(("model", "right"), REQUESTS)
def test_a_request_is_taken_or_refused_by_name(model: type[Wire], right: Json) -> None:
    @examples(60)
    @given(spoil(right))
    def fuzzed(spoiled: Spoiled) -> None:
        document, path = as_read(spoiled[0]), spoiled[1]
        told = outcome(parse, model, document)
        assert document is None or not isinstance(told, list) or names(told, path), (told, path)

    fuzzed()


@examples(100)
@given(spoil(APPOINTMENT))
def test_an_appointment_is_taken_or_refused_by_name(spoiled: Spoiled) -> None:
    document, path = as_read(spoiled[0]), spoiled[1]
    if isinstance(document, dict):
        told = outcome(validated, NewAppointment, document)
        assert not isinstance(told, list) or names(told, path), (told, path)


@examples(200)
@given(st.dictionaries(st.sampled_from(["epoch", "seq"]), texts | st.integers().map(str) | st.just("9" * 5000)))
def test_where_a_client_was_is_numbers_or_refused_by_name(query: dict[str, str]) -> None:
    told = outcome(partial(parse, strict=False), Since, query)
    if isinstance(told, list):
        assert set(told) <= {"epoch", "seq"}
    else:
        assert min(told.epoch, told.seq) >= 0


ROOMS = st.builds("{}:{}".format, st.sampled_from(["queue", "booking", "display", "kitchen", ""]), texts)


@examples(300)
@given(texts | ROOMS | st.from_regex(r"(queue|booking|display):[A-Za-z0-9_-]{1,64}\n?", fullmatch=True))
def test_a_room_is_what_it_is_called_or_refused_by_name(text: str) -> None:
    told = outcome(Room.parse, text)
    if isinstance(told, list):
        assert told == ["room"]
    else:
        assert str(told) == text
        assert text.isascii()


def clock(fields: dict[str, str], zone: str) -> datetime:
    when = validated(When, fields)
    return instant(when.booking_date, when.preferred_time, ZoneInfo(zone))


@examples(150)
@given(st.datetimes(), st.sampled_from(ZONES))
def test_a_time_on_a_clock_is_an_instant_or_refused_by_name(shown: datetime, zone: str) -> None:
    fields = {"bookingDate": shown.date().isoformat(), "preferredTime": f"{shown:%H:%M}"}
    told = outcome(clock, fields, zone)
    if isinstance(told, list):
        assert told in (["bookingDate"], ["preferredTime"])
    else:
        assert f"{told.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}" == "T".join(fields.values())


@examples(100)
@given(st.from_regex(r"sh_[A-Za-z0-9-]{1,24}", fullmatch=True), texts)
def test_a_bookings_id_tells_its_shop_and_nothing_else_does(shop: str, text: str) -> None:
    booking = new_booking_id(shop)
    assert shop_of_booking(booking) == shop
    assert shop_of_booking(booking + text) in {None, shop}
    assert shop_of_booking(f"bk_{text}_1") in {None, f"sh_{text}"}
