"""Verifying ID tokens of Google and of Firebase with their own libraries: the extra `google`.

Imported only where one of them is set up; both load for seconds.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import cachecontrol
import firebase_admin
import requests
from firebase_admin import auth, credentials
from google.auth import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from barberpro.domain.accounts.federated import InvalidIdToken, ProviderAway, Verify

_SKEW_SECONDS: Final = 10
_PATIENCE_SECONDS: Final = 5
Fetch = Callable[..., Any]
_EMULATOR: Final = "FIREBASE_AUTH_EMULATOR_HOST"


class EmulatedError(Exception):
    """Firebase's library takes any token, signed or not, while an emulator is named in the environment."""

    def __init__(self) -> None:
        super().__init__(f"{_EMULATOR} is set: Firebase's library would take unsigned tokens. Unset it")


def _certificate_fetcher() -> Fetch:
    """Keeps a provider's certificates for as long as their headers say."""
    return partial(Request(cachecontrol.CacheControl(requests.Session())), timeout=_PATIENCE_SECONDS)


class _Nobody(credentials.Base):  # type: ignore[misc]  # firebase-admin ships no type information
    """Verifying needs no account of ours at Firebase."""

    def get_credential(self) -> AnonymousCredentials:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth's own


def google_verifier(client_ids: tuple[str, ...]) -> Verify:
    """Takes tokens that Google issued to one of these clients (apps) of ours."""
    fetch = _certificate_fetcher()

    def verify(token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = id_token.verify_oauth2_token(  # type: ignore[no-untyped-call]  # its own
                token, fetch, audience=list(client_ids), clock_skew_in_seconds=_SKEW_SECONDS
            )
        except exceptions.TransportError as problem:
            raise ProviderAway from problem
        except (ValueError, exceptions.GoogleAuthError) as problem:
            raise InvalidIdToken from problem
        return claims

    return verify


def firebase_verifier(project: str) -> Verify:
    """Takes tokens of this Firebase project. Raises EmulatedError."""
    if os.environ.get(_EMULATOR):
        raise EmulatedError
    name = f"barberpro-{project}"
    options = {"projectId": project, "httpTimeout": _PATIENCE_SECONDS}
    try:
        app = firebase_admin.get_app(name)
    except ValueError:  # there is none yet
        app = firebase_admin.initialize_app(_Nobody(), options, name)

    def verify(token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = auth.verify_id_token(token, app, clock_skew_seconds=_SKEW_SECONDS)
        except auth.CertificateFetchError as problem:
            raise ProviderAway from problem
        except (ValueError, auth.InvalidIdTokenError) as problem:
            raise InvalidIdToken from problem
        return claims

    return verify
