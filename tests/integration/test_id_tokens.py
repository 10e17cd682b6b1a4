"""Signing in with Google and Firebase: their own libraries, real signatures; only the network leads elsewhere."""

import asyncio
import datetime
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response

from barberpro.domain.accounts import federated
from barberpro.server.providers import id_token_providers
from barberpro.server.settings import Settings, SettingsError
from barberpro.storage.users import add_user
from tests.support.accounts import PASSWORD, AccountDoor, shared_door
from tests.support.rest import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLIENT = "1234-abc.apps.googleusercontent.com"
PROJECT = "corner-barbers"
CERTIFICATES = {
    "/oauth2/v1/certs": "google",
    "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com": "firebase",
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs as a provider does, with a certificate of its own."""

    key: RSAPrivateKey
    certificate: str

    def token(self, kid: str = "k1", **claims: Any) -> str:  # noqa: ANN401 - any claim
        now = int(time.time())
        whole = {"iat": now, "exp": now + 3600, "auth_time": now, **claims}
        return jwt.encode(whole, self.key, algorithm="RS256", headers={"kid": kid})

    def google(self, **claims: Any) -> str:  # noqa: ANN401 - any claim
        return self.token(**{"iss": "https://accounts.google.com", "aud": CLIENT, **claims})

    def firebase(self, **claims: Any) -> str:  # noqa: ANN401 - any claim
        return self.token(**{"iss": f"https://securetoken.google.com/{PROJECT}", "aud": PROJECT, **claims})


def new_issuer() -> Issuer:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(minutes=5))
    signed = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    return Issuer(key, signed.public_bytes(serialization.Encoding.PEM).decode())


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return new_issuer()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def certificates(issuer: Issuer) -> AsyncIterator[TestServer]:
    """Stands where Google's certificates are fetched from."""

    async def answer(_request: web.Request) -> web.Response:
        body = orjson.dumps({"k1": issuer.certificate})
        return web.Response(
            body=body, content_type="application/json", headers={"Cache-Control": "public, max-age=3600"}
        )

    app = web.Application()
    app.add_routes([web.get(path, answer) for path in CERTIFICATES])
    server = TestServer(app)
    async with server:
        yield server


@pytest.fixture(scope="module")
def led_elsewhere(certificates: TestServer) -> Iterator[None]:
    send = HTTPAdapter.send

    # What is given is handed on as it came.
    def redirected(self: HTTPAdapter, request: PreparedRequest, *given: Any, **more: Any) -> Response:  # noqa: ANN401 - as above
        google = "https://www.googleapis.com"
        assert request.url is not None
        assert request.url.startswith(google)
        request.url = str(certificates.make_url("")).rstrip("/") + request.url.removeprefix(google)
        return send(self, request, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", redirected)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(
    server_url: str,
    _template: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    led_elsewhere: None,
) -> AsyncIterator[AccountDoor]:
    keys = tmp_path_factory.mktemp("keys")
    settings = {"google_client_ids": (CLIENT,), "firebase_project": PROJECT}
    async with shared_door(server_url, _template, redis_url, keys, **settings) as door:
        yield door


async def google(door: AccountDoor, token: str) -> Answer:
    return await door.auth("login/google", idToken=token)


async def firebase(door: AccountDoor, token: str) -> Answer:
    return await door.auth("login/firebase", idToken=token)


async def test_who_comes_from_google_has_one_account_ever_after(door: AccountDoor, issuer: Issuer) -> None:
    email = door.new_email()
    token = issuer.google(sub="g1", email=email, email_verified=True, name="Asha")
    first = (await google(door, token)).data["user"]
    assert (first["email"], first["name"], first["userType"], first["hasPassword"]) == (
        email,
        "Asha",
        "customer",
        False,
    )
    later = issuer.google(sub="g1", email=door.new_email(), email_verified=True)
    assert (await google(door, later)).data["user"] == first


async def test_a_verified_address_leads_to_the_account_that_has_it(door: AccountDoor, issuer: Issuer) -> None:
    email = door.new_email()
    known = (await door.by_email(email))["user"]
    token = issuer.google(sub="g2", email=email.upper(), email_verified=True)
    assert (await google(door, token)).data["user"] == known
    fire = issuer.firebase(sub="f2", email=email, email_verified=True)
    assert (await firebase(door, fire)).data["user"] == known


async def test_an_address_that_is_only_claimed_leads_nowhere(door: AccountDoor, issuer: Issuer) -> None:
    email = door.new_email()
    known = (await door.by_email(email))["user"]
    for number, verified in enumerate((False, None, "true", 1)):
        token = issuer.firebase(sub=f"claims{number}", email=email, email_verified=verified)
        stranger = (await firebase(door, token)).data["user"]
        assert stranger["userId"] != known["userId"]
        assert stranger["email"] is None
    assert (await door.auth("login", email=email, password=PASSWORD)).data["user"] == known


async def test_two_who_come_for_the_first_time_at_once_are_one(
    door: AccountDoor, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go = 0, asyncio.Event()

    async def slow(*given: Any) -> bool:  # noqa: ANN401 - handed on
        nonlocal entered
        entered += 1
        await go.wait()
        return await add_user(*given)

    monkeypatch.setattr(federated, "add_user", slow)
    token = issuer.google(sub="twins")
    both = [asyncio.create_task(google(door, token)) for _ in range(2)]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(30):
        while entered < 1 or (entered < 2 and not await door.server.node.pool.fetchval(waiting)):  # noqa: ASYNC110 - Postgres tells nobody
            await asyncio.sleep(0.01)
    go.set()
    first, second = [(await each).data["user"]["userId"] for each in both]
    assert first == second


async def test_a_link_to_an_account_that_is_no_more_leads_to_a_new_one(door: AccountDoor, issuer: Issuer) -> None:
    token = issuer.google(sub="gone")
    gone = (await google(door, token)).data["user"]["userId"]
    await door.server.node.pool.execute("UPDATE users SET deleted_at = now() WHERE user_id = $1", gone)
    anew = [(await google(door, token)).data["user"]["userId"] for _ in range(2)]
    assert anew[0] == anew[1] != gone


async def test_a_number_that_firebase_has_checked_leads_to_its_account(door: AccountDoor, issuer: Issuer) -> None:
    phone = door.new_phone()
    known = (await door.by_phone(phone))["user"]
    assert (await firebase(door, issuer.firebase(sub="f3", phone_number=phone))).data["user"] == known


async def test_tokens_that_are_not_for_us_are_refused(door: AccountDoor, issuer: Issuer) -> None:
    email, now = door.new_email(), int(time.time())
    who = {"sub": "g4", "email": email, "email_verified": True}
    foreign = new_issuer()
    unsigned = jwt.encode(
        {"iss": "https://accounts.google.com", "aud": CLIENT, "iat": now, "exp": now + 60, **who}, "", algorithm="none"
    )
    at_google = {
        "another app's": issuer.google(**who, aud="another.apps.googleusercontent.com"),
        "another issuer's": issuer.google(**who, iss="https://accounts.example.com"),
        "expired": issuer.google(**who, exp=now - 60, iat=now - 3600),
        "of the future": issuer.google(**who, iat=now + 600, exp=now + 3600),
        "signed by another": foreign.google(**who),
        "of an unknown key": issuer.token("k2", iss="https://accounts.google.com", aud=CLIENT, **who),
        "a firebase token": issuer.firebase(**who),
        "unsigned": unsigned,
        "none at all": "not a token",
    }
    refused = {name: (await google(door, token)).code for name, token in at_google.items()}
    assert refused == dict.fromkeys(at_google, "UNAUTHORIZED")
    at_firebase = {
        "another project's": issuer.firebase(**who, aud="another-project"),
        "another issuer's": issuer.firebase(**who, iss="https://securetoken.google.com/another-project"),
        "expired": issuer.firebase(**who, exp=now - 60, iat=now - 3600),
        "signed by another": foreign.firebase(**who),
        "a google token": issuer.google(**who),
        "unsigned": unsigned,
        "none at all": "not a token",
    }
    refused = {name: (await firebase(door, token)).code for name, token in at_firebase.items()}
    assert refused == dict.fromkeys(at_firebase, "UNAUTHORIZED")


async def test_an_emulator_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "localhost:9099")
    with pytest.raises(SettingsError, match="FIREBASE_AUTH_EMULATOR_HOST is set"):
        await asyncio.to_thread(id_token_providers, Settings(_env_file=None, firebase_project=PROJECT))


async def test_no_provider_is_there_unless_it_is_set_up() -> None:
    assert await asyncio.to_thread(id_token_providers, Settings(_env_file=None)) == {}
