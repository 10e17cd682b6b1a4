"""Accounts over REST: registering, signing in, sessions, and being forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import jwt
import orjson
import pytest
import pytest_asyncio

from barberpro.domain.accounts import passwords
from barberpro.domain.accounts.appointing import Appointment, appoint
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.opening import opened
from barberpro.domain.keys import add_key
from barberpro.handlers.services import SERVICES
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.ids import new_user_id
from barberpro.storage.imported import NewUser, add_users
from barberpro.storage.sealing import sealer
from barberpro.storage.tidying import tidy
from tests.support.accounts import PASSWORD, AccountDoor, shared_door
from tests.support.rest import Answer
from tests.support.revoking import revoke
from tests.support.shops import send

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANOTHER = "another password"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str, _template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AccountDoor]:
    async with shared_door(server_url, _template, redis_url, tmp_path_factory.mktemp("keys")) as door:
        yield door


@pytest.fixture
def email(door: AccountDoor) -> str:
    return door.new_email()


@pytest.fixture
def phone(door: AccountDoor) -> str:
    return door.new_phone()


async def noted_of(door: AccountDoor, object_id: str) -> list[tuple[str, str]]:
    """What the audit log has of it: what was done, and by whom."""
    query = "SELECT action, actor_id FROM audit_logs WHERE object_id = $1 ORDER BY at"
    return [tuple(row) for row in await door.server.node.pool.fetch(query, object_id)]


async def role_given(door: AccountDoor, email: str, appointment: Appointment) -> str | None:
    contacts = Contacts(await asyncio.to_thread(sealer, door.keys, create=False))
    return await appoint(door.server.node.pool, contacts, Contact("email", email), appointment)


async def test_whoever_confirms_an_address_has_an_account(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email, name="Asha")
    me = (await door.call("GET", "/auth/me", token=granted["accessToken"])).data
    assert (me["email"], me["name"], me["userType"], me["phone"]) == (email, "Asha", "customer", None)
    signed_in = await door.auth("login", email=email.upper(), password=PASSWORD)
    assert signed_in.data["user"] == me


async def test_whoever_tells_the_code_signs_in_by_number_again_and_again(door: AccountDoor, phone: str) -> None:
    first = await door.by_phone(phone, name="Ben")
    second = await door.by_phone(phone, name="Somebody else")
    assert first["user"] == second["user"]
    assert first["user"]["phone"] == phone
    assert first["sessionId"] != second["sessionId"]


async def test_the_token_has_the_claims_that_apps_read(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email, name="Asha")
    claims = jwt.decode(granted["accessToken"], options={"verify_signature": False})
    assert {"sub", "userId", "userType", "email", "permissions", "iat", "exp", "shopIds", "jti", "sid"} <= claims.keys()
    assert claims["sub"] == claims["userId"] == granted["user"]["userId"]
    assert (claims["email"], claims["userType"], claims["shopIds"]) == (email, "customer", [])
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(granted["accessToken"])["kid"]


async def test_a_refresh_token_is_good_once_and_gives_the_next(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    renewed = (await door.auth("refresh", refreshToken=granted["refreshToken"])).data
    assert renewed["refreshToken"] != granted["refreshToken"]
    assert (await door.call("GET", "/auth/me", token=renewed["accessToken"])).status == 200
    assert (await door.auth("refresh", refreshToken=renewed["refreshToken"])).status == 200


async def test_a_renewal_repeated_with_its_key_gives_the_same_again(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    body = {"refreshToken": granted["refreshToken"]}
    first = await door.call("POST", "/auth/refresh", body, Idempotency_Key="once")
    again = await door.call("POST", "/auth/refresh", body, Idempotency_Key="once")
    assert first.data["refreshToken"] == again.data["refreshToken"]
    assert (await door.auth("refresh", refreshToken=again.data["refreshToken"])).status == 200


async def test_a_sign_in_repeated_with_its_key_is_one_session(door: AccountDoor, email: str) -> None:
    await door.by_email(email)
    body = {"email": email, "password": PASSWORD}
    first = await door.call("POST", "/auth/login", body, Idempotency_Key="once")
    again = await door.call("POST", "/auth/login", body, Idempotency_Key="once")
    assert {name: first.data[name] for name in ("sessionId", "refreshToken")} == {
        name: again.data[name] for name in ("sessionId", "refreshToken")
    }
    assert [action for action, _ in await noted_of(door, first.data["sessionId"])] == ["session.begun"]


async def test_sessions_are_listed_and_ended_one_by_one(door: AccountDoor, email: str) -> None:
    first = await door.by_email(email)
    body = {"email": email, "password": PASSWORD}
    second = (await door.call("POST", "/auth/login", body, User_Agent="Phone/1")).data
    listed = (await door.call("GET", "/auth/sessions", token=second["accessToken"])).data
    assert [(each["sessionId"], each["current"]) for each in listed] == [
        (second["sessionId"], True),
        (first["sessionId"], False),
    ]
    assert listed[0]["agent"] == "Phone/1"
    path = f"/auth/sessions/{first['sessionId']}"
    assert (await door.call("DELETE", path, token=second["accessToken"])).data["ended"] is True
    assert (await door.call("GET", "/auth/me", token=first["accessToken"])).code == "TOKEN_REVOKED"
    assert (await door.auth("refresh", refreshToken=first["refreshToken"])).code == "TOKEN_REVOKED"
    assert (await door.call("DELETE", path, token=second["accessToken"])).status == 404


async def test_who_signs_out_is_out_at_once(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    assert (await door.auth("logout", granted["accessToken"])).data["ended"] is True
    assert (await door.call("GET", "/auth/me", token=granted["accessToken"])).code == "TOKEN_REVOKED"
    assert (await door.auth("refresh", refreshToken=granted["refreshToken"])).code == "TOKEN_REVOKED"


async def test_a_new_password_by_link_ends_all_sessions(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    assert (await door.auth("forgot-password", email=email)).status == 202
    assert door.letters[-1].template == "reset_password"
    assert (await door.auth("reset-password", token=door.link_token, password=ANOTHER)).data == {"reset": True}
    assert (await door.call("GET", "/auth/me", token=granted["accessToken"])).code == "TOKEN_REVOKED"
    assert (await door.auth("login", email=email, password=PASSWORD)).code == "UNAUTHORIZED"
    assert (await door.auth("login", email=email, password=ANOTHER)).status == 200


async def test_a_new_password_by_code(door: AccountDoor, phone: str) -> None:
    await door.by_phone(phone)
    begun = (await door.auth("forgot-password", phone=phone)).data
    told = {"challengeId": begun["challengeId"], "code": door.code, "password": ANOTHER}
    assert (await door.auth("reset-password", **told)).status == 200
    assert (await door.auth("login", phone=phone, password=ANOTHER)).status == 200


async def test_another_code_replaces_the_one_before(door: AccountDoor, phone: str) -> None:
    begun = (await door.auth("register", phone=phone)).data
    first = door.code
    again = (await door.auth("resend-otp", challengeId=begun["challengeId"])).data
    assert again["challengeId"] == begun["challengeId"]
    tried = await door.auth("verify-otp", challengeId=begun["challengeId"], code=first)
    assert first == door.code or tried.refused_fields == ["code"]
    assert (await door.auth("verify-otp", challengeId=begun["challengeId"], code=door.code)).status == 200


async def test_a_deleted_account_leaves_nothing_personal(door: AccountDoor, email: str) -> None:
    before = await door.server.node.pool.fetchval("SELECT count(*) FROM challenges")
    granted = await door.by_email(email, name="Asha")
    token, user_id = granted["accessToken"], granted["user"]["userId"]
    await door.auth("contacts", token, phone=door.new_phone())
    await door.auth("forgot-password", email=email)
    assert (await door.call("DELETE", "/auth/account", token=token)).data == {"deleted": True}
    assert (await door.call("GET", "/auth/me", token=token)).code == "TOKEN_REVOKED"
    assert (await door.auth("login", email=email, password=PASSWORD)).code == "UNAUTHORIZED"
    row = await door.server.node.pool.fetchrow("SELECT * FROM users WHERE user_id = $1", user_id)
    assert row is not None
    assert {name for name, value in row.items() if value} == {"user_id", "role", "language", "created_at", "deleted_at"}
    kept = await door.server.node.pool.fetch("SELECT ip, agent FROM sessions WHERE user_id = $1", user_id)
    assert {value for row in kept for value in row.values()} == {None}
    assert await door.server.node.pool.fetchval("SELECT count(*) FROM challenges") == before
    noted = await door.server.node.pool.fetch("SELECT action FROM audit_logs WHERE object_id = $1", user_id)
    assert {each["action"] for each in noted} == {"account.registered", "account.deleted"}
    anew = await door.by_email(email)
    assert anew["user"]["userId"] != user_id


async def test_an_account_with_a_live_booking_is_not_deleted(door: AccountDoor, phone: str) -> None:
    token = (await door.by_phone(phone, name="Ben"))["accessToken"]
    shop = door.server.shop
    body = {"barberId": shop.barbers[0], "serviceIds": [shop.service]}
    booked = (await door.call("POST", "/bookings", body, token)).data["booking"]["bookingId"]
    assert (await door.call("DELETE", "/auth/account", token=token)).code == "INVALID_TRANSITION"
    await door.call("PATCH", f"/bookings/{booked}", {"status": "cancelled"}, token)
    assert (await door.call("DELETE", "/auth/account", token=token)).status == 200
    kept = await door.server.node.pool.fetchrow(
        "SELECT customer_name, phone_sealed, notes FROM bookings WHERE booking_id = $1", booked
    )
    assert kept is not None
    assert set(kept.values()) == {None}


async def test_a_booking_that_came_through_while_its_customer_was_forgotten_is_tidied_when_it_is_over(
    door: AccountDoor, phone: str
) -> None:
    granted, node, shop = await door.by_phone(phone, name="Ben"), door.server.node, door.server.shop
    assert (await door.call("DELETE", "/auth/account", token=granted["accessToken"])).status == 200
    ben = Actor(granted["user"]["userId"], Role.CUSTOMER, "Ben")
    booking = (await send(node, ben, **shop.join())).data["booking"]["bookingId"]
    kept = "SELECT customer_name FROM bookings WHERE booking_id = $1"
    await tidy(node.pool)
    assert await node.pool.fetchval(kept, booking) == "Ben"
    await send(node, ben, type="cancel", bookingId=booking)
    await tidy(node.pool)
    assert await node.pool.fetchval(kept, booking) is None


async def test_a_registration_repeated_with_its_key_sends_one_letter(door: AccountDoor, email: str) -> None:
    body, before = {"email": email, "password": PASSWORD}, len(door.letters)
    first = await door.call("POST", "/auth/register", body, Idempotency_Key="once")
    again = await door.call("POST", "/auth/register", body, Idempotency_Key="once")
    assert first.data == again.data
    assert len(door.letters) == before + 1


async def test_the_public_keys_verify_what_the_server_signs(door: AccountDoor, email: str) -> None:
    token = (await door.by_email(email))["accessToken"]
    async with door.server.client.get("/.well-known/jwks.json") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key.key, algorithms=["RS256"], issuer="barberpro")["email"] == email


async def test_what_is_over_is_tidied_away(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    await door.auth("login", email=email, password=ANOTHER)
    pool = door.server.node.pool
    assert await tidy(pool) == 0
    await pool.execute("UPDATE challenges SET expires_at = now() - interval '25 hours'")
    await pool.execute("UPDATE sign_in_failures SET since = now() - interval '25 hours'")
    await pool.execute(
        "UPDATE sessions SET expires_at = now() - interval '31 days' WHERE session_id = $1", granted["sessionId"]
    )
    assert await tidy(pool) >= 3
    assert await pool.fetchval("SELECT count(*) FROM challenges") == 0
    assert (await door.auth("refresh", refreshToken=granted["refreshToken"])).code == "UNAUTHORIZED"


async def test_the_server_takes_up_a_new_key_while_it_runs(door: AccountDoor, email: str) -> None:
    token = (await door.by_email(email))["accessToken"]
    running, tokens = door.server.running, door.server.app[SERVICES].tokens
    before = tokens.keys.kids
    await asyncio.to_thread(add_key, door.keys, development=True)
    await running.key_watch.look()
    assert tokens.keys.kids[:1] == before
    assert len(tokens.keys.kids) == 2
    assert (await door.call("GET", "/auth/me", token=token)).status == 200


async def test_an_appointed_barber_signs_in_to_their_own_line_and_no_longer_as_they_were(
    door: AccountDoor, email: str
) -> None:
    before, server = await door.by_email(email), door.server
    shop = server.shop
    user_id = await role_given(door, email, Appointment(Role.BARBER, shop.barbers[0], frozenset({shop.shop_id})))
    assert user_id == before["user"]["userId"]
    await server.running.revocations.look()
    assert (await door.call("GET", "/auth/me", token=before["accessToken"])).code == "TOKEN_REVOKED"
    after = (await door.auth("login", email=email, password=PASSWORD)).data
    assert (after["user"]["userType"], after["user"]["barberId"]) == ("barber", shop.barbers[0])
    assert (await door.call("GET", "/queue/my-queue", token=after["accessToken"])).data["barberId"] == shop.barbers[0]
    noted = await server.node.pool.fetch(
        "SELECT before, after FROM audit_entries WHERE action = 'account.appointed' AND object_id = $1", user_id
    )
    kept = [[orjson.loads(side)["userType"] for side in row] for row in noted]
    assert kept == [["customer", "barber"]]
    assert (await noted_of(door, before["sessionId"]))[-1] == ("session.ended", "system")


async def test_nobody_is_appointed_whom_nobody_knows(door: AccountDoor, email: str) -> None:
    assert await role_given(door, email, Appointment(Role.ADMIN)) is None


async def test_what_the_operator_revokes_is_on_record(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    await revoke(door.server.node.pool, granted["user"]["userId"], "system", "system")
    assert (await noted_of(door, granted["user"]["userId"]))[-1] == ("tokens.revoked", "system")
    assert (await noted_of(door, granted["sessionId"]))[-1] == ("session.ended", "system")


# What comes in between ----------------------------------------------------------------------------------------------


async def overtaken(door: AccountDoor, email: str, meanwhile: Callable[[], Awaitable[object]]) -> Answer:
    """A sign-in during which something else is done: after its password was right, and before anything comes of it.

    The password would be hashed anew as well.
    """
    matched, go, matches = asyncio.Event(), asyncio.Event(), passwords.Passwords.matches

    async def slow(kept: passwords.Passwords, hashed: str | None, password: str) -> bool:
        right = await matches(kept, hashed, password)
        matched.set()
        await go.wait()
        return right

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords.Passwords, "matches", slow)
        patch.setattr(passwords.Passwords, "is_dated", lambda *_: True)
        login = asyncio.create_task(door.auth("login", email=email, password=PASSWORD))
        async with asyncio.timeout(30):
            await matched.wait()
        await meanwhile()
        go.set()
        return await login


async def live_sessions(door: AccountDoor, user_id: str) -> int:
    query = "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL"
    return int(await door.server.node.pool.fetchval(query, user_id))


async def test_a_sign_in_that_a_reset_overtakes_is_none(door: AccountDoor, email: str) -> None:
    user_id = (await door.by_email(email))["user"]["userId"]
    await door.auth("forgot-password", email=email)

    async def reset() -> None:
        assert (await door.auth("reset-password", token=door.link_token, password=ANOTHER)).status == 200

    assert (await overtaken(door, email, reset)).code == "UNAUTHORIZED"
    assert await live_sessions(door, user_id) == 0
    assert (await door.auth("login", email=email, password=PASSWORD)).code == "UNAUTHORIZED"
    assert (await door.auth("login", email=email, password=ANOTHER)).status == 200


async def test_a_sign_in_that_the_accounts_deletion_overtakes_is_none(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)

    async def deleted() -> None:
        assert (await door.call("DELETE", "/auth/account", token=granted["accessToken"])).status == 200

    assert (await overtaken(door, email, deleted)).code == "UNAUTHORIZED"
    assert await live_sessions(door, granted["user"]["userId"]) == 0


async def test_who_is_no_administrator_any_more_signs_in_as_what_they_are(door: AccountDoor, email: str) -> None:
    await door.by_email(email)
    await role_given(door, email, Appointment(Role.ADMIN))
    granted = await overtaken(door, email, lambda: role_given(door, email, Appointment(Role.CUSTOMER)))
    assert granted.data["user"]["userType"] == "customer"
    claims = jwt.decode(granted.data["accessToken"], options={"verify_signature": False})
    assert claims["userType"] == "customer"


# Contacts of one's own ----------------------------------------------------------------------------------------------


async def added(door: AccountDoor, token: str, **contact: str) -> Answer:
    """Asks for a code and tells it."""
    begun = await door.auth("contacts", token, **contact)
    assert begun.status == 202
    assert (door.letters[-1].template, door.letters[-1].to) == ("code", *contact.values())
    return await door.auth("contacts/verify", token, challengeId=begun.data["challengeId"], code=door.code)


async def test_a_number_that_is_added_leads_to_the_account_and_its_address_is_told(
    door: AccountDoor, email: str, phone: str
) -> None:
    granted = await door.by_email(email)
    user = (await added(door, granted["accessToken"], phone=phone)).data
    assert user == granted["user"] | {"phone": phone}
    assert (door.letters[-1].template, door.letters[-1].to) == ("contact_added", email)
    assert (await door.by_phone(phone))["user"] == user
    query = "SELECT after FROM audit_logs WHERE action = 'account.contact_added' AND object_id = $1"
    assert orjson.loads(await door.server.node.pool.fetchval(query, user["userId"])) == {"phone": "(personal)"}


async def test_an_address_is_added_by_a_code_too_and_only_one(door: AccountDoor, email: str, phone: str) -> None:
    token = (await door.by_phone(phone))["accessToken"]
    assert (await added(door, token, email=email)).data["email"] == email
    assert (door.letters[-1].template, door.letters[-1].to) == ("contact_added", phone)
    for more in ({"email": door.new_email()}, {"phone": door.new_phone()}):
        assert (await door.auth("contacts", token, **more)).code == "INVALID_TRANSITION"


async def test_of_two_codes_for_two_numbers_the_second_adds_nothing(door: AccountDoor, email: str) -> None:
    token, phones = (await door.by_email(email))["accessToken"], [door.new_phone() for _ in range(2)]
    told = []
    for each in phones:
        begun = (await door.auth("contacts", token, phone=each)).data["challengeId"]
        told.append({"challengeId": begun, "code": door.code})
    assert (await door.auth("contacts/verify", token, **told[0])).data["phone"] == phones[0]
    assert (await door.auth("contacts/verify", token, **told[1])).code == "INVALID_TRANSITION"
    assert (await door.call("GET", "/auth/me", token=token)).data["phone"] == phones[0]


async def test_who_did_not_come_again_and_again_adds_a_number_and_books(
    door: AccountDoor, email: str, phone: str
) -> None:
    token, shop, node = (await door.by_email(email, name="Ben"))["accessToken"], door.server.shop, door.server.node
    body = {"barberId": shop.barbers[1], "serviceIds": [shop.service]}  # whose line is empty
    for _ in range(3):
        booked = (await door.call("POST", "/bookings", body, token)).data["booking"]["bookingId"]
        await send(node, shop.staff[1], type="no_show", bookingId=booked)
    assert (await door.call("POST", "/bookings", body, token)).code == "PHONE_CONFIRMATION_REQUIRED"
    assert (await added(door, token, phone=phone)).status == 200
    booked = (await door.call("POST", "/bookings", body, token)).data["booking"]["bookingId"]
    await door.call("PATCH", f"/bookings/{booked}", {"status": "cancelled"}, token)


async def an_import(door: AccountDoor, email: str, phone: str) -> Contacts:
    """An export brought a user with both contacts, whom nobody has asked."""
    contacts = Contacts(await asyncio.to_thread(sealer, door.keys, create=False))
    sealed = [contacts.sealed(Contact("email", email)), contacts.sealed(Contact("sms", phone))]
    async with door.server.node.pool.acquire() as connection:
        assert await add_users(connection, [NewUser(new_user_id((email,)), "customer", "Ann", sealed, None)])
    return contacts


async def test_whoever_opens_an_imported_account_keeps_the_contact_they_showed_alone(
    door: AccountDoor, email: str, phone: str
) -> None:
    await an_import(door, email, phone)
    ann = await door.by_phone(phone)
    assert ann["user"]["userId"] == new_user_id((email,))
    assert ann["user"]["email"] is None, "it was claimed, and never shown"
    other = await door.by_email(email)
    assert other["user"]["userId"] != ann["user"]["userId"]
    again = await door.by_phone(phone)
    assert again["user"]["userId"] == ann["user"]["userId"]


async def test_a_new_password_opens_an_imported_account_for_the_address_that_it_was_sent_to(
    door: AccountDoor, email: str, phone: str
) -> None:
    await an_import(door, email, phone)
    assert (await door.auth("forgot-password", email=email)).status == 202
    assert (await door.auth("reset-password", token=door.link_token, password=ANOTHER)).status == 200
    ann = (await door.auth("login", email=email, password=ANOTHER)).data
    assert (ann["user"]["userId"], ann["user"]["phone"]) == (new_user_id((email,)), None)
    assert (await door.by_phone(phone))["user"]["userId"] != ann["user"]["userId"]


async def test_who_has_shown_both_contacts_of_an_imported_account_keeps_both(
    door: AccountDoor, email: str, phone: str
) -> None:
    contacts = await an_import(door, email, phone)
    shown = [contacts.sealed(Contact("sms", phone)), contacts.sealed(Contact("email", email))]
    async with door.server.node.pool.acquire() as connection:
        user = await opened(connection, shown, Via("req_test"))
    assert user is not None
    assert (user.phone_lookup, user.email_lookup) == (shown[0].lookup, shown[1].lookup)
    noted = await door.server.node.pool.fetchval(
        "SELECT after FROM audit_logs WHERE object_id = $1 AND action = 'account.opened'", user.user_id
    )
    assert orjson.loads(noted) == {"letGo": []}


async def test_an_appointment_goes_to_whoever_has_the_contact_that_it_names(
    door: AccountDoor, email: str, phone: str
) -> None:
    contacts = await an_import(door, email, phone)
    assert await appoint(door.server.node.pool, contacts, Contact("email", email), Appointment(Role.ADMIN))
    stranger = await door.by_phone(phone)
    assert (stranger["user"]["userType"], stranger["user"]["userId"] == new_user_id((email,))) == ("customer", False)
