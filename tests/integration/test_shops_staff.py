"""Who works in a shop: invited, accepted, let go."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.accounts import AccountDoor, shared_door
from tests.support.owners import Owner, new_owner
from tests.support.rest import Answer
from tests.support.shops import ADMIN, Json, customer, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


@pytest_asyncio.fixture(loop_scope="module")
async def owner(door: AccountDoor) -> Owner:
    return await new_owner(door)


async def invited(owner: Owner, **body: object) -> Answer:
    return await owner.call("POST", f"{owner.shop}/invitations", body)


async def accepted(door: AccountDoor, granted: Json, **body: object) -> Answer:
    return await door.call("POST", "/invitations/accept", body, granted["accessToken"])


async def renewed(door: AccountDoor, granted: Json) -> Json:
    """With a token that tells what the account may now."""
    data: Json = (await door.auth("refresh", refreshToken=granted["refreshToken"])).data
    return data


async def hired(owner: Owner) -> Json:
    """A barber who has joined the shop: what they were granted, with barberId."""
    email = owner.door.new_email()
    await invited(owner, email=email, name="Ben")
    link = owner.door.link_token
    granted = await owner.door.by_email(email)
    told = (await accepted(owner.door, granted, token=link)).data
    return {**await renewed(owner.door, granted), "barberId": told["barberId"]}


async def staff(owner: Owner) -> list[Json]:
    listed: list[Json] = (await owner.call("GET", f"{owner.shop}/staff")).data
    return listed


async def test_who_accepts_a_letters_link_has_a_line_in_the_shop(owner: Owner, door: AccountDoor) -> None:
    service, email = await owner.service(), door.new_email()
    answer = await invited(owner, email=email, name="Ben", language="de")
    assert (answer.status, answer.data["channel"]) == (201, "email")
    letter = door.letters[-1]
    assert (letter.to, letter.template, letter.language) == (email, "invitation", "de")
    assert letter.fields["shop"] == "Corner Barbers"
    assert "/accept-invitation#" in letter.fields["link"]
    link = door.link_token
    [pending] = (await owner.call("GET", f"{owner.shop}/invitations")).data
    assert (pending["invitationId"], pending["contact"], pending["name"]) == (answer.data["invitationId"], email, "Ben")

    granted = await door.by_email(email)
    [own] = (await door.call("GET", "/invitations", token=granted["accessToken"])).data
    assert (own["shopId"], own["shopName"], own["role"]) == (owner.shop_id, "Corner Barbers", "barber")
    told = (await accepted(door, granted, token=link)).data
    again = await renewed(door, granted)
    assert (again["user"]["userType"], again["user"]["barberId"]) == ("barber", told["barberId"])
    assert again["user"]["shopIds"] == [owner.shop_id]
    assert (await door.call("GET", "/queue/my-queue", token=again["accessToken"])).data["barberId"] == told["barberId"]
    assert [(each["name"], each["owner"]) for each in await staff(owner)] == [("Asha", True), ("Ben", False)]
    shop = (await door.call("GET", owner.shop)).data
    assert [each["services"][0]["serviceId"] for each in shop["barbers"]] == [service, service]
    assert (await owner.call("GET", f"{owner.shop}/invitations")).data == []
    assert (await accepted(door, again, token=link)).code == "NOT_FOUND"


async def test_a_code_by_sms_is_for_the_account_that_has_the_number(owner: Owner, door: AccountDoor) -> None:
    phone = door.new_phone()
    invitation = (await invited(owner, phone=phone, name="Carlos")).data["invitationId"]
    code = door.code
    other = await door.by_phone(door.new_phone())
    assert (await accepted(door, other, invitationId=invitation, code=code)).code == "NOT_FOUND"
    granted = await door.by_phone(phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await accepted(door, granted, invitationId=invitation, code=wrong)).refused_fields == ["code"]
    assert (await accepted(door, granted, invitationId=invitation, code=code)).data["role"] == "barber"


async def test_an_owner_who_is_invited_runs_the_shop_without_a_line(owner: Owner, door: AccountDoor) -> None:
    email = door.new_email()
    await invited(owner, email=email, role="owner")
    link, granted = door.link_token, await door.by_email(email, name="Dev")
    assert (await accepted(door, granted, token=link)).data == {
        "shopId": owner.shop_id, "role": "owner", "barberId": None,
    }  # fmt: skip
    token = (await renewed(door, granted))["accessToken"]
    assert (await door.call("PATCH", owner.shop, {"name": "Dev's"}, token)).status == 200
    assert {(each["name"], each["owner"]) for each in await staff(owner)} == {("Asha", True), ("Dev", True)}


async def test_one_account_has_one_line(owner: Owner, door: AccountDoor) -> None:
    member, elsewhere = await hired(owner), await new_owner(door)
    await invited(elsewhere, email=member["user"]["email"])
    assert (await accepted(door, member, token=door.link_token)).code == "INVALID_TRANSITION"
    # It was not used up: as owner they are welcome, and the invitation stays open.
    [open_one] = (await elsewhere.call("GET", f"{elsewhere.shop}/invitations")).data
    assert open_one["role"] == "barber"


async def test_an_invitation_that_was_withdrawn_is_no_good(owner: Owner, door: AccountDoor) -> None:
    email = door.new_email()
    invitation = (await invited(owner, email=email, name="Ben")).data["invitationId"]
    link, granted = door.link_token, await door.by_email(email)
    assert (await owner.call("DELETE", f"{owner.shop}/invitations/{invitation}")).status == 200
    assert (await accepted(door, granted, token=link)).code == "NOT_FOUND"
    assert (await owner.call("DELETE", f"{owner.shop}/invitations/{invitation}")).code == "NOT_FOUND"


async def test_the_same_request_again_sends_no_second_letter(owner: Owner, door: AccountDoor) -> None:
    body, key = {"email": door.new_email(), "name": "Ben"}, new_id()
    first = await owner.call("POST", f"{owner.shop}/invitations", body, Idempotency_Key=key)
    sent = len(door.letters)
    again = await owner.call("POST", f"{owner.shop}/invitations", body, Idempotency_Key=key)
    assert (again.data, len(door.letters)) == (first.data, sent)
    elsewhere = await new_owner(door)
    other = await elsewhere.call("POST", f"{elsewhere.shop}/invitations", body, Idempotency_Key=key)
    assert other.data["invitationId"] != first.data["invitationId"]


async def test_of_two_who_accept_at_once_with_one_link_one_line_comes(owner: Owner, door: AccountDoor) -> None:
    email = door.new_email()
    await invited(owner, email=email, name="Ben")
    link, granted = door.link_token, await door.by_email(email)
    answers = await asyncio.gather(*(accepted(door, granted, token=link) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 404, 404, 404]
    assert len(await staff(owner)) == 2


async def test_who_is_let_go_may_do_nothing_there_any_more(owner: Owner, door: AccountDoor) -> None:
    member = await hired(owner)
    user_id, token = member["user"]["userId"], member["accessToken"]
    assert (await door.call("GET", f"{owner.shop}/staff", token=token)).status == 200
    assert (await owner.call("DELETE", f"{owner.shop}/staff/{user_id}")).status == 200
    assert (await door.call("GET", f"{owner.shop}/staff", token=token)).code == "TOKEN_REVOKED"
    left = await renewed(door, member)
    assert (left["user"]["barberId"], left["user"]["shopIds"]) == (None, [])
    assert [each["name"] for each in await staff(owner)] == ["Asha"]
    assert member["barberId"] not in str((await door.call("GET", owner.shop)).data["barbers"])
    assert (await owner.call("DELETE", f"{owner.shop}/staff/{user_id}")).code == "NOT_FOUND"


async def test_nobody_is_let_go_with_people_in_their_line(owner: Owner, door: AccountDoor) -> None:
    service, member = await owner.service(), await hired(owner)
    path, barber_id = f"{owner.shop}/staff/{member['barberId']}", member["barberId"]
    await owner.open(barber_id)
    assert (await owner.call("DELETE", path)).code == "INVALID_TRANSITION"
    body = {"barberId": barber_id, "serviceIds": [service]}
    await door.call("POST", "/bookings", body, door.server.token(customer(1)))
    for waiting, code in (("keep", "INVALID_TRANSITION"), ("cancel", None)):
        close = {"type": "close", "commandId": new_id(), "barberId": barber_id, "waiting": waiting}
        assert (await owner.call("POST", "/queue/commands", close)).status == 200
        answer = await owner.call("DELETE", path)
        assert (answer.body.get("error") or {}).get("code") == code, answer.body


async def test_the_last_owner_stays(owner: Owner) -> None:
    assert (await owner.call("DELETE", f"{owner.shop}/staff/{owner.user_id}")).code == "INVALID_TRANSITION"


async def test_an_owner_whom_others_work_for_is_not_deleted(owner: Owner, door: AccountDoor) -> None:
    ben = await hired(owner)
    refused = await owner.call("DELETE", "/auth/account")
    assert refused.code == "INVALID_TRANSITION"
    assert "owner" in refused.body["error"]["message"]
    assert (await owner.call("GET", "/auth/me")).status == 200, "nothing has changed"
    assert (await door.call("DELETE", "/auth/account", token=ben["accessToken"])).status == 200
    assert (await owner.call("DELETE", "/auth/account")).data == {"deleted": True}, "a shop of one goes with its owner"


async def test_nobody_begins_to_work_in_a_shop_that_went_with_its_owner(owner: Owner, door: AccountDoor) -> None:
    email = door.new_email()
    await invited(owner, email=email, name="Ben")
    link, granted = door.link_token, await door.by_email(email)
    assert (await owner.call("DELETE", "/auth/account")).status == 200
    assert (await accepted(door, granted, token=link)).code == "NOT_FOUND"
    assert (await renewed(door, granted))["user"]["barberId"] is None


async def test_of_two_owners_one_may_be_deleted_while_others_work_there(owner: Owner, door: AccountDoor) -> None:
    await hired(owner)
    email = door.new_email()
    await invited(owner, email=email, role="owner")
    link = door.link_token
    granted = await door.by_email(email, name="Ola")
    await accepted(door, granted, token=link)
    assert (await owner.call("DELETE", "/auth/account")).status == 200
    last = await renewed(door, granted)
    assert (await door.call("DELETE", "/auth/account", token=last["accessToken"])).code == "INVALID_TRANSITION"


async def test_barbers_who_do_not_run_the_shop_see_the_staff_and_change_nothing(
    owner: Owner, door: AccountDoor
) -> None:
    service, member = await owner.service(), await hired(owner)
    token = member["accessToken"]
    for method, path, body in (
        ("PATCH", owner.shop, {"name": "Mine"}),
        ("POST", f"{owner.shop}/services", {"name": "Cut", "price": "1", "durationMinutes": 5}),
        ("PATCH", f"{owner.shop}/services/{service}", {"price": "1"}),
        ("PUT", f"{owner.shop}/barbers/{owner.barber_id}/services/{service}", {"offered": False}),
        ("POST", f"{owner.shop}/invitations", {"email": door.new_email()}),
        ("GET", f"{owner.shop}/invitations", None),
        ("DELETE", f"{owner.shop}/staff/{owner.user_id}", None),
    ):
        assert (await door.call(method, path, body, token)).code == "NOT_FOUND", path
    own = f"{owner.shop}/barbers/{member['barberId']}/services/{service}"
    assert (await door.call("PUT", own, {"offered": True, "price": "99.00"}, token)).data["price"] == "99.00"


async def test_an_account_sends_so_many_invitations_a_day(owner: Owner, door: AccountDoor) -> None:
    pool = door.server.node.pool
    await invited(owner, email=door.new_email())
    await pool.execute(
        "INSERT INTO challenges (challenge_id, purpose, channel, contact_sealed, contact_lookup, secret_sealed, wanted,"
        " language, sent_at, expires_at)"
        " SELECT challenge_id || n, purpose, channel, contact_sealed, contact_lookup || n, secret_sealed, wanted,"
        " language, sent_at, expires_at FROM challenges, generate_series(1, 49) n WHERE challenge_id IN"
        " (SELECT challenge_id FROM invitations WHERE made_by = $1)",
        owner.user_id,
    )
    await pool.execute(
        "INSERT INTO invitations SELECT challenge_id || n, shop_id, role, name, made_by, made_at"
        " FROM invitations, generate_series(1, 49) n WHERE made_by = $1",
        owner.user_id,
    )
    refused = await invited(owner, email=door.new_email())
    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")


async def test_whoever_deletes_their_account_has_no_shop_and_no_line(owner: Owner, door: AccountDoor) -> None:
    await owner.open()
    await owner.call("PATCH", "/barbers/me", {"name": "Zebulon", "photoUrl": "https://pictures.example/z.jpg"})
    assert (await owner.call("DELETE", "/auth/account")).code == "INVALID_TRANSITION"
    close = {"type": "close", "commandId": new_id(), "barberId": owner.barber_id, "waiting": "keep"}
    await owner.call("POST", "/queue/commands", close)
    assert (await owner.call("DELETE", "/auth/account")).status == 200
    row = await door.server.node.pool.fetchval("SELECT b::text FROM barbers b WHERE shop_id = $1", owner.shop_id)
    assert "Zebulon" not in row
    assert "pictures" not in row
    owners = await door.server.node.pool.fetchval("SELECT count(*) FROM shop_owners WHERE shop_id = $1", owner.shop_id)
    assert owners == 0
    admin = door.server.token(ADMIN)
    assert (await door.call("GET", f"{owner.shop}/staff", token=admin)).status == 200


# For administrators ------------------------------------------------------------------------------------------------


async def listed(door: AccountDoor, path: str) -> list[Json]:
    rows: list[Json] = (await door.call("GET", f"/admin/{path}", token=door.server.token(ADMIN))).data
    return rows


async def test_administrators_find_accounts(owner: Owner, door: AccountDoor) -> None:
    member = await hired(owner)
    [found] = await listed(door, f"users?email={member['user']['email'].upper()}")
    assert found["userId"] == member["user"]["userId"]
    assert (found["userType"], found["barberId"], found["shopIds"]) == ("barber", member["barberId"], [owner.shop_id])
    phone = door.new_phone()
    await door.by_phone(phone, name="100%_sure' OR 1=1")
    [found] = await listed(door, f"users?phone=%2B{phone[1:]}")
    assert found["phone"] == phone
    assert [each["phone"] for each in await listed(door, "users?name=0%25_SURE'")] == [phone]
    assert await listed(door, "users?name=100__sure") == []
    here = await listed(door, f"users?shopId={owner.shop_id}&userType=barber")
    assert {each["userId"] for each in here} == {owner.user_id, member["user"]["userId"]}
    assert await listed(door, f"users?shopId={owner.shop_id}&userType=customer") == []


async def test_administrators_find_barbers(owner: Owner) -> None:
    door, member = owner.door, await hired(owner)
    first, second = await listed(door, f"barbers?shopId={owner.shop_id}")
    assert (first["barberId"], first["userId"]) == (member["barberId"], member["user"]["userId"])
    assert (second["barberId"], second["shopName"], second["active"]) == (owner.barber_id, "Corner Barbers", True)
    await owner.call("DELETE", f"{owner.shop}/staff/{member['barberId']}")
    [gone] = await listed(door, f"barbers?shopId={owner.shop_id}&active=false")
    assert gone["barberId"] == member["barberId"]
    assert [each["name"] for each in await listed(door, f"barbers?shopId={owner.shop_id}&name=sHa")] == ["Asha"]


async def test_pages_of_people_follow_each_other_without_gap_or_repetition(owner: Owner, door: AccountDoor) -> None:
    await hired(owner)
    for kind, key in (("users", "userId"), ("barbers", "barberId")):
        whole = [each[key] for each in await listed(door, f"{kind}?limit=200")]
        assert len(whole) == len(set(whole)) > 2
        found: list[str] = []
        query: str | None = "limit=2"
        while query is not None:
            answer = await door.call("GET", f"/admin/{kind}?{query}", token=door.server.token(ADMIN))
            found += [each[key] for each in answer.data]
            cursor = answer.body["meta"]["nextCursor"]
            query = f"limit=2&cursor={cursor}" if cursor is not None else None
        assert found == whole


async def test_what_cannot_be_searched_for_is_refused_by_name(door: AccountDoor) -> None:
    for query in (
        "userType=boss", "shopId='", "name=%E2%80%8B", "name=%00", "email=x", "phone=12", "cursor=1", "limit=0", "x=1",
    ):  # fmt: skip
        answer = await door.call("GET", f"/admin/users?{query}", token=door.server.token(ADMIN))
        assert answer.refused_fields == [query.split("=")[0]], query
    answer = await door.call("GET", "/admin/barbers?active=yes", token=door.server.token(ADMIN))
    assert answer.refused_fields == ["active"]
