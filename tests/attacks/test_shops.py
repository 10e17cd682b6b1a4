"""Attacks on shops: other people's, fields that are nobody's to set, and text that is more than text."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.accounts import AccountDoor, shared_door
from tests.support.owners import SHOP, Owner, new_owner
from tests.support.shops import Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

INJECTIONS = ["'; DROP TABLE shops; --", '" OR ""="', "{{7*7}} ${jndi:x} %s %(name)s", "<script>alert(1)</script>"]
UNSEEN = ["\u200b", "\u200d\u200c", "\ufeff", "\u2060", "a\u202eb", "a\u2066b", "a\x00b", "a\r\nb", "\u3164"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


@pytest_asyncio.fixture(loop_scope="module")
async def owner(door: AccountDoor) -> Owner:
    return await new_owner(door)


async def test_the_owner_of_one_shop_is_nobody_in_another(owner: Owner, door: AccountDoor) -> None:
    thief = await new_owner(door)
    service, own = await owner.service(), await thief.service()
    invitation = await owner.call("POST", f"{owner.shop}/invitations", {"email": door.new_email()})
    attempts: list[tuple[str, str, Json | None]] = [
        ("PATCH", owner.shop, {"name": "Mine"}),
        ("GET", f"{owner.shop}/services", None),
        ("POST", f"{owner.shop}/services", {"name": "Cut", "price": "1", "durationMinutes": 5}),
        ("PATCH", f"{owner.shop}/services/{service}", {"price": "1"}),
        ("PUT", f"{owner.shop}/barbers/{owner.barber_id}/services/{service}", {"offered": False}),
        ("GET", f"{owner.shop}/staff", None),
        ("DELETE", f"{owner.shop}/staff/{owner.user_id}", None),
        ("GET", f"{owner.shop}/invitations", None),
        ("POST", f"{owner.shop}/invitations", {"email": door.new_email()}),
        ("DELETE", f"{owner.shop}/invitations/{invitation.data['invitationId']}", None),
        # By way of one's own shop.
        ("PATCH", f"{thief.shop}/services/{service}", {"price": "1"}),
        ("PUT", f"{thief.shop}/barbers/{owner.barber_id}/services/{service}", {"offered": False}),
        ("PUT", f"{thief.shop}/barbers/{owner.barber_id}/services/{own}", {"offered": True}),
        ("PUT", f"{thief.shop}/barbers/{thief.barber_id}/services/{service}", {"offered": True}),
        ("DELETE", f"{thief.shop}/staff/{owner.user_id}", None),
        ("DELETE", f"{thief.shop}/staff/{owner.barber_id}", None),
        ("DELETE", f"{thief.shop}/invitations/{invitation.data['invitationId']}", None),
    ]
    for method, path, body in attempts:
        assert (await thief.call(method, path, body)).code == "NOT_FOUND", (method, path)
    shop = (await door.call("GET", owner.shop)).data
    assert shop["name"] == SHOP["name"]
    assert [each["serviceId"] for each in shop["barbers"][0]["services"]] == [service]
    assert len((await owner.call("GET", f"{owner.shop}/invitations")).data) == 1


async def test_no_field_is_set_that_is_not_asked_for(owner: Owner, door: AccountDoor) -> None:
    extra: Json = {
        "shopId": "sh_mine", "shop_id": "sh_mine", "owners": ["us_x"], "ownerId": "us_x", "revision": 7,
        "createdAt": "2020-01-01", "addressSealed": "x", "queue_capacity": 1, "barbers": [], "made_by": "us_admin",
        "active": False, "userId": "us_x", "barberId": "bb_x", "__class__": "x", "role": "admin",
    }  # fmt: skip
    service = await owner.service()
    bodies: list[tuple[str, str, Json, set[str]]] = [
        ("POST", "/shops", SHOP, set()),
        ("PATCH", owner.shop, {"name": "The Shop"}, set()),
        ("POST", f"{owner.shop}/services", {"name": "Cut", "price": "1", "durationMinutes": 5}, set()),
        ("PATCH", f"{owner.shop}/services/{service}", {"price": "1"}, {"active"}),
        ("PUT", f"{owner.shop}/barbers/{owner.barber_id}/services/{service}", {"offered": True}, set()),
        ("PATCH", "/barbers/me", {"name": "Asha"}, set()),
        ("POST", f"{owner.shop}/invitations", {"email": door.new_email()}, {"role"}),
        ("POST", "/invitations/accept", {"token": "ch_1.x"}, set()),
    ]
    for method, path, body, allowed in bodies:
        for name, value in extra.items():
            if name not in allowed:
                answer = await owner.call(method, path, {**body, name: value})
                assert answer.refused_fields == [name], (path, name)
    refused = await owner.call("POST", f"{owner.shop}/invitations", {"email": door.new_email(), "role": "admin"})
    assert refused.refused_fields == ["role"]


async def test_text_is_text_wherever_it_is_written(owner: Owner, door: AccountDoor) -> None:
    service = await owner.service()
    texts: list[tuple[str, str, str]] = [
        ("PATCH", owner.shop, "name"),
        ("PATCH", owner.shop, "address"),
        ("PATCH", f"{owner.shop}/services/{service}", "name"),
        ("PATCH", "/barbers/me", "name"),
    ]
    for method, path, field in texts:
        for text in INJECTIONS:
            assert (await owner.call(method, path, {field: text})).data[field] == text, (path, text)
    for method, path, field in [*texts, ("POST", f"{owner.shop}/invitations", "name")]:
        for text in UNSEEN:
            body = {field: text, **({"email": door.new_email()} if method == "POST" else {})}
            assert (await owner.call(method, path, body)).refused_fields == [field], (path, text)
    assert (await door.call("GET", owner.shop)).data["name"] == INJECTIONS[-1]


async def test_ids_in_paths_are_ids_or_nothing(owner: Owner) -> None:
    for odd in ("'%20OR%201=1", "%00", "..%2F..", "%E2%80%8B", "x" * 65):
        for method, path in (
            ("GET", f"/shops/{odd}"),
            ("PATCH", f"{owner.shop}/services/{odd}"),
            ("DELETE", f"{owner.shop}/staff/{odd}"),
            ("DELETE", f"{owner.shop}/invitations/{odd}"),
            ("PUT", f"{owner.shop}/barbers/{odd}/services/{odd}"),
        ):
            answer = await owner.call(method, path, {"offered": True} if method == "PUT" else None)
            assert answer.status == 404, (path, answer.body)


async def test_a_stolen_link_is_no_good_to_another_account_and_costs_the_invited_nothing(
    owner: Owner, door: AccountDoor
) -> None:
    email = door.new_email()
    await owner.call("POST", f"{owner.shop}/invitations", {"email": email, "name": "Ben"})
    link = door.link_token
    thief = await door.by_email(door.new_email())
    for _ in range(6):
        stolen = await door.call("POST", "/invitations/accept", {"token": link}, thief["accessToken"])
        assert stolen.code == "NOT_FOUND"
        guessed = {"token": f"{link.partition('.')[0]}.guess"}
        assert (await door.call("POST", "/invitations/accept", guessed, thief["accessToken"])).code == "NOT_FOUND"
    invited = await door.by_email(email)
    assert (await door.call("POST", "/invitations/accept", {"token": link}, invited["accessToken"])).status == 200


async def test_a_code_of_an_invitation_is_guessed_five_times_at_most(owner: Owner, door: AccountDoor) -> None:
    phone = door.new_phone()
    answer = await owner.call("POST", f"{owner.shop}/invitations", {"phone": phone, "name": "Ben"})
    code, invitation = door.code, answer.data["invitationId"]
    granted = await door.by_phone(phone)
    for step in range(5):
        wrong = {"invitationId": invitation, "code": f"{(int(code) + 1 + step) % 1_000_000:06d}"}
        refused = await door.call("POST", "/invitations/accept", wrong, granted["accessToken"])
        assert refused.refused_fields == ["code"]
    right = {"invitationId": invitation, "code": code}
    assert (await door.call("POST", "/invitations/accept", right, granted["accessToken"])).status == 400


async def test_an_invitation_is_no_way_to_sign_in_or_to_a_new_password(owner: Owner, door: AccountDoor) -> None:
    await owner.call("POST", f"{owner.shop}/invitations", {"email": door.new_email()})
    link = door.link_token
    assert (await door.auth("verify-email", token=link, password="correct horse")).refused_fields == ["token"]  # noqa: S106 - of nobody
    assert (await door.auth("reset-password", token=link, password="correct horse")).refused_fields == ["token"]  # noqa: S106 - of nobody


async def test_one_account_runs_so_many_shops_and_a_crowd_of_requests_makes_no_more(door: AccountDoor) -> None:
    owner = await new_owner(door)
    answers = await asyncio.gather(*(owner.call("POST", "/shops", SHOP) for _ in range(24)))
    assert sorted({answer.status for answer in answers}) == [201, 409]
    assert sum(answer.status == 201 for answer in answers) == 19
