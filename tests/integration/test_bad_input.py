"""Whatever is missing, unknown, ill-typed, too long, not yours or impossible is refused by name and leaves no event."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import COMMAND_TYPES, parse_command
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.server.node import Node
from tests.support.commands import WHOLE, changed, paths, whole
from tests.support.shops import ADMIN, Json, TestShop, customer, new_id, refusal, send

STRANGER = Actor("us_stranger", Role.BARBER, barber_id="bb_ofanothershop")
OWN = {"join", "check_in", "step_back", "cancel"}
OPTIONAL = {"customer", "notes", "payment", "reason", "phone", "tip"}
TOO_LONG: dict[str, Any] = {
    "commandId": "x" * 65, "barberId": "b" * 65, "bookingId": "b" * 65, "toBarberId": "b" * 65, "notes": "n" * 501,
    "reason": "r" * 201, "places": 1001, "position": 10_001, "serviceIds": ["sv_1"] * 11, "to": "the very back",
    "waiting": "keep all of them", "name": "n" * 81, "phone": "1" * 40, "amount": "1" * 10, "tip": "0.0001",
    "method": "cheque",
}  # fmt: skip
UNSHOWABLE = ["two\nlines", "nul\x00", "\u202ereversed", "half \ud800"]
INVISIBLE = [
    "\u200b",
    "\u200d\u2060",
    "\ufeff",
    "\u00ad",
    "\u180e \u200b",
    "\u0301",
    "\u3164",
    "\u2800",
    "\U000e0041",
    "\ue000",
]
SHOWN = ["Asha", "李", "क्‍ष", "O'Neil", "R2", "👩‍🦰", "J", "Žofie", "?"]  # with joiners between letters, too


def named(document: object) -> list[str]:
    """The fields that the refusal of a document names; none when it is a command."""
    try:
        parse_command(document)
    except BarberProError as error:
        return named_by(error)
    return []


def named_by(error: BarberProError) -> list[str]:
    assert error.code is ErrorCode.BAD_REQUEST
    return [field["path"] for field in error.details["fields"]]


async def events(node: Node) -> int:
    count: int = await node.pool.fetchval("SELECT count(*) FROM queue_events")
    return count


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_every_document_here_is_right(kind: str) -> None:
    assert named(whole(kind)) == []


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_a_missing_field_is_named(kind: str) -> None:
    for path in paths(whole(kind)):
        if path[0] in {"type", "expect"} or path[-1] in OPTIONAL:
            continue
        either = kind in {"start", "complete"} and path[-1] in {"barberId", "bookingId"}
        assert named(changed(whole(kind), path, ...)) == (["(body)"] if either else [".".join(path)])


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_a_field_of_a_wrong_type_is_named(kind: str) -> None:
    wrongs: tuple[object, ...] = (True, 1.5, {"a": []}, ["b"], "")
    for path in paths(whole(kind)):
        for wrong in wrongs:
            if (path[-1], wrong) == ("serviceIds", ["b"]):
                continue  # a list of ids is what it should be
            told = named(changed(whole(kind), path, wrong))
            assert told, f"{path} = {wrong!r} is taken"
            assert all(name == ".".join(path) or name.startswith(f"{'.'.join(path)}.") for name in told), (path, wrong)


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_what_is_too_long_or_too_large_is_named(kind: str) -> None:
    for path in paths(whole(kind)):
        if path[-1] in TOO_LONG:
            assert named(changed(whole(kind), path, TOO_LONG[path[-1]])) == [".".join(path)]


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_an_unknown_field_is_named(kind: str) -> None:
    for place in [(), *(path for path in paths(whole(kind)) if path[-1] in {"customer", "payment", "expect"})]:
        assert named(changed(whole(kind), (*place, "colour"), "red")) == [".".join((*place, "colour"))]


def test_an_unknown_field_without_a_name_is_not_the_body() -> None:
    assert named(changed(whole("open"), ("",), 1)) == [""]


def test_of_very_many_unknown_fields_the_first_are_named() -> None:
    names = [f"f{number}" for number in range(8000)]
    assert named({**whole("open"), **dict.fromkeys(names)}) == names[:32]


@pytest.mark.parametrize("text", UNSHOWABLE)
def test_a_text_that_cannot_be_shown_is_refused(text: str) -> None:
    for kind, path in (
        ("join", ("notes",)), ("join", ("customer", "name")), ("skip", ("reason",)), ("move", ("reason",)),
        ("join", ("commandId",)), ("join", ("barberId",)),
    ):  # fmt: skip
        assert named(changed(whole(kind), path, text)) == [".".join(path)]


@pytest.mark.parametrize("text", INVISIBLE)
def test_a_text_of_which_nothing_is_seen_is_refused(text: str) -> None:
    for kind, path in (("join", ("customer", "name")), ("join", ("notes",)), ("skip", ("reason",))):
        assert named(changed(whole(kind), path, text)) == [".".join(path)]


@pytest.mark.parametrize("name", SHOWN)
def test_a_name_in_any_script_is_taken(name: str) -> None:
    assert named(changed(whole("join"), ("customer", "name"), name)) == []


def test_a_service_that_is_named_twice_is_refused() -> None:
    assert named(changed(whole("join"), ("serviceIds",), ["sv_1", "sv_2", "sv_1"])) == ["serviceIds"]


@pytest.mark.parametrize("document", [{}, {"commandId": "1"}, {"commandId": "1", "type": "joyn"}, {"type": ["join"]}])
def test_a_document_of_no_known_type_is_told_so(document: Json) -> None:
    assert named(document) == ["type"]


@pytest.mark.parametrize("document", [None, [], "join", 7])
def test_what_is_no_object_is_refused(document: object) -> None:
    assert named(document) == ["(body)"]


# Not yours, not there, not possible -----------------------------------------------------------------------------


class Floor:
    """A shop with a booking of every status, each of the customer `owner`, or of nobody in particular."""

    def __init__(self, node: Node, shop: TestShop, bookings: dict[str, str]) -> None:
        self.node = node
        self.shop = shop
        self.bookings = bookings

    @classmethod
    async def furnish(cls, node: Node) -> "Floor":
        shop = await TestShop.create(node, max_skips=0)
        await shop.open(node)
        barber = shop.staff[0]
        line = await shop.fill(node, 6)
        for kind, booking in (("cancel", line[0]), ("skip", line[1])):
            await send(node, barber, type=kind, bookingId=booking)
        for _ in range(2):
            await send(node, barber, type="advance", barberId=shop.barbers[0])
        at = datetime.now(UTC) + timedelta(hours=1)
        planned = await send(
            node, customer(6), type="schedule", barberId=shop.barbers[0], serviceIds=[shop.service], at=at
        )
        statuses = dict(
            zip(("cancelled", "skipped", "completed", "serving", "next", "waiting"), line, strict=True),
            scheduled=planned.data["booking"]["bookingId"],
        )
        rows = await node.pool.fetch("SELECT booking_id, status FROM bookings")
        assert {row["booking_id"]: row["status"] for row in rows} == {v: k for k, v in statuses.items()}
        return cls(node, shop, statuses)

    def document(self, kind: str, booking: str) -> Json:
        """A command of this kind, about this booking or about the first queue."""
        fields = {name: value for name, value in WHOLE[kind].items() if name not in {"barberId", "bookingId"}}
        if "toBarberId" in fields:
            fields["toBarberId"] = self.shop.barbers[1]
        if "serviceIds" in fields:
            fields["serviceIds"] = [self.shop.service]
        subject = {"bookingId": booking} if kind not in ON_A_QUEUE else {"barberId": self.shop.barbers[0]}
        return {"type": kind, **fields, **subject}


ON_A_QUEUE = {"join", "advance", "open", "pause", "close"}
POSSIBLE = {
    "check_in": {"scheduled"}, "start": set(), "complete": {"serving"}, "skip": {"next", "waiting"},
    "no_show": {"next"}, "recall": {"skipped"}, "step_back": {"next"}, "move": {"waiting"},
    "transfer": {"next", "waiting"}, "cancel": {"scheduled", "waiting", "next", "serving"},
}  # fmt: skip


@pytest.fixture
async def floor(node: Node) -> AsyncIterator[Floor]:
    """Whatever the test sends is refused: no event comes of it, and the stores go on agreeing."""
    floor = await Floor.furnish(node)
    before = await events(node)
    yield floor
    assert await events(node) == before
    assert await compare(node.pool, node.redis, node.keys) == []


async def told(floor: Floor, actor: Actor, kinds: Iterable[str], bookings: Iterable[str]) -> dict[str, set[str]]:
    """The codes that commands of each kind are refused with, sent about each of the bookings."""
    return {
        kind: {(await refusal(send(floor.node, actor, **floor.document(kind, name)))).code for name in bookings}
        for kind in kinds
    }


async def test_a_transition_from_another_status_is_impossible(floor: Floor) -> None:
    for kind, possible in POSSIBLE.items():
        for status, booking in floor.bookings.items():
            if status in possible:
                continue
            error = await refusal(send(floor.node, floor.shop.staff[0], **floor.document(kind, booking)))
            assert error.code is ErrorCode.INVALID_TRANSITION, (kind, status)
            if (kind, status) != ("start", "next"):  # there it is the chair that is taken
                assert (error.details["bookingId"], error.details["status"]) == (booking, status)


async def test_the_barber_of_another_shop_finds_nothing_here(floor: Floor) -> None:
    codes = await told(floor, STRANGER, COMMAND_TYPES, floor.bookings.values())
    assert codes == {kind: {ErrorCode.NOT_FOUND} for kind in COMMAND_TYPES}


async def test_a_customer_touches_nothing_but_the_own_bookings(floor: Floor) -> None:
    kinds = set(COMMAND_TYPES) - {"join"}
    codes = await told(floor, customer(99), kinds, floor.bookings.values())
    assert codes == {kind: {ErrorCode.NOT_FOUND if kind in OWN else ErrorCode.FORBIDDEN} for kind in kinds}


async def test_a_guest_touches_nothing_but_the_one_booking_of_the_ticket(floor: Floor) -> None:
    guest = Actor("gt_1", Role.GUEST, booking_id=floor.bookings["completed"])
    codes = await told(floor, guest, COMMAND_TYPES, [floor.bookings["waiting"], floor.bookings["next"]])
    own = OWN - {"join"}
    assert codes == {kind: {ErrorCode.NOT_FOUND if kind in own else ErrorCode.FORBIDDEN} for kind in COMMAND_TYPES}


async def test_a_display_commands_nothing(floor: Floor) -> None:
    display = Actor("ds_1", Role.DISPLAY, shop_ids=frozenset({floor.shop.shop_id}))
    codes = await told(floor, display, COMMAND_TYPES, floor.bookings.values())
    assert codes == {kind: {ErrorCode.FORBIDDEN} for kind in COMMAND_TYPES}


async def test_a_booking_that_never_was_is_not_found(floor: Floor) -> None:
    names = ["bk_zz_1", f"bk_{floor.shop.shop_id.removeprefix('sh_')}_0000000000", "nonsense", "bk__", "bb_1"]
    assert await told(floor, ADMIN, POSSIBLE, names) == {kind: {ErrorCode.NOT_FOUND} for kind in POSSIBLE}


async def test_a_customer_cannot_cancel_while_being_served(floor: Floor) -> None:
    document = floor.document("cancel", floor.bookings["serving"])
    error = await refusal(send(floor.node, customer(3), **document))
    assert error.code is ErrorCode.INVALID_TRANSITION


async def test_the_last_in_the_line_cannot_step_back(floor: Floor) -> None:
    error = await refusal(send(floor.node, customer(5), **floor.document("step_back", floor.bookings["waiting"])))
    assert error.code is ErrorCode.INVALID_TRANSITION
    assert error.details["problem"] == "nobody_behind"


async def test_a_service_or_barber_of_nobody_here_is_named(floor: Floor) -> None:
    join = floor.shop.join(serviceIds=[floor.shop.service, "sv_other"])
    moved = {**floor.document("transfer", floor.bookings["waiting"]), "toBarberId": "bb_other"}
    for document, field in ((join, "serviceIds.1"), (moved, "toBarberId")):
        assert named_by(await refusal(send(floor.node, ADMIN, **document))) == [field]


async def test_an_appointment_in_the_past_or_in_taken_time_is_refused(floor: Floor) -> None:
    fields = {"type": "schedule", "barberId": floor.shop.barbers[0], "serviceIds": [floor.shop.service]}
    now = datetime.now(UTC)
    past = send(floor.node, customer(50), **fields, at=now - timedelta(seconds=1))
    assert named_by(await refusal(past)) == ["at"]
    for minutes in (41, 60, 79):
        error = await refusal(send(floor.node, customer(50), **fields, at=now + timedelta(minutes=minutes)))
        assert error.code is ErrorCode.SLOT_TAKEN


@pytest.mark.parametrize(
    ("status", "kinds"), [("open", ["open"]), ("paused", ["pause"]), ("closed", ["pause", "close"])]
)
async def test_a_queue_is_not_put_into_the_status_that_it_has(node: Node, status: str, kinds: list[str]) -> None:
    shop = await TestShop.create(node)
    await shop.open(node, 0)
    if status != "open":
        document = {"type": "pause"} if status == "paused" else {"type": "close", "waiting": "keep"}
        await send(node, shop.staff[0], **document, barberId=shop.barbers[0])
    before = await events(node)
    for kind in kinds:
        fields = {"waiting": "keep"} if kind == "close" else {}
        error = await refusal(send(node, shop.staff[0], type=kind, barberId=shop.barbers[0], **fields))
        assert error.code is ErrorCode.INVALID_TRANSITION
        assert error.details["status"] == status
    code = (await refusal(send(node, customer(1), **shop.join()))).code if status != "open" else None
    assert code == {"open": None, "paused": ErrorCode.QUEUE_PAUSED, "closed": ErrorCode.QUEUE_CLOSED}[status]
    assert await events(node) == before


async def test_a_used_command_id_with_other_content_or_by_another_is_refused(node: Node) -> None:
    shop = await TestShop.create(node)
    await shop.open(node)
    document = {"commandId": new_id(), **shop.join()}
    first = await send(node, customer(1), **document)
    before = await events(node)
    for actor, other in (
        (customer(2), document),
        (customer(1), {**document, "notes": "more"}),
        (customer(1), {**document, "expect": {"servingBookingId": None}}),
        (replace(customer(1), role=Role.ADMIN), document),
    ):
        error = await refusal(send(node, actor, **other))
        assert error.code is ErrorCode.IDEMPOTENCY_MISMATCH
    assert (await send(node, customer(1), **document)).data == first.data
    assert await events(node) == before
