"""Tokens: who they stand for, and those that stand for nobody."""

import asyncio
import base64
import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization

from barberpro.domain.identity import ISSUER, Tokens
from barberpro.domain.key_watch import SigningKeys
from barberpro.domain.keys import (
    OVERLAP_SECONDS,
    SETTLE_SECONDS,
    KeyFileError,
    SigningKey,
    add_key,
    key_ring,
    signing_key,
)
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("keys"), create=True)


@pytest.fixture
def tokens(key: SigningKey) -> Tokens:
    return Tokens(key)


def claims(**given: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
    now = int(time.time())
    whole = {"iss": ISSUER, "sub": "us_1", "userType": "customer", "iat": now, "exp": now + 60, "jti": "t1"}
    return {name: value for name, value in {**whole, **given}.items() if value is not None}


def signed(key: SigningKey, kid: str | None = None, **given: Any) -> str:  # noqa: ANN401 - any claim
    return jwt.encode(claims(**given), key.private, algorithm="RS256", headers={"kid": kid or key.kid})


def code_of(tokens: Tokens, token: str) -> ErrorCode:
    with pytest.raises(BarberProError) as refusal:
        tokens.verify(token)
    return refusal.value.code


def test_a_minted_token_stands_for_its_actor(tokens: Tokens) -> None:
    actor = Actor("us_7", Role.BARBER, "Ben", "bb_1", frozenset({"sh_1"}))
    assert tokens.verify(tokens.mint(actor)).actor == actor


def test_a_token_that_has_ended_is_told_so(tokens: Tokens, key: SigningKey) -> None:
    assert code_of(tokens, signed(key, exp=int(time.time()) - 60)) is ErrorCode.TOKEN_EXPIRED


@pytest.mark.parametrize(
    "given",
    [
        {"sub": "a\x00b"}, {"sub": ""}, {"sub": "x" * 65}, {"sub": None}, {"name": "   "}, {"name": "n" * 81},
        {"name": "\u202ereversed"}, {"userType": "system"}, {"userType": "king"}, {"userType": None},
        {"barberId": "b b"}, {"shopIds": ["sh_1", 2]}, {"shopIds": "sh_1"}, {"iss": "other"}, {"jti": None},
        {"nbf": 2**33}, {"aud": "other"}, {"exp": (time.time() + 60) * 1000}, {"exp": float("inf")}, {"iat": "soon"},
        {"iat": float("-inf")}, {"iat": float("nan")}, {"iat": -1},
    ],
)  # fmt: skip
def test_claims_that_make_no_actor_are_refused(tokens: Tokens, key: SigningKey, given: dict[str, Any]) -> None:
    assert code_of(tokens, signed(key, **given)) is ErrorCode.UNAUTHORIZED


def test_other_algorithms_and_keys_are_refused(tokens: Tokens, key: SigningKey, tmp_path: Path) -> None:
    foreign = signing_key(tmp_path, create=True)
    public = key.private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    none = jwt.encode(claims(), "", algorithm="none", headers={"kid": key.kid})
    # By hand: the library refuses to sign with a public key.
    signed_part = jwt.encode(claims(), "x" * 32, algorithm="HS256", headers={"kid": key.kid}).rpartition(".")[0]
    mac = hmac.new(public, signed_part.encode(), hashlib.sha256).digest()
    confused = f"{signed_part}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    forged = signed(foreign, kid=key.kid)
    for token in (none, confused, forged, signed(foreign), "", "a.b.c", "not a token"):
        assert code_of(tokens, token) is ErrorCode.UNAUTHORIZED


def test_keys_are_made_for_development_only(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=str(tmp_path)):
        signing_key(tmp_path / "none", create=False)
    first = signing_key(tmp_path / "keys", create=True)
    assert signing_key(tmp_path / "keys", create=False).kid == first.kid


def test_production_refuses_keys_that_were_made_for_development(tmp_path: Path) -> None:
    key_ring(tmp_path, create=True)
    with pytest.raises(KeyFileError, match="development key"):
        key_ring(tmp_path, create=False, production=True)
    add_key(tmp_path / "real", development=False)
    assert key_ring(tmp_path / "real", create=False, production=True).kids


def test_a_new_key_signs_once_everybody_knows_it_and_the_old_one_verifies_on(tmp_path: Path) -> None:
    old = signing_key(tmp_path, create=True)
    now = time.time()
    add_key(tmp_path, development=True)
    ring = key_ring(tmp_path, create=False)
    new = next(key for key in ring.keys if key.kid != old.kid)
    assert ring.signing(now).kid == old.kid
    assert ring.signing(now + SETTLE_SECONDS + 2).kid == new.kid
    tokens = Tokens(ring)
    before = tokens.mint(Actor("us_1", Role.CUSTOMER), 10**6)
    with time_machine.travel(now + SETTLE_SECONDS + 2):
        after = tokens.mint(Actor("us_1", Role.CUSTOMER), 10**6)
        assert jwt.get_unverified_header(after)["kid"] == new.kid
        assert tokens.verify(before).actor.id == tokens.verify(after).actor.id == "us_1"
    with time_machine.travel(now + SETTLE_SECONDS + OVERLAP_SECONDS + 2):
        assert code_of(Tokens(ring), before) is ErrorCode.UNAUTHORIZED
        assert Tokens(ring).verify(after).actor.id == "us_1"
        add_key(tmp_path, development=True)
        assert old.kid not in key_ring(tmp_path, create=False).kids


def test_a_token_of_a_server_whose_clock_is_ahead_is_good(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = time.time() + 3600
    with time_machine.travel(ahead):
        token = tokens.mint(Actor("us_1", Role.CUSTOMER), 7200)
    assert tokens.verify(token).issued_at == pytest.approx(ahead, abs=5)


def test_a_stolen_key_is_replaced_at_once(tmp_path: Path) -> None:
    old = key_ring(tmp_path, create=True)
    name, removed = add_key(tmp_path, development=True, at_once=True)
    ring = key_ring(tmp_path, create=False)
    assert removed == ["signing-key.pem"]
    assert [path.name for path in tmp_path.glob("*.pem")] == [name]
    assert ring.kids != old.kids
    assert ring.signing(time.time()).kid == ring.kids[0]
    tokens = Tokens(ring)
    assert code_of(tokens, Tokens(old).mint(Actor("us_1", Role.ADMIN))) is ErrorCode.UNAUTHORIZED
    assert tokens.verify(tokens.mint(Actor("us_1", Role.ADMIN))).kid == ring.kids[0]


async def test_keys_that_are_all_gone_are_told_of_and_those_in_use_stay(tmp_path: Path) -> None:
    tokens = Tokens(await asyncio.to_thread(key_ring, tmp_path, create=True))
    await asyncio.to_thread((tmp_path / "signing-key.pem").unlink)
    kids = tokens.keys.kids

    async def nobody() -> None:
        raise AssertionError("nobody is to be put out")

    with pytest.raises(KeyFileError, match=r"there is no .*signing-key\.pem"):
        await SigningKeys(tmp_path, tokens, nobody, production=False).look()
    assert tokens.keys.kids == kids
