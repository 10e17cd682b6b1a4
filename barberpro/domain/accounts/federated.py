"""People whom Google or Firebase knows, by ID tokens that the providers' own libraries verify."""

import asyncio
import string
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from asyncpg import Pool
from pydantic import TypeAdapter, ValidationError

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.opening import opened
from barberpro.domain.accounts.sessions import Grant, Sessions, actor_of
from barberpro.protocol.accounts import Contact, Email, FullPhone
from barberpro.protocol.actors import Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Name
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_user_id
from barberpro.storage.audit import note
from barberpro.storage.postgres import AnyConnection, take_turn
from barberpro.storage.users import (
    Provider,
    SealedContact,
    User,
    add_login,
    add_user,
    user_by_id,
    user_by_login,
)

log = structlog.get_logger(__name__)

_EMAIL: Final = TypeAdapter[str](Email)
_PHONE: Final = TypeAdapter[str](FullPhone)
_NAME: Final = TypeAdapter[str](Name)
_AT_ONCE: Final = 8
"""Tokens that are looked at together; a provider's certificates may take a while to come."""
_ASCII_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class InvalidIdToken(Exception):
    """The token is not for us, not by whom it says, or over."""


class ProviderAway(Exception):
    """The provider's certificates cannot be had just now."""


Verify = Callable[[str], Mapping[str, Any]]
"""Claims of a token that holds. Blocking. Raises InvalidIdToken, ProviderAway."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a provider says of somebody. Only contacts that it has verified are in here."""

    subject: str
    name: str | None
    contacts: tuple[Contact, ...]


class Federated:
    def __init__(
        self, pool: "Pool[Any]", contacts: Contacts, sessions: Sessions, providers: Mapping[Provider, Verify]
    ) -> None:
        """providers: those that are set up."""
        self._pool = pool
        self._contacts = contacts
        self._sessions = sessions
        self._providers = providers
        self._threads = ThreadPoolExecutor(_AT_ONCE, "provider")

    async def login(self, provider: Provider, id_token: str, via: Via, key: str | None) -> Grant:
        """Signs in as the account that is linked, or has a contact that the provider has verified; or as a new one.

        Raises NOT_FOUND when the provider is not set up, UNAUTHORIZED, PERSISTENCE_UNAVAILABLE.
        """
        verify = self._providers.get(provider)
        if verify is None:
            raise not_found("provider")
        try:
            shown = shown_by(await asyncio.get_running_loop().run_in_executor(self._threads, verify, id_token))
        except InvalidIdToken as problem:
            log.info("id_token_refused", provider=provider)
            raise BarberProError(ErrorCode.UNAUTHORIZED, "The ID token does not hold here.") from problem
        except ProviderAway as problem:
            log.warning("provider_away", provider=provider)
            raise BarberProError(
                ErrorCode.PERSISTENCE_UNAVAILABLE, "The sign-in's provider cannot be reached just now."
            ) from problem
        async with self._pool.acquire() as connection, connection.transaction():
            user = await self._user(connection, provider, shown, via)
            return await self._sessions.begin(connection, user, via, provider, key)

    def close(self) -> None:
        """Nobody is looked at any more; waits for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _user(self, connection: AnyConnection, provider: Provider, shown: Shown, via: Via) -> User:
        """Locked. Of two who come for the first time at once, one makes the user and both have it."""
        await take_turn(connection, f"{provider} {shown.subject}")
        linked = await user_by_login(connection, provider, shown.subject, lock=True)
        if linked is not None:
            return linked
        contacts = [self._contacts.sealed(contact) for contact in shown.contacts]
        user = await opened(connection, contacts, via) or await self._new(connection, shown, contacts, via)
        await add_login(connection, provider, shown.subject, user.user_id)
        after = {"provider": provider}
        await note(connection, actor_of(user), "account.linked", "user", user.user_id, after=after, via=via)
        return user

    async def _new(self, connection: AnyConnection, shown: Shown, contacts: list[SealedContact], via: Via) -> User:
        user_id = new_user_id()
        added = await add_user(connection, user_id, "customer", shown.name, "en", None, contacts)
        user = await user_by_id(connection, user_id) if added else await opened(connection, contacts, via)
        if user is None:
            raise BarberProError(ErrorCode.PERSISTENCE_UNAVAILABLE)  # it came and went in between
        if added:
            after = {"userType": user.role, "name": user.name}
            await note(connection, actor_of(user), "account.registered", "user", user_id, after=after, via=via)
        return user


class _Model(Protocol):
    def validate_python(self, value: object, /) -> str: ...


def shown_by(claims: Mapping[str, Any]) -> Shown:
    """What the verified claims of an ID token say. An address that the provider has not verified is nobody's.

    Nor is one that it writes otherwise than we do, but for ASCII's capitals: to the provider it may be another mailbox.
    Raises InvalidIdToken.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise InvalidIdToken
    told = claims.get("email") if claims.get("email_verified") is True else None
    email = _valid(_EMAIL, told)
    phone = _valid(_PHONE, claims.get("phone_number"))  # Firebase has none that was not shown by a code
    same = email == str(told).translate(_ASCII_LOWER)
    contacts = [Contact("email", email)] if email is not None and same else []
    contacts += [Contact("sms", phone)] if phone is not None else []
    return Shown(subject, _valid(_NAME, claims.get("name")), tuple(contacts))


def _valid(model: _Model, value: object) -> str | None:
    try:
        return model.validate_python(value)
    except ValidationError:
        return None
