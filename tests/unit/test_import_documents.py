"""What a document of an export comes to: any shape, any value, and no error but a refusal with field and reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.domain.importing import barbers, bookings, users, values
from barberpro.domain.importing.barbers import read_barber
from barberpro.domain.importing.bookings import read_booking
from barberpro.domain.importing.documents import Fields, NotTakenError, fields_of
from barberpro.domain.importing.users import read_user

Json = dict[str, Any]
NOON = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
MILLIS = 1772452800250

BOOKING: Json = {
    "bookingId": "k1", "customerId": "c1", "barberId": "b1", "tokenNumber": 7, "totalPrice": 250,
    "services": [{"name": "Cut", "price": 250}], "status": "completed", "paymentMethod": "cash",
    "paymentStatus": "paid", "bookingTime": MILLIS, "estimatedWaitTime": 5, "actualServiceTime": 20,
    "completionTime": MILLIS + 1_800_000, "rating": 5, "review": "good", "metadata": {"createdAt": MILLIS - 1000},
}  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
plausible = anything | st.sampled_from(
    [
        "completed",
        "waiting",
        "cash",
        "paid",
        "2026-03-02T12:00:00Z",
        "5",
        250,
        MILLIS,
        {"_seconds": 1, "_nanoseconds": 2},
    ]
)
READERS: dict[str, tuple[tuple[str, ...], Callable[[Fields], object]]] = {
    "users": (users.INSIDE, lambda fields: read_user(fields, "IN")),
    "barbers": (barbers.INSIDE, lambda fields: read_barber(fields, "INR")),
    "bookings": (bookings.INSIDE, lambda fields: read_booking(fields, "INR")),
}
NAMES = [*BOOKING, "cancellationReason", "cancelledBy", "name", "phone", "email", "userType", "profileImage", "userId",
         "totalCompletedBookings", "id", "data", "fields"]  # fmt: skip


def booking_of(**changes: object) -> Fields:
    return fields_of(orjson.dumps({**BOOKING, **changes}), bookings.INSIDE)


def refusal(fields: Fields) -> tuple[str | None, str]:
    with pytest.raises(NotTakenError) as refused:
        read_booking(fields, "INR")
    return refused.value.field, refused.value.reason


def outcome(line: bytes, inside: tuple[str, ...], read: Callable[[Fields], object]) -> Fields | NotTakenError:
    try:
        fields = fields_of(line, inside)
        read(fields)
    except NotTakenError as refused:
        return refused
    return fields


documents = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), plausible, max_size=14)


@pytest.mark.parametrize("collection", READERS)
@given(document=documents, whole=st.booleans())
def test_whatever_a_document_says_it_is_read_or_refused_with_a_reason(
    collection: str, document: Json, whole: bool
) -> None:
    line = orjson.dumps({**BOOKING, "name": "Ann", **document} if whole else document)
    found = outcome(line, *READERS[collection])
    if isinstance(found, NotTakenError):
        assert found.reason
    else:
        assert found.source_id
        assert all(problem.field is not None and problem.reason for problem in found.problems)


@given(line=st.binary(max_size=60))
def test_any_line_is_a_document_or_refused(line: bytes) -> None:
    found = outcome(line, ("id",), lambda fields: None)
    assert found.reason if isinstance(found, NotTakenError) else found.source_id


def test_fields_that_nobody_knows_are_told_by_name() -> None:
    fields = booking_of(colour="red", **{"line\nbreak": 1})
    read_booking(fields, "INR")
    assert [(problem.field, problem.reason) for problem in fields.problems] == [
        ("colour", "is not known"),
        ("line?break", "is not known"),
    ]


@pytest.mark.parametrize(
    "told",
    [
        MILLIS, str(MILLIS), MILLIS + 0.25, "2026-03-02T12:00:00.250999Z", "2026-03-02T17:30:00.25+05:30",
        {"_seconds": MILLIS // 1000, "_nanoseconds": 250_999_999},
        {"seconds": str(MILLIS // 1000), "nanos": 250_000_000},
    ],
)  # fmt: skip
def test_a_time_is_read_in_every_shape(told: object) -> None:
    assert values.moment(told) == NOON


@pytest.mark.parametrize(
    "told", ["2026-03-02T12:00:00", "yesterday", True, {}, {"_seconds": None}, 1e300, 12, -(10**14)]
)
def test_what_is_no_time_of_this_century_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match=r"time|range|zone"):
        values.moment(told)


@pytest.mark.parametrize(
    "document",
    [
        {"bookingId": "k1", "status": "done"},
        {"id": "k1", "status": "done"},
        {"id": "k1", "data": {"status": "done"}},
        {"__name__": "projects/p/databases/d/documents/bookings/k1", "status": "done"},
        {"name": "projects/p/databases/d/documents/bookings/k1", "fields": {"status": {"stringValue": "done"}}},
    ],
)
def test_an_id_is_found_inside_and_beside(document: Json) -> None:
    fields = fields_of(orjson.dumps(document), bookings.INSIDE)
    assert (fields.source_id, fields.raw("status")) == ("k1", "done")


@pytest.mark.parametrize(
    "told", [{"_path": 5.5}, {"_path": {"segments": 5}}, {"_path": {"segments": None}}, {"_path": {"segments": []}}, {}]
)
def test_a_reference_without_a_path_is_no_id(told: object) -> None:
    assert refusal(booking_of(barberId=told)) == ("barberId", "is no id of 1 to 128 characters")


@pytest.mark.parametrize("told", [{"fields": 5}, {"fields": None}, {"values": 5}, {"values": None}, {}, None, 5])
@pytest.mark.parametrize("kind", ["mapValue", "arrayValue"])
def test_a_typed_value_that_holds_something_else_is_refused_where_it_is_needed(kind: str, told: object) -> None:
    typed = {"name": "documents/bookings/k1", "fields": {"status": {"stringValue": "done"}, "barberId": {kind: told}}}
    read = fields_of(orjson.dumps(typed), bookings.INSIDE)
    with pytest.raises(NotTakenError, match="is no id"):
        read.need("barberId", values.identifier)


def test_numbers_may_be_texts_and_sums_of_floats_are_without_their_noise() -> None:
    read = read_booking(booking_of(tokenNumber="7", totalPrice=0.1 + 0.2, services=["Cut"]), "INR")
    assert (read.token, read.total) == (7, Decimal("0.30"))
    assert refusal(booking_of(totalPrice="0.305", services=[])) == ("totalPrice", "has more decimals than INR")


def test_one_that_is_under_way_is_not_taken() -> None:
    for status in ("waiting", "IN_PROGRESS", "in-progress", "Next"):
        fields = booking_of(status=status)
        assert bookings.is_live(fields)
        assert refusal(fields)[0] == "status"


def test_times_that_contradict_each_other_are_refused_or_left_out() -> None:
    assert refusal(booking_of(completionTime=MILLIS - 1)) == ("completionTime", "is before bookingTime")
    fields = booking_of(actualServiceTime=45)
    assert read_booking(fields, "INR").times.started is None
    assert [problem.field for problem in fields.problems] == ["actualServiceTime"]


def test_a_total_that_is_not_the_sum_of_its_services_is_told_and_taken() -> None:
    fields = booking_of(totalPrice=240)
    assert read_booking(fields, "INR").total == Decimal("240.00")
    assert [(problem.field, problem.reason) for problem in fields.problems] == [
        ("services", "come to 250.00, and totalPrice is 240.00: the total is taken")
    ]


@pytest.mark.parametrize(
    ("status", "method", "paid"),
    [
        ("paid", "cash", ("cash", False)),
        ("Completed", "GPay", ("upi", False)),
        ("refunded", "credit_card", ("card", True)),
        ("pending", "cash", (None, False)),
        ("paid", "barter", (None, False)),
        (None, "cash", (None, False)),
    ],
)
def test_only_what_was_paid_in_a_way_that_we_know_is_a_payment(status: str | None, method: str, paid: object) -> None:
    read = read_booking(booking_of(paymentStatus=status, paymentMethod=method), "INR")
    assert (read.paid, read.refunded) == paid


def test_rights_are_not_imported() -> None:
    fields = fields_of(b'{"id": "u1", "userType": "admin", "name": "Ann"}', users.INSIDE)
    assert read_user(fields, "IN").role == "customer"
    assert [problem.field for problem in fields.problems] == ["userType"]


def test_a_number_without_its_countrys_code_is_of_the_country_that_was_told() -> None:
    read = values.phone("IN")
    assert {read("98765 43210"), read("+91 98765-43210"), read(9876543210)} == {"+919876543210"}
    with pytest.raises(ValueError, match="no telephone number"):
        read("12")
