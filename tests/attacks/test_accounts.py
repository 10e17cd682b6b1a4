"""Attacks on accounts: forged tokens, stolen ones, guessed secrets, and questions whose answers would tell."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from barberpro.domain.accounts import passwords
from barberpro.handlers.services import SERVICES
from barberpro.storage.sealing import Sealer
from barberpro.storage.sealing_keys import KeyRing, read_ring
from tests.support.accounts import PASSWORD, AccountDoor, shared_door
from tests.support.shops import Json

pytestmark = pytest.mark.asyncio(loop_scope="module")
WRONG = "wrong horse battery"


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


async def me(door: AccountDoor, token: str) -> str | int:
    """The code of the refusal, or 200."""
    answer = await door.call("GET", "/auth/me", token=token)
    return 200 if answer.status == 200 else answer.code


async def test_forged_tokens_of_every_kind_are_refused(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    key = door.server.app[SERVICES].tokens.keys.keys[0]
    good = jwt.decode(granted["accessToken"], options={"verify_signature": False})
    now, header = int(time.time()), {"kid": key.kid}

    def signed(headers: Json = header, **changed: Any) -> str:  # noqa: ANN401 - any claim
        return jwt.encode({**good, **changed}, key.private, algorithm="RS256", headers=headers)

    foreign = generate_private_key(public_exponent=65537, key_size=2048)
    unsigned = jwt.encode(good, "x" * 32, algorithm="HS256", headers=header).rpartition(".")[0]
    jwk = str(key.jwk).encode()
    confused = base64.urlsafe_b64encode(hmac.new(jwk, unsigned.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    forged = {
        "none": jwt.encode(good, "", algorithm="none", headers=header),
        "algorithm confusion": f"{unsigned}.{confused}",
        "foreign key under our kid": jwt.encode(good, foreign, algorithm="RS256", headers=header),
        "foreign kid": signed({"kid": "f" * 16}),
        "kid that is a path": signed({"kid": "../../etc/passwd"}),
        "not yet valid": signed(nbf=now + 600),
        "wrong audience": signed(aud="another service"),
        "wrong issuer": signed(iss="https://accounts.google.com"),
        "climbed to admin": granted["accessToken"].replace(".", ".e30", 1),
    }
    assert await me(door, signed()) == 200
    assert {name: await me(door, token) for name, token in forged.items()} == dict.fromkeys(forged, "UNAUTHORIZED")
    assert await me(door, signed(exp=now - 60)) == "TOKEN_EXPIRED"


async def test_a_refresh_token_used_twice_ends_its_whole_family(door: AccountDoor, email: str) -> None:
    stolen = await door.by_email(email)
    other = (await door.auth("login", email=email, password=PASSWORD)).data
    renewed = (await door.auth("refresh", refreshToken=stolen["refreshToken"])).data
    assert (await door.auth("refresh", refreshToken=stolen["refreshToken"])).code == "TOKEN_REVOKED"
    assert (await door.auth("refresh", refreshToken=renewed["refreshToken"])).code == "TOKEN_REVOKED"
    assert await me(door, renewed["accessToken"]) == "TOKEN_REVOKED"
    assert await me(door, other["accessToken"]) == 200


async def test_a_refresh_token_of_the_next_generation_cannot_be_made(door: AccountDoor, email: str) -> None:
    token = (await door.by_email(email))["refreshToken"]
    session, generation, mac = token.split(".")
    for made in (f"{session}.1.{mac}", f"{session}.-1.{mac}", f"{session}..{mac}", session, f"{session}.{generation}."):
        assert (await door.auth("refresh", refreshToken=made)).code == "UNAUTHORIZED"
    assert (await door.auth("refresh", refreshToken=token)).status == 200


async def test_nobody_climbs_to_another_role_by_registering(door: AccountDoor, email: str) -> None:
    body: Json = {"email": email, "password": PASSWORD}
    for user_type in ("admin", "system", "display", "guest"):
        assert (await door.auth("register", **body, userType=user_type)).refused_fields == ["userType"]
    for field, value in {
        "role": "admin", "permissions": ["users:manage"], "shopIds": ["sh_1"], "barberId": "bb_1", "userId": "us_1",
        "verified": True, "passwordHash": "x",
    }.items():  # fmt: skip
        assert (await door.auth("register", **body, **{field: value})).refused_fields == [field]
    barber = (await door.by_email(email, userType="barber"))["accessToken"]
    line = door.server.shop.barbers[0]
    opened = await door.call("POST", "/queue/commands", {"commandId": "c1", "type": "open", "barberId": line}, barber)
    assert opened.status in {403, 404}


async def test_a_code_is_not_found_by_trying(door: AccountDoor, phone: str) -> None:
    begun = (await door.auth("register", phone=phone)).data["challengeId"]
    right = door.code
    for number in range(5):
        wrong = f"{(int(right) + 1 + number) % 1_000_000:06d}"
        assert (await door.auth("verify-otp", challengeId=begun, code=wrong)).refused_fields == ["code"]
    assert (await door.auth("verify-otp", challengeId=begun, code=right)).refused_fields == ["code"]
    # Another code would give five more tries.
    assert (await door.auth("resend-otp", challengeId=begun)).status == 404


async def test_tries_stay_counted_when_another_code_is_sent(door: AccountDoor, phone: str) -> None:
    begun = (await door.auth("register", phone=phone)).data["challengeId"]
    for number in range(5):
        if number == 3:
            assert (await door.auth("resend-otp", challengeId=begun)).status == 202
        wrong = f"{(int(door.code) + 1) % 1_000_000:06d}"
        assert (await door.auth("verify-otp", challengeId=begun, code=wrong)).refused_fields == ["code"]
    assert (await door.auth("verify-otp", challengeId=begun, code=door.code)).refused_fields == ["code"]


async def test_asking_for_ever_new_codes_gives_no_more_tries(door: AccountDoor, phone: str) -> None:
    begun = [await door.auth("register", phone=phone) for _ in range(6)]
    sent, code = len(door.letters), door.code
    begun.append(await door.auth("register", phone=phone))
    assert begun[-1].status == 202
    for each in begun:
        again = await door.auth("resend-otp", challengeId=each.data["challengeId"])
        assert (again.status, again.data.keys()) == (202, each.data.keys())
    assert len(door.letters) == sent
    assert (await door.auth("verify-otp", challengeId=begun[5].data["challengeId"], code=code)).status == 200


async def test_a_letter_counts_in_the_hour_in_which_it_was_sent(door: AccountDoor, email: str) -> None:
    body: Json = {"email": email, "password": PASSWORD}
    begun = (await door.auth("register", **body)).data["challengeId"]
    await door.server.node.pool.execute(
        "UPDATE challenges SET created_at = created_at - interval '2 hours',"
        " sent_at = ARRAY[sent_at[1] - interval '2 hours'] WHERE challenge_id = $1",
        begun,
    )
    for _ in range(2):
        assert (await door.auth("resend-otp", challengeId=begun)).status == 202
    sent = len(door.letters)
    for _ in range(5):
        assert (await door.auth("register", **body)).status == 202
    assert len(door.letters) == sent + 4


async def test_a_code_and_a_link_are_good_once(door: AccountDoor, email: str, phone: str) -> None:
    begun = (await door.auth("register", phone=phone)).data["challengeId"]
    code = door.code
    assert (await door.auth("verify-otp", challengeId=begun, code=code)).status == 200
    assert (await door.auth("verify-otp", challengeId=begun, code=code)).refused_fields == ["code"]
    await door.by_email(email)
    assert (await door.auth("verify-email", token=door.link_token, password=PASSWORD)).refused_fields == ["token"]
    await door.auth("forgot-password", email=email)
    link = door.link_token
    assert (await door.auth("verify-email", token=link, password=PASSWORD)).refused_fields == ["token"]
    assert (await door.auth("reset-password", token=link, password=WRONG)).status == 200
    assert (await door.auth("reset-password", token=link, password=PASSWORD)).refused_fields == ["token"]


async def test_passwords_are_not_found_by_trying_from_many_addresses(door: AccountDoor, email: str) -> None:
    await door.by_email(email)
    for claimed in (email, door.new_email()):
        codes = [(await door.auth("login", email=claimed, password=WRONG)).code for _ in range(11)]
        assert codes == ["UNAUTHORIZED"] * 10 + ["RATE_LIMIT_EXCEEDED"]
    assert (await door.auth("login", email=email, password=PASSWORD)).code == "RATE_LIMIT_EXCEEDED"
    await door.auth("forgot-password", email=email)
    assert (await door.auth("reset-password", token=door.link_token, password=WRONG)).status == 200
    assert (await door.auth("login", email=email, password=WRONG)).status == 200


async def test_no_answer_and_no_work_tells_whether_there_is_an_account(
    door: AccountDoor, email: str, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.by_email(email)
    await door.by_phone(phone)
    hashed: list[str] = []
    work = passwords.Passwords._in_turn

    async def counted(self: passwords.Passwords, call: Any, *given: str) -> Any:  # noqa: ANN401 - handed on
        hashed.append(call.__name__)
        return await work(self, call, *given)

    monkeypatch.setattr(passwords.Passwords, "_in_turn", counted)

    async def asked(path: str, **body: str) -> tuple[object, ...]:
        hashed.clear()
        before = len(door.letters)
        answer = await door.auth(path, **body)
        shape = sorted(answer.body["data"]) if answer.body["success"] else answer.body["error"]
        return answer.status, shape, list(hashed), len(door.letters) - before

    nobody, no_number = door.new_email(), door.new_phone()
    assert await asked("register", email=email, password=WRONG) == await asked("register", email=nobody, password=WRONG)
    assert await asked("register", phone=phone) == await asked("register", phone=no_number)
    assert await asked("forgot-password", email=email) == await asked("forgot-password", email=nobody)
    assert await asked("forgot-password", phone=phone) == await asked("forgot-password", phone=no_number)
    assert await asked("login", email=email, password=WRONG) == await asked("login", email=nobody, password=WRONG)
    # A number without a password, too.
    assert await asked("login", phone=phone, password=WRONG) == await asked("login", phone=no_number, password=WRONG)
    both: list[tuple[str, Json, Json]] = [
        ("register", {"email": email, "password": WRONG}, {"email": nobody, "password": WRONG}),
        ("register", {"phone": phone}, {"phone": no_number}),
        ("forgot-password", {"email": email}, {"email": nobody}),
        ("forgot-password", {"phone": phone}, {"phone": no_number}),
    ]
    for path, known, unknown in both:
        begun = [(await door.auth(path, **body)).data["challengeId"] for body in (known, unknown)]
        again = [[await asked("resend-otp", challengeId=each) for _ in range(3)] for each in begun]
        assert again[0] == again[1]
        assert [status for status, *_ in again[0]] == [202, 202, 404]


async def test_wrong_answers_do_not_tell_either(door: AccountDoor, email: str) -> None:
    await door.by_email(email)
    told = []
    for claimed in (email, door.new_email()):
        begun = (await door.auth("register", email=claimed, password=WRONG)).data["challengeId"]
        answers = [await door.auth("verify-email", token=f"{begun}.x", password=WRONG) for _ in range(5)]
        answers.append(await door.auth("resend-otp", challengeId=begun))
        told.append([(answer.status, answer.body["error"]) for answer in answers])
    assert told[0] == told[1]
    assert told[0][-1][0] == 404


async def test_claiming_an_address_gives_nothing_and_blocks_nobody(door: AccountDoor, email: str) -> None:
    await door.auth("register", email=email, password=WRONG, name="Mallory")
    assert (await door.auth("login", email=email, password=WRONG)).code == "UNAUTHORIZED"
    granted = await door.by_email(email, name="Asha")
    assert granted["user"]["name"] == "Asha"
    assert (await door.auth("login", email=email, password=WRONG)).code == "UNAUTHORIZED"


async def test_who_opens_the_link_of_a_strangers_registration_gives_the_stranger_nothing(
    door: AccountDoor, email: str
) -> None:
    await door.auth("register", email=email, password=WRONG, name="Mallory")
    link = door.link_token
    assert (await door.auth("verify-email", token=link)).refused_fields == ["password"]
    assert (await door.auth("verify-email", token=link, password=PASSWORD)).refused_fields == ["password"]
    assert (await door.auth("login", email=email, password=WRONG)).code == "UNAUTHORIZED"
    assert (await door.by_email(email, name="Asha"))["user"]["name"] == "Asha"


async def test_who_registers_with_a_known_address_gets_no_link_to_it(door: AccountDoor, email: str) -> None:
    await door.by_email(email)
    begun = (await door.auth("register", email=email, password=WRONG)).data
    assert (door.letters[-1].template, door.letters[-1].fields) == ("account_exists", {})
    assert (await door.auth("resend-otp", challengeId=begun["challengeId"])).status == 202
    assert (door.letters[-1].template, door.letters[-1].fields) == ("account_exists", {})
    assert (await door.auth("login", email=email, password=WRONG)).code == "UNAUTHORIZED"


async def test_another_persons_session_is_not_there(door: AccountDoor, email: str) -> None:
    hers, his = await door.by_email(email), await door.by_email(door.new_email())
    path = f"/auth/sessions/{hers['sessionId']}"
    assert (await door.call("DELETE", path, token=his["accessToken"])).code == "NOT_FOUND"
    assert await me(door, hers["accessToken"]) == 200
    listed = (await door.call("GET", "/auth/sessions", token=his["accessToken"])).data
    assert [each["sessionId"] for each in listed] == [his["sessionId"]]


async def test_one_address_in_other_letters_is_one_account(door: AccountDoor, email: str) -> None:
    granted = await door.by_email(email)
    wide = "".join(chr(ord(each) + 0xFEE0) if "a" <= each <= "z" else each for each in email)
    assert (await door.auth("login", email=f" {wide.upper()} ", password=PASSWORD)).data["user"] == granted["user"]
    for odd in (f"a\u200b{email}", f"\u202e{email}", "a\nb@example.com", "a\x00b@example.com", "a@b", "@b.example"):
        answer = await door.auth("register", email=odd, password=PASSWORD)
        assert answer.refused_fields == ["email"], odd


async def test_sql_and_header_lines_are_only_text(door: AccountDoor, email: str) -> None:
    name = "'); DROP TABLE users; --"
    granted = await door.by_email(email, name=name)
    assert granted["user"]["name"] == name
    agent = "Phone\udc80\u202e'); DROP TABLE sessions; --"
    body = {"email": email, "password": PASSWORD}
    assert (await door.call("POST", "/auth/login", body, User_Agent=agent)).status == 200
    assert (await door.auth("login", email="' OR 1=1 --@x.example", password="' OR '1'='1")).status in {400, 401}  # noqa: S106 - no password


async def test_no_secret_is_kept_in_plain(door: AccountDoor, email: str, phone: str) -> None:
    await door.auth("forgot-password", email=email)
    granted = await door.by_email(email)
    link = door.link_token.partition(".")[2]
    begun = (await door.auth("register", phone=phone)).data
    kept = []
    for table in ("users", "user_logins", "challenges", "sessions", "sign_in_failures", "letters", "audit_entries"):
        rows = await door.server.node.pool.fetch(f"SELECT t::text AS whole FROM {table} t")  # noqa: S608 - our words
        kept += [row["whole"] for row in rows]
    assert any(begun["challengeId"] in row for row in kept)
    secrets = (link, f",{door.code},", granted["refreshToken"].rpartition(".")[2], granted["accessToken"], PASSWORD)
    for secret in (*secrets, email, phone):
        assert not [row for row in kept if secret in row]


async def test_the_look_up_key_makes_no_refresh_token_and_tells_no_code(
    door: AccountDoor, email: str, phone: str
) -> None:
    ring = await asyncio.to_thread(read_ring, door.keys, create=False)
    stolen = Sealer(KeyRing((b"another key that seals, 32 bytes",), ring.lookup))
    session = (await door.by_email(email))["sessionId"]
    made = f"{session}.0.{stolen.lookup('refresh', f'{session}.0')}"
    assert (await door.auth("refresh", refreshToken=made)).code == "UNAUTHORIZED"
    begun = (await door.auth("register", phone=phone)).data["challengeId"]
    query = "SELECT c::text FROM challenges c WHERE challenge_id = $1"
    kept: str = await door.server.node.pool.fetchval(query, begun)
    tried = f"{begun}.{door.code}"
    assert begun in kept
    assert stolen.lookup("challenge", tried) not in kept
    assert hashlib.sha256(tried.encode()).hexdigest() not in kept


async def test_who_asks_for_anothers_number_gets_neither_it_nor_word_of_it(
    door: AccountDoor, email: str, phone: str
) -> None:
    owner, mallory = await door.by_phone(phone), await door.by_email(email)
    told = []
    for claimed in (phone, door.new_phone()):
        begun = await door.auth("contacts", mallory["accessToken"], phone=claimed)
        told.append((begun.status, sorted(begun.data), door.letters[-1].template))
    assert told == [(202, ["challengeId", "channel", "expiresAt"], "code")] * 2
    begun = (await door.auth("contacts", mallory["accessToken"], phone=phone)).data["challengeId"]
    taken = await door.auth("contacts/verify", mallory["accessToken"], challengeId=begun, code=door.code)
    assert (taken.status, taken.code) == (409, "INVALID_TRANSITION")
    assert (await door.by_phone(phone))["user"] == owner["user"]


async def test_only_who_asked_for_a_code_can_use_it(door: AccountDoor, email: str, phone: str) -> None:
    asha, mallory = await door.by_email(email), await door.by_email(door.new_email())
    begun = (await door.auth("contacts", asha["accessToken"], phone=phone)).data["challengeId"]
    told: Json = {"challengeId": begun, "code": door.code}
    for _ in range(5):  # and none of them counts as a try
        stranger = await door.auth("contacts/verify", mallory["accessToken"], **told)
        assert stranger.refused_fields == ["code"]
    assert (await door.auth("verify-otp", **told)).refused_fields == ["code"]
    assert (await door.auth("contacts/verify", asha["accessToken"], **told)).data["phone"] == phone
    assert (await door.auth("contacts/verify", asha["accessToken"], **told)).refused_fields == ["code"]
