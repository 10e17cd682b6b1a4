"""Tokens: whatever is given for one, and whatever one claims that our key has signed."""

import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.domain.identity import ISSUER, Identity, Tokens
from barberpro.domain.keys import SigningKey, signing_key
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.protocol.times import rfc3339
from tests.fuzz.documents import anything, texts
from tests.fuzz.effort import examples

CLAIMS = {"iss": ISSUER, "sub": "us_1", "userType": "customer", "jti": "t1", "name": "Asha", "barberId": "bb_1"}
TIMES = st.integers() | st.floats() | st.sampled_from([10**10, 10**12, 10**15, 1e300, -(10**12), float("inf"), "9e999"])
REFUSALS = {ErrorCode.UNAUTHORIZED, ErrorCode.TOKEN_EXPIRED}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return signing_key(tmp_path_factory.mktemp("keys"), create=True)


def judge(tokens: Tokens, token: str) -> Identity | None:
    """Whom the token stands for; it must be somebody who can be told of, or be refused as a token."""
    try:
        identity = tokens.verify(token)
    except BarberProError as error:
        refusal = error.code
    else:
        assert rfc3339(round(identity.expires_at * 1000))
        assert identity.issued_at == identity.issued_at, "comes before or after a revocation"
        return identity
    assert refusal in REFUSALS
    return None


def encoded(key: SigningKey, claims: dict[str, Any]) -> str:
    now = int(time.time())
    whole = {**CLAIMS, "iat": now, "exp": now + 60, **claims}
    return jwt.encode(whole, key.private, algorithm="RS256", headers={"kid": key.kid})


def test_whatever_is_given_for_a_token_is_refused_as_one(key: SigningKey) -> None:
    tokens, right = Tokens(key), encoded(key, {})

    @examples(300)
    @given(st.integers(0, len(right)), st.integers(0, 8), texts | st.just("[" * 60_000))
    def fuzzed(at: int, size: int, put: str) -> None:
        spoiled = right[:at] + put + right[at + size :]
        identity = judge(tokens, spoiled)
        assert identity is None or spoiled.rpartition(".")[0] == right.rpartition(".")[0]

    fuzzed()


def test_whatever_a_token_claims_it_is_somebody_or_refused(key: SigningKey) -> None:
    tokens = Tokens(key)
    odd = st.dictionaries(st.sampled_from([*CLAIMS, "shopIds", "bookingId", "nbf", "aud", "sub"]), anything, max_size=3)
    ends = st.fixed_dictionaries({}, optional={"exp": TIMES, "iat": TIMES, "nbf": TIMES})

    @examples(150)
    @given(odd, ends)
    def fuzzed(claims: dict[str, Any], times: dict[str, Any]) -> None:
        try:
            token = encoded(key, {**claims, **times})
        except (TypeError, ValueError):
            return  # the library signs no such thing, for anybody
        identity = judge(tokens, token)
        if identity is not None:
            assert identity.actor.id.isascii()

    fuzzed()
