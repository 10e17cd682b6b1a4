"""Shops over REST: made, shown, changed, and what they offer."""

from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from barberpro.domain.hours import DAYS
from barberpro.storage import shops
from barberpro.storage.catalogue import Catalogue
from tests.support.accounts import AccountDoor, shared_door
from tests.support.owners import SHOP, Owner, new_owner
from tests.support.shops import ADMIN, Json, customer, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOURS: Json = {"mon": [["09:00", "13:00"], ["14:00", "24:00"]], "sun": []}
PLACE: Json = {"address": "12 Church Street, Bengaluru", "latitude": 12.9758, "longitude": 77.6045}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


@pytest_asyncio.fixture(loop_scope="module")
async def owner(door: AccountDoor) -> Owner:
    return await new_owner(door)


async def audited(door: AccountDoor, shop_id: str, action: str) -> list[Json]:
    answer = await door.call("GET", f"/admin/audit?shopId={shop_id}&action={action}", token=door.server.token(ADMIN))
    entries: list[Json] = answer.data
    return entries


# The shop itself ---------------------------------------------------------------------------------------------------


async def test_a_barber_who_makes_a_shop_runs_it_and_has_its_first_line(door: AccountDoor) -> None:
    granted = await door.by_email(door.new_email(), userType="barber", name="Asha")
    body = {**SHOP, **PLACE, "openingHours": HOURS, "settings": {"maxSkips": 1}, "barberName": "Asha K."}
    made = await door.call("POST", "/shops", body, granted["accessToken"])
    assert made.status == 201
    shop = made.data
    assert made.headers["Location"] == f"/api/v1/shops/{shop['shopId']}"
    assert {name: shop[name] for name in (*SHOP, *PLACE)} == {**SHOP, **PLACE}
    assert shop["openingHours"] == {day: HOURS.get(day, []) for day in DAYS}
    assert shop["settings"] == {
        "queueCapacity": 100, "remoteJoin": True, "graceMinutes": 5, "graceAction": "skip", "maxSkips": 1,
        "lateMinutes": 15, "publicDisplay": True, "closingCutoff": True, "slotMinutes": 15,
        "changeNoticeMinutes": 0,
    }  # fmt: skip
    [barber] = shop["barbers"]
    assert (barber["name"], barber["photoUrl"], barber["services"]) == ("Asha K.", None, [])
    # At once, with the token from before.
    renamed = await door.call("PATCH", f"/shops/{shop['shopId']}", {"name": "Asha's"}, granted["accessToken"])
    assert renamed.data["name"] == "Asha's"
    renewed = (await door.auth("refresh", refreshToken=granted["refreshToken"])).data
    assert (renewed["user"]["barberId"], renewed["user"]["shopIds"]) == (barber["barberId"], [shop["shopId"]])
    line = await door.call("GET", "/queue/my-queue", token=renewed["accessToken"])
    assert line.data["barberId"] == barber["barberId"]


async def test_everybody_sees_a_shop_and_its_published_rules(owner: Owner) -> None:
    seen = await owner.door.call("GET", owner.shop)
    assert seen.data["settings"]["graceMinutes"] == 5
    assert (seen.data["openingHours"], seen.data["openNow"], seen.data["closesAt"]) == (None, None, None)
    assert (await owner.door.call("GET", "/shops/sh_nothing")).code == "NOT_FOUND"


async def test_the_same_request_again_makes_no_second_shop(door: AccountDoor) -> None:
    granted = await door.by_email(door.new_email(), userType="barber", name="Asha")
    key = new_id()
    first = await door.call("POST", "/shops", SHOP, granted["accessToken"], Idempotency_Key=key)
    again = await door.call("POST", "/shops", SHOP, granted["accessToken"], Idempotency_Key=key)
    assert (first.status, again.status) == (201, 200)
    assert first.data == again.data
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == key
    other = await door.call("POST", "/shops", {**SHOP, "name": "Else"}, granted["accessToken"], Idempotency_Key=key)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")
    await door.call("PATCH", f"/shops/{first.data['shopId']}", {"name": "Renamed"}, granted["accessToken"])
    renamed = await door.call("POST", "/shops", SHOP, granted["accessToken"], Idempotency_Key=key)
    assert (renamed.status, renamed.data["name"]) == (200, "Renamed")


async def test_what_a_server_of_an_earlier_version_made_is_answered_when_it_is_asked_for_again(owner: Owner) -> None:
    body, key = {"name": "Cut", "price": "250.00", "durationMinutes": 20}, new_id()
    first = await owner.call("POST", f"{owner.shop}/services", body, Idempotency_Key=key)
    await owner.door.server.node.pool.execute("UPDATE services SET request_digest = NULL")
    again = await owner.call("POST", f"{owner.shop}/services", body, Idempotency_Key=key)
    assert (again.status, again.data) == (200, first.data)


async def test_an_account_without_a_name_says_what_to_call_its_line(door: AccountDoor) -> None:
    granted = await door.by_phone(door.new_phone(), userType="barber")
    assert (await door.call("POST", "/shops", SHOP, granted["accessToken"])).refused_fields == ["barberName"]
    made = await door.call("POST", "/shops", {**SHOP, "barberName": "Ben"}, granted["accessToken"])
    assert made.data["barbers"][0]["name"] == "Ben"


async def test_who_has_a_line_already_gets_no_second_one_with_a_second_shop(owner: Owner) -> None:
    second = (await owner.call("POST", "/shops", {**SHOP, "name": "The Other"})).data
    assert second["barbers"] == []
    assert (await owner.call("PATCH", f"/shops/{second['shopId']}", {"name": "Another"})).data["name"] == "Another"


async def test_an_administrator_makes_a_shop_for_somebody_to_run(door: AccountDoor) -> None:
    made = (await door.call("POST", "/shops", SHOP, door.server.token(ADMIN))).data
    assert made["barbers"] == []
    assert (await door.call("GET", f"/shops/{made['shopId']}/staff", token=door.server.token(ADMIN))).data == []


async def test_what_is_left_out_of_a_change_stays_and_null_empties(owner: Owner) -> None:
    await owner.call("PATCH", owner.shop, {**PLACE, "openingHours": HOURS, "settings": {"queueCapacity": 7}})
    changed = (await owner.call("PATCH", owner.shop, {"settings": {"graceMinutes": 1.5, "remoteJoin": False}})).data
    assert {name: changed[name] for name in PLACE} == PLACE
    assert (changed["settings"]["queueCapacity"], changed["settings"]["graceMinutes"]) == (7, 1.5)
    emptied = dict.fromkeys((*PLACE, "openingHours"))
    changed = (await owner.call("PATCH", owner.shop, emptied)).data
    assert {name: changed[name] for name in emptied} == emptied
    assert changed["name"] == SHOP["name"]


async def test_a_grace_of_less_than_a_second_is_a_second_and_not_for_ever(owner: Owner) -> None:
    for minutes, seconds in ((0.005, 1), (0, 0)):
        changed = (await owner.call("PATCH", owner.shop, {"settings": {"graceMinutes": minutes}})).data
        assert round(changed["settings"]["graceMinutes"] * 60) == seconds


async def test_an_address_is_kept_sealed(owner: Owner) -> None:
    await owner.call("PATCH", owner.shop, PLACE)
    row = await owner.door.server.node.pool.fetchval("SELECT s::text FROM shops s WHERE shop_id = $1", owner.shop_id)
    assert "Church" not in row
    assert (await owner.door.call("GET", owner.shop)).data["address"] == PLACE["address"]


async def test_every_change_is_noted_with_what_it_was_and_what_it_became(owner: Owner) -> None:
    body = {"address": PLACE["address"], "timeZone": "Asia/Kolkata", "settings": {"graceMinutes": 2, "maxSkips": 2}}
    await owner.call("PATCH", owner.shop, body)
    await owner.call("PATCH", owner.shop, {"timeZone": "Asia/Kolkata"})
    [entry] = await audited(owner.door, owner.shop_id, "shop.changed")
    assert entry["actorId"] == owner.user_id
    assert entry["before"] == {"address": None, "timeZone": "Etc/UTC", "graceSeconds": 300}
    assert entry["after"] == {"address": "(personal)", "timeZone": "Asia/Kolkata", "graceSeconds": 120}


async def test_other_nodes_know_of_a_change_within_their_keep_time(owner: Owner) -> None:
    other = Catalogue(owner.door.server.node.pool, keep_seconds=0)
    changes: list[tuple[str, str, Json]] = [
        ("PATCH", owner.shop, {"settings": {"maxSkips": 9}}),
        ("POST", f"{owner.shop}/services", {"name": "Cut", "price": "250.00", "durationMinutes": 20}),
        ("PATCH", "/barbers/me", {"name": "Asha K."}),
    ]
    for method, path, body in changes:
        before = await other.shop(owner.shop_id)
        await owner.call(method, path, body)
        after = await other.shop(owner.shop_id)
        assert before is not None
        assert after is not None
        assert after.revision > before.revision
    assert after is not None
    assert after.rules.max_skips == 9
    [barber] = after.barbers.values()
    assert (barber.name, len(barber.services)) == ("Asha K.", 1)
    await other.close()


REFUSED: dict[str, list[object]] = {
    "name": ["", " ", "\u200b\u200b", "a\x00b", "a\u202eb", "x" * 81, None, 7],
    "timeZone": ["Mars/Olympus", "../etc/passwd", "localtime", "right/Asia/Kolkata", "", "x" * 65, None],
    "address": ["\u2800", "a\nb", "x" * 501],
    "openingHours": [{"mon": [["9:00", "18:00"]]}, {"mon": [["09:00", "25:00"]]}, {"funday": []}, {"mon": None}],
    "openingHours.tue": [
        {"tue": [["18:00", "09:00"]]}, {"tue": [["09:00", "13:00"], ["12:00", "18:00"]]}, {"tue": [["09:00", "09:00"]]},
    ],
    "(body)": [{"latitude": 1.5}, {"latitude": None, "longitude": 1}],
    "latitude": [91, "1", True],
    "settings.queueCapacity": [0, 10_001, 1.5, None],
    "settings.graceMinutes": [-1, 1441, "5"],
    "settings.shopId": ["sh_1"],
    "revision": [1],
    "shopId": ["sh_1"],
    "owners": [["us_1"]],
    "currency": ["EUR"],
}  # fmt: skip


async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(owner: Owner) -> None:
    before = (await owner.door.call("GET", owner.shop)).data
    for field, values in REFUSED.items():
        for value in values:
            outer, _, inner = field.partition(".")
            body = {outer: {inner: value} if outer == "settings" else value} if field != "(body)" else value
            if outer == "latitude":
                body = {"latitude": value, "longitude": 1}
            answer = await owner.call("PATCH", owner.shop, body)
            assert answer.refused_fields[0].startswith(field), (field, value, answer.body)
    assert (await owner.door.call("GET", owner.shop)).data == before


async def test_a_zone_that_postgres_cannot_read_is_refused_as_searches_would_fail_by_it(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops, "check_zone", lambda _: None)  # as if Python's database were the newer one
    for method, path, body in (("PATCH", owner.shop, {}), ("POST", "/shops", SHOP)):
        answer = await owner.call(method, path, {**body, "timeZone": "Mars/Olympus"})
        assert answer.refused_fields == ["timeZone"]


# What it offers ----------------------------------------------------------------------------------------------------


async def test_all_barbers_offer_a_new_service_and_each_at_prices_of_their_own(owner: Owner) -> None:
    service = await owner.service("Cut", "250", 20)
    [listed] = (await owner.call("GET", f"{owner.shop}/services")).data
    assert (listed["serviceId"], listed["price"], listed["active"]) == (service, "250.00", True)
    assert listed["offers"] == [
        {"barberId": owner.barber_id, "serviceId": service, "offered": True, "price": None, "durationMinutes": None}
    ]
    path = f"{owner.shop}/barbers/{owner.barber_id}/services/{service}"
    own = {"offered": True, "price": "300.50", "durationMinutes": 35}
    assert (await owner.call("PUT", path, own)).data == {**own, "barberId": owner.barber_id, "serviceId": service}
    await owner.open()
    token = owner.door.server.token(customer(1))
    booking = (await owner.join(token, service)).data["booking"]["bookingId"]
    seen = (await owner.door.call("GET", f"/bookings/{booking}", token=token)).data
    assert (seen["totalPrice"], seen["durationMinutes"]) == ("300.50", 35)
    # What was booked stays as it was agreed.
    await owner.call("PUT", path, {"offered": True})
    assert (await owner.door.call("GET", f"/bookings/{booking}", token=token)).data["totalPrice"] == "300.50"
    [barber] = (await owner.door.call("GET", owner.shop)).data["barbers"]
    assert barber["services"] == [{"serviceId": service, "name": "Cut", "price": "250.00", "durationMinutes": 20}]


async def test_a_service_is_switched_off_for_a_barber_or_for_all(owner: Owner) -> None:
    cut, shave = await owner.service("Cut"), await owner.service("Shave")
    await owner.open()
    token = owner.door.server.token(customer(1))
    path = f"{owner.shop}/barbers/{owner.barber_id}/services/{cut}"
    assert (await owner.call("PUT", path, {"offered": False, "price": "1"})).data["price"] is None
    assert (await owner.join(token, cut)).refused_fields == ["serviceIds.0"]
    assert (await owner.call("PATCH", f"{owner.shop}/services/{shave}", {"active": False})).data["active"] is False
    assert (await owner.join(token, shave)).refused_fields == ["serviceIds.0"]
    assert (await owner.door.call("GET", owner.shop)).data["barbers"][0]["services"] == []
    await owner.call("PATCH", f"{owner.shop}/services/{shave}", {"active": True, "price": "9.90"})
    assert (await owner.join(token, shave)).status == 201
    [entry, _] = await audited(owner.door, owner.shop_id, "service.changed")
    assert (entry["before"]["price"], entry["after"]["price"]) == ("250.00", "9.90")


async def test_the_same_request_again_makes_no_second_service(owner: Owner) -> None:
    body, key = {"name": "Cut", "price": "250.00", "durationMinutes": 20}, new_id()
    first = await owner.call("POST", f"{owner.shop}/services", body, Idempotency_Key=key)
    again = await owner.call("POST", f"{owner.shop}/services", body, Idempotency_Key=key)
    assert (first.status, again.status) == (201, 200)
    assert first.data == again.data
    assert len((await owner.call("GET", f"{owner.shop}/services")).data) == 1
    other = await owner.call("POST", f"{owner.shop}/services", {**body, "price": "260.00"}, Idempotency_Key=key)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")


async def test_services_that_cannot_be_are_refused_by_name(owner: Owner) -> None:
    service = await owner.service()
    for field, value in (
        ("price", "-1"), ("price", 250), ("price", "1.234"), ("price", None), ("durationMinutes", 0),
        ("durationMinutes", 601), ("name", "\u200b"), ("active", "no"), ("shopId", "sh_1"),
    ):  # fmt: skip
        answer = await owner.call("PATCH", f"{owner.shop}/services/{service}", {field: value})
        assert answer.refused_fields == [field], value
    path = f"{owner.shop}/barbers/{owner.barber_id}/services"
    assert (await owner.call("PUT", f"{path}/sv_nothing", {"offered": True})).code == "NOT_FOUND"
    assert (await owner.call("PUT", f"{path}/{service}", {})).refused_fields == ["offered"]


async def test_a_barber_tells_name_and_photo(owner: Owner) -> None:
    told = {"name": "Asha K.", "photoUrl": "https://pictures.example/asha.jpg?v=2"}
    changed = (await owner.call("PATCH", "/barbers/me", told)).data
    assert {name: changed[name] for name in told} == told
    assert (await owner.call("PATCH", "/barbers/me", {"photoUrl": None})).data["name"] == "Asha K."
    for url in ("http://plain.example/a", "javascript:alert(1)", "https://", "https://a:b@c.example/", "https://x /"):
        assert (await owner.call("PATCH", "/barbers/me", {"photoUrl": url})).refused_fields == ["photoUrl"], url
    [*entries] = await audited(owner.door, owner.shop_id, "barber.changed")
    assert len(entries) == 2
    assert "pictures.example" not in orjson.dumps(entries).decode()
