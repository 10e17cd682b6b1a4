"""Imports on a real Postgres: what they take, what they tell, and that they are cut off without harm."""

import asyncio
import random
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing.collections import Barbers, Users
from barberpro.domain.importing.comparing import Compare, Comparison
from barberpro.domain.importing.people import Shops
from barberpro.domain.importing.run import FLAG, Import, Progress, Summary
from barberpro.domain.importing.sources import Source
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import Actor, Role
from barberpro.queue.check import compare
from barberpro.server.node import Node
from barberpro.storage.flags import all_flags
from barberpro.storage.imports import problems_of
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.sealing import sealer
from barberpro.storage.users import add_user
from loadtests.bench.firestore import Town, write
from tests.support.shops import Json, TestShop, customer, send

_TABLES = ("users", "shops", "barbers", "services", "barber_services", "shop_owners", "bookings", "ratings",
           "payment_ledger", "import_marks")  # fmt: skip


class CutOffError(Exception):
    """Stands for whatever ends a run in the middle."""


class Desk:
    """Imports into a node's database."""

    def __init__(self, node: Node, database_url: str, contacts: Contacts) -> None:
        self.node = node
        self.database_url = database_url
        self.contacts = contacts
        self.shops = Shops(node.keys, "Asia/Kolkata", "INR", None)
        self.batches = 0
        self.cut_after: int | None = None
        self.report: list[Json] = []

    def _told(self, _name: str, _progress: Progress, _rows: int) -> None:
        self.batches += 1
        if self.batches == self.cut_after:
            raise CutOffError

    async def take(self, directory: Path, *, dry: bool = False) -> Summary:
        """Each on a connection of its own, as each is a program of its own."""
        self.batches = 0
        pool = await connect_pool(self.database_url, 1, 60.0)
        try:
            async with pool.acquire() as connection:
                run = Import(connection, Source(directory), self.shops, self.contacts, "IN", self._told)
                summary = await run.run(dry=dry)
                async with connection.transaction():
                    lines = [line async for lines in problems_of(connection, summary.import_id, 100) for line in lines]
                self.report = [orjson.loads(line) for line in lines]
        finally:
            await close_pool(pool)
        return summary

    async def compared(self, directory: Path) -> Comparison:
        users, barbers = Users("IN", self.contacts), Barbers(self.shops)
        async with self.node.pool.acquire() as connection:
            return await Compare(connection, Source(directory), users, barbers, 50, lambda _name, _offset: None).run()

    async def checked(self) -> list[str]:
        return await compare(self.node.pool, self.node.redis, self.node.keys)

    async def counts(self) -> dict[str, int]:
        return {name: await self.node.pool.fetchval(f"SELECT count(*) FROM {name}") for name in _TABLES}  # noqa: S608 - our own words

    async def one(self, query: str, *given: object) -> Any:  # noqa: ANN401 - whatever is asked for
        return await self.node.pool.fetchval(query, *given)


@pytest.fixture
async def desk(node: Node, database_url: str, tmp_path: Path) -> Desk:
    directory = tmp_path / "keys"
    await asyncio.to_thread(directory.mkdir, mode=0o700)
    return Desk(node, database_url, Contacts(await asyncio.to_thread(sealer, directory, create=True)))


async def made(directory: Path, **collections: list[Json]) -> Path:
    return await asyncio.to_thread(lambda: write(directory, **collections))


async def town(directory: Path, **size: int) -> tuple[Path, list[Json]]:
    """An export that adds up, and its bookings."""
    path = await asyncio.to_thread(Town(**size).write, directory)
    text = await asyncio.to_thread((path / "bookings.jsonl").read_bytes)
    return path, [orjson.loads(line) for line in text.splitlines()]


async def test_an_export_that_adds_up_is_taken_whole_and_stands_as_it_stood(desk: Desk, tmp_path: Path) -> None:
    path, documents = await town(tmp_path / "x", bookings=300)
    summary = await desk.take(path)
    assert (summary.all_well, desk.report) == (True, [])
    assert {name: file.taken for name, file in summary.files.items()} == {"users": 23, "barbers": 3, "bookings": 300}
    found = await desk.compared(path)
    assert (found.all_well, found.samples) == (True, [])
    assert await desk.checked() == []

    stars: defaultdict[str, list[int]] = defaultdict(list)
    earned: defaultdict[str, Decimal] = defaultdict(Decimal)
    for document in documents:
        if document["status"] == "completed" and document["rating"]:
            stars[document["barberId"]].append(document["rating"])
        if document.get("paymentStatus") == "paid":
            earned[document["barberId"]] += document["totalPrice"]
    for number in range(3):
        name = f"barber{number}"
        barber_id = await desk.one("SELECT target_id FROM imported_rows WHERE source_id = $1", name)
        [rated] = await desk.node.pool.fetch("SELECT count, stars FROM barber_ratings WHERE barber_id = $1", barber_id)
        assert tuple(rated) == (len(stars[name]), sum(stars[name]))
        assert await desk.one("SELECT sum(amount) FROM payment_ledger WHERE barber_id = $1", barber_id) == earned[name]
    missed = Counter(document["customerId"] for document in documents if document["status"] == "no-show")
    rows = await desk.node.pool.fetch(
        "SELECT r.source_id, count(*) FROM bookings b JOIN imported_rows r ON r.target_id = b.customer_id"
        " WHERE b.status = 'skipped' AND b.end_reason = 'no_show' GROUP BY 1"
    )
    assert dict(tuple(row) for row in rows) == missed


async def test_another_run_takes_nothing_twice(desk: Desk, tmp_path: Path) -> None:
    path, _ = await town(tmp_path / "x")
    await desk.take(path)
    before = await desk.counts()
    again = await desk.take(path)
    assert await desk.counts() == before
    assert {name: (file.taken, file.before) for name, file in again.files.items()} == {
        "users": (0, 23), "barbers": (0, 3), "bookings": (0, 100),
    }  # fmt: skip
    assert await desk.checked() == []


async def test_a_dry_run_tells_the_same_and_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    path, _ = await town(tmp_path / "x")
    nothing = await desk.counts()
    rehearsed = await desk.take(path, dry=True)
    told = desk.report
    assert await desk.counts() == nothing
    assert await desk.one("SELECT count(*) FROM imports") == 0
    assert await desk.one("SELECT count(*) FROM audit_entries WHERE action LIKE '%imported'") == 0
    real = await desk.take(path)
    assert (replace(real, import_id=rehearsed.import_id), desk.report) == (rehearsed, told)
    rest = await desk.take(path, dry=True)
    assert [file.taken for file in rest.files.values()] == [0, 0, 0]


@pytest.mark.parametrize("batches", [1, 3, 5])
async def test_a_run_that_was_cut_off_goes_on_where_it_was(desk: Desk, tmp_path: Path, batches: int) -> None:
    path, _ = await town(tmp_path / "x", bookings=1500)
    desk.cut_after = batches
    with pytest.raises(CutOffError):
        await desk.take(path)
    desk.cut_after = None
    summary = await desk.take(path)
    assert summary.went_on
    assert {name: (file.taken, file.before) for name, file in summary.files.items()} == {
        "users": (23, 0), "barbers": (3, 0), "bookings": (1500, 0),
    }  # fmt: skip
    assert (await desk.compared(path)).all_well
    assert await desk.checked() == []
    assert not (await desk.take(path)).went_on


async def test_a_run_whose_report_another_one_has_forgotten_begins_again(desk: Desk, tmp_path: Path) -> None:
    path = await made(tmp_path / "x", users=_USERS, barbers=_BARBERS, bookings=_BOOKINGS)
    desk.cut_after = 1
    with pytest.raises(CutOffError):
        await desk.take(path)
    desk.cut_after = None
    await desk.take(await made(tmp_path / "y", users=[]))
    summary = await desk.take(path)
    assert not summary.went_on
    assert sum(not each["taken"] for each in desk.report) == sum(file.refused for file in summary.files.values())


async def test_a_comparison_is_of_one_moment_and_reads_the_files_whole_before_it(desk: Desk, tmp_path: Path) -> None:
    path, _ = await town(tmp_path / "x", bookings=5)
    await desk.take(path)
    async with desk.node.pool.acquire() as connection:
        digested: list[bool] = []
        compared: list[bool] = []

        class Watched(Source):
            def digest(self) -> str:
                digested.append(connection.is_in_transaction())
                return super().digest()

        def told(_name: str, _offset: int) -> None:
            compared.append(connection.is_in_transaction())

        users, barbers = Users("IN", desk.contacts), Barbers(desk.shops)
        assert (await Compare(connection, Watched(path), users, barbers, 50, told).run()).all_well
    assert (digested, set(compared)) == ([False], {True})


_USERS: list[Json] = [
    {"id": "u1", "name": "Ann", "phone": "9876543210", "email": "ANN@Example.com", "nickname": "x"},
    {"__id__": "u2", "data": {"name": "Bob", "phone": "+91 98765 43210", "userType": "admin"}},
    {"id": "u1", "name": "Ann again"},
    {"name": "no id"},
    {"id": "u4", "name": "Owner", "userType": "barber", "phone": "+919811111111"},
]
_BARBERS: list[Json] = [
    {"id": "b1", "userId": "u4", "name": "Owner", "services": [{"name": "Cut", "price": "250.00"}, "Shave"],
     "rating": 4.2, "totalCompletedBookings": 7, "profileImage": "http://x/y.png"},
    {"id": "b2", "userId": "u99", "name": "Lost"},
    {"id": "b3", "userId": "u1"},
]  # fmt: skip
_BOOKED: Json = {"barberId": "b1", "services": ["Cut"], "totalPrice": 250, "bookingTime": 1767345000000}
_BOOKINGS: list[Json] = [
    {"bookingId": "k1", **_BOOKED, "customerId": "u1", "status": "completed", "completionTime": 1767346000000,
     "rating": "5", "paymentStatus": "paid", "paymentMethod": "cash"},
    {"bookingId": "k2", **_BOOKED, "status": "done", "completionTime": 1767344000000},
    {"bookingId": "k3", **_BOOKED, "barberId": "b77", "status": "cancelled"},
    {"bookingId": "k4", **_BOOKED, "status": "waiting"},
    {"bookingId": "k5", **_BOOKED, "customerId": "u77", "status": "cancelled", "cancelledBy": "u4", "rating": 3},
    {"bookingId": "k6", **_BOOKED, "status": "vanished"},
    {"bookingId": "k7", **_BOOKED, "barberId": "u4", "customerId": "u2", "status": "completed",
     "completionTime": 1767347000000, "paymentStatus": "refunded", "paymentMethod": "UPI"},
    {"bookingId": "k1", **_BOOKED, "status": "cancelled"},
    {"bookingId": "k3", **_BOOKED, "status": "cancelled", "cancelledBy": "system"},
]  # fmt: skip


async def test_every_row_that_is_not_taken_and_every_field_left_out_is_told(desk: Desk, tmp_path: Path) -> None:
    path = await made(tmp_path / "x", users=_USERS, barbers=_BARBERS, bookings=_BOOKINGS)
    summary = await desk.take(path)
    assert not summary.all_well
    told = [(each["file"].partition(".")[0], each["line"], each["field"], each["taken"]) for each in desk.report]
    assert told == [
        ("users", 1, "nickname", True),
        ("users", 2, "userType", True),
        ("users", 2, "phone", True),
        ("users", 3, None, False),
        ("users", 4, "userId", False),
        ("barbers", 1, "profileImage", True),
        ("barbers", 1, "services[1]", True),
        ("barbers", 1, "services", True),
        ("barbers", 2, "userId", True),
        ("barbers", 3, "name", False),
        ("bookings", 2, "completionTime", False),
        ("bookings", 3, "barberId", False),
        ("bookings", 4, "status", False),
        ("bookings", 5, "rating", True),
        ("bookings", 5, "customerId", True),
        ("bookings", 6, "status", False),
        ("bookings", 8, None, False),
        ("barbers", 1, "totalCompletedBookings", True),
        ("barbers", 1, "rating", True),
    ]
    text = orjson.dumps(desk.report).decode()
    assert not any(personal in text for personal in ("98765", "Ann", "xample.com"))
    reasons = {(each["id"], each["field"]): each["reason"] for each in desk.report}
    assert reasons["b1", "totalCompletedBookings"] == "is 7, and 2 completed bookings are here"
    assert reasons["b1", "rating"] == "is 4.2, and 1 ratings have an average of 5.00"
    assert await desk.one("SELECT count(*) FROM bookings WHERE cancelled_by = 'system'") == 1  # the k3 that can be
    for file in summary.files.values():
        assert file.rows == file.taken + file.before + file.refused
    assert await desk.checked() == []


async def test_what_was_given_back_was_paid_before(desk: Desk, tmp_path: Path) -> None:
    await desk.take(await made(tmp_path / "x", users=_USERS, barbers=_BARBERS, bookings=_BOOKINGS))
    lines = await desk.node.pool.fetch("SELECT kind, method, amount FROM payment_ledger ORDER BY at, amount DESC")
    assert [tuple(line) for line in lines] == [
        ("charge", "cash", 250),
        ("charge", "upi", 250),
        ("refund", "upi", -250),
    ]


async def test_a_later_export_brings_what_has_ended_since_and_ratings_that_came_late(
    desk: Desk, tmp_path: Path
) -> None:
    waiting = {**_BOOKINGS[3], "bookingId": "k8"}
    unrated = {**_BOOKINGS[6], "paymentStatus": "pending"}
    await desk.take(await made(tmp_path / "x", users=_USERS, barbers=_BARBERS, bookings=[waiting, unrated]))
    done = {**waiting, "status": "completed", "completionTime": 1767349000000}
    later = await made(
        tmp_path / "y", users=_USERS, barbers=_BARBERS, bookings=[done, {**unrated, "rating": 4, "totalPrice": 9}]
    )
    summary = await desk.take(later)
    assert (summary.files["bookings"].taken, summary.files["bookings"].before) == (1, 1)
    assert await desk.one("SELECT sum(stars) FROM barber_ratings") == 4
    assert [each["reason"] for each in desk.report if each["id"] == "k7"] == [
        "was taken before, and says something else now: of that, only a rating is added"
    ]
    found = await desk.compared(later)
    assert [(each.source_id, each.field) for each in found.samples] == [("k7", "totalPrice")]
    assert await desk.checked() == []


async def test_who_has_an_account_here_already_keeps_it_and_gets_their_past(desk: Desk, tmp_path: Path) -> None:
    contact = desk.contacts.sealed(Contact("sms", "+919876543210"))
    async with desk.node.pool.acquire() as connection:
        await add_user(connection, "us_ann", "customer", "Ann herself", "en", None, [contact])
    await desk.take(await made(tmp_path / "x", users=_USERS, barbers=_BARBERS, bookings=_BOOKINGS))
    assert await desk.one("SELECT name FROM users WHERE user_id = 'us_ann'") == "Ann herself"
    assert await desk.one("SELECT count(*) FROM bookings WHERE customer_id = 'us_ann'") == 2


async def test_a_barber_has_a_shop_of_their_own_and_runs_it(desk: Desk, tmp_path: Path) -> None:
    await desk.take(await made(tmp_path / "x", users=_USERS, barbers=_BARBERS))
    [owner] = await desk.node.pool.fetch(
        "SELECT u.role, u.name, s.name AS shop, s.currency, b.shop_id = ANY (u.shop_ids) AS works FROM shop_owners o"
        " JOIN users u USING (user_id) JOIN shops s USING (shop_id) JOIN barbers b ON b.barber_id = u.barber_id"
    )
    assert tuple(owner) == ("barber", "Owner", "Owner", "INR", True)
    assert await desk.one("SELECT count(*) FROM shops") == 2
    assert (await all_flags(desk.node.pool))[FLAG].percentage == 0


async def test_barbers_who_come_into_a_shop_offer_its_services_at_their_own_prices(desk: Desk, tmp_path: Path) -> None:
    shop = await TestShop.create(desk.node)
    desk.shops = replace(desk.shops, shop_id=shop.shop_id)
    await desk.take(await made(tmp_path / "x", users=_USERS, barbers=[{**_BARBERS[0], "services": [
        {"name": "CUT", "price": 300, "duration": 20}, {"name": "Colour", "price": 900}]}]))  # fmt: skip
    rows = await desk.node.pool.fetch(
        "SELECT v.name, v.price, o.price AS own, (SELECT count(*) FROM barber_services a"
        " WHERE a.service_id = v.service_id) AS offered_by FROM barber_services o JOIN services v USING (service_id)"
        " JOIN barbers b USING (barber_id) WHERE b.name = 'Owner' ORDER BY v.name"
    )
    assert [tuple(row) for row in rows] == [("Colour", 900, None, 1), ("Cut", 250, 300, 3)]
    assert await desk.one("SELECT count(*) FROM shop_owners") == 0
    assert await desk.one("SELECT shop_ids FROM users WHERE name = 'Owner'") == [shop.shop_id]


async def test_a_shop_with_a_past_goes_on_living_and_check_finds_what_is_spoilt(desk: Desk, tmp_path: Path) -> None:
    path, _ = await town(tmp_path / "x", barbers=1, bookings=30)
    await desk.take(path)
    barber_id = await desk.one("SELECT barber_id FROM barbers")
    service = await desk.one("SELECT service_id FROM services LIMIT 1")
    staff = Actor("us_staff", Role.BARBER, barber_id=barber_id)
    await send(desk.node, staff, type="open", barberId=barber_id)
    joined = await send(desk.node, customer(1), type="join", barberId=barber_id, serviceIds=[service])
    for command in ("start", "complete"):
        await send(desk.node, staff, type=command, bookingId=joined.data["booking"]["bookingId"])
    assert joined.data["booking"]["tokenNumber"] == 1
    assert await desk.checked() == []
    found = await desk.compared(path)
    assert (found.all_well, [each[1] for each in found.only_here]) == (True, [1])

    spoilt = await desk.one("SELECT booking_id FROM bookings WHERE shop_seq = 0 AND status = 'completed' LIMIT 1")
    await desk.node.pool.execute(
        "UPDATE bookings SET ended_at = ended_at + interval '1 s' WHERE booking_id = $1", spoilt
    )
    [told] = await desk.checked()
    assert told.endswith("of 30 imported bookings, 30 have rows, or other ones")
    [sample] = (await desk.compared(path)).samples
    assert sample.field == "completionTime"


async def test_rows_spoilt_at_random_are_taken_or_told_and_leave_nothing_wrong(desk: Desk, tmp_path: Path) -> None:
    dice = random.Random(7)  # noqa: S311 - no secret
    path, documents = await town(tmp_path / "x", bookings=400)
    odd: list[object] = [None, "", -1, "x", [], {}, True, 10**12, "2026-03-02T10:00:00Z", "completed", 3.7, "barber1"]
    for document in documents:
        for name in dice.sample(sorted(document), dice.randrange(3)):
            document[name] = dice.choice(odd)
    await made(path, bookings=documents)
    summary = await desk.take(path)
    file = summary.files["bookings"]
    assert file.rows == file.taken + file.refused == 400
    assert min(file.taken, file.refused) > 20
    assert sum(not each["taken"] for each in desk.report) == file.refused
    assert await desk.one("SELECT count(*) FROM bookings") == file.taken
    assert await desk.checked() == []
    found = await desk.compared(path)
    assert (found.differences, found.samples) == (0, [])
