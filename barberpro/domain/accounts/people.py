"""The ways into an account, and out of it.

Whoever asks by an address or a number is told the same, and goes through the same steps, whether or not there is an
account: only its owner's letters tell.
"""

from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.accounts.challenges import Begun, Challenges
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.opening import opened
from barberpro.domain.accounts.passwords import Passwords
from barberpro.domain.accounts.sessions import Grant, Sessions, actor_of
from barberpro.domain.ending import end_sessions
from barberpro.domain.revocations import Revocations
from barberpro.protocol.accounts import Contact, Register
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_user_id
from barberpro.storage.audit import note
from barberpro.storage.challenges import StoredChallenge
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.revocations import revoke_tokens
from barberpro.storage.sign_in_failures import count_try, forget_tries
from barberpro.storage.staff import is_busy, is_needed, retire
from barberpro.storage.users import (
    User,
    add_user,
    forget_challenges,
    forget_user,
    live_bookings,
    set_password,
    user_by_contact,
    user_by_id,
)

_WRONG_PASSWORDS: Final = 10
"""In a quarter of an hour, for one account, from wherever they come."""


class People:
    def __init__(
        self,
        pool: "Pool[Any]",
        contacts: Contacts,
        passwords: Passwords,
        challenges: Challenges,
        sessions: Sessions,
        revocations: Revocations,
    ) -> None:
        self._pool = pool
        self._contacts = contacts
        self._passwords = passwords
        self._challenges = challenges
        self._sessions = sessions
        self._revocations = revocations

    async def register(self, wanted: Register, key: str | None) -> Begun:
        """Sends what shows that the contact is the caller's; the account comes with that."""
        given = wanted.password
        kept = {
            "userType": wanted.user_type,
            "name": wanted.name,
            "passwordHash": await self._passwords.hash(given.get_secret_value()) if given is not None else None,
        }
        async with self._pool.acquire() as connection, connection.transaction():
            known = await self._by_contact(connection, wanted.contact)
            # By a number whoever has it may sign in, too; with a link somebody else's password would come in.
            instead = "account_exists" if known is not None and wanted.contact.channel == "email" else None
            return await self._challenges.begin(
                connection,
                "register",
                wanted.contact,
                wanted=kept,
                instead=instead,
                language=wanted.language,
                key=key,
            )

    async def send_again(self, challenge_id: str) -> Begun:
        """Raises NOT_FOUND."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await self._challenges.send_again(connection, challenge_id)

    async def verify_code(self, challenge_id: str, code: str, via: Via) -> Grant:
        """Signs in whoever has the number, as the account that it has or gets now. Raises BAD_REQUEST."""
        async with self._pool.acquire() as connection, connection.transaction():
            shown = await self._challenges.by_code(connection, "register", challenge_id, code)
            if not isinstance(shown, BarberProError):
                return await self._registered(connection, shown, via, "code")
        raise shown

    async def verify_link(self, token: str, password: str, via: Via) -> Grant:
        """As `verify_code`, for an address. Raises BAD_REQUEST.

        password: as it was registered. Who opens the link of a stranger's registration must not make an account to
        which the stranger has the password.
        """
        async with self._pool.acquire() as connection:
            shown = await self._challenges.link_shown(connection, "register", token)
        if isinstance(shown, BarberProError):
            raise shown
        if not await self._passwords.matches(shown.wanted["passwordHash"], password):
            raise bad_field("password", "is not the one that was registered")
        async with self._pool.acquire() as connection, connection.transaction():
            await self._challenges.use(connection, shown)
            return await self._registered(connection, shown, via, "link")

    async def login(self, contact: Contact, password: str, via: Via, key: str | None) -> Grant:
        """Raises UNAUTHORIZED, and RATE_LIMIT_EXCEEDED after too many wrong ones."""
        lookup = self._contacts.lookup(contact)
        async with self._pool.acquire() as connection:
            tries, seconds = await count_try(connection, lookup)
            user = await self._by_contact(connection, contact)
        if tries > _WRONG_PASSWORDS:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=seconds)
        hashed = user.password_hash if user is not None else None
        if not await self._passwords.matches(hashed, password) or user is None or hashed is None:
            raise _wrong_password()
        better = await self._passwords.hash(password) if self._passwords.is_dated(hashed) else None
        async with self._pool.acquire() as connection, connection.transaction():
            # Hashing takes a while: there may be another password by now, another role, or nobody.
            now = await user_by_id(connection, user.user_id, lock=True)
            if now is None or now.password_hash != hashed:
                raise _wrong_password()
            await forget_tries(connection, lookup)
            if better is not None:
                await set_password(connection, now.user_id, better)
            return await self._sessions.begin(connection, now, via, "password", key)

    async def forgot(self, contact: Contact, key: str | None) -> Begun:
        """Sends what a new password may be chosen with; where there is no account, a letter that says so."""
        async with self._pool.acquire() as connection, connection.transaction():
            known = await self._by_contact(connection, contact)
            return await self._challenges.begin(
                connection,
                "reset",
                contact,
                instead=None if known is not None else "no_account",
                language=known.language if known is not None else "en",
                key=key,
            )

    async def reset_by_link(self, token: str, password: str, via: Via) -> None:
        """Raises BAD_REQUEST."""
        hashed = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            shown = await self._challenges.by_link(connection, "reset", token)
            if not isinstance(shown, BarberProError):
                await self._reset(connection, shown, hashed, via)
        await self._told(shown)

    async def reset_by_code(self, challenge_id: str, code: str, password: str, via: Via) -> None:
        """Raises BAD_REQUEST."""
        hashed = await self._passwords.hash(password)
        async with self._pool.acquire() as connection, connection.transaction():
            shown = await self._challenges.by_code(connection, "reset", challenge_id, code)
            if not isinstance(shown, BarberProError):
                await self._reset(connection, shown, hashed, via)
        await self._told(shown)

    async def find(self, user_id: str) -> User:
        """Raises NOT_FOUND: a token from elsewhere has no account here."""
        async with self._pool.acquire() as connection:
            user = await user_by_id(connection, user_id)
        if user is None:
            raise not_found("account")
        return user

    async def delete(self, actor: Actor, via: Via) -> None:
        """Everything personal goes; what refers to the user stays, and so does what was paid and noted.

        Raises NOT_FOUND, and INVALID_TRANSITION while a booking of theirs is live: the shop still waits for them;
        while their line is open, or has somebody in it; or while others work in a shop that only they own.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            # First the challenges, then the user, the shop, the barber: in the order of all who lock several of them.
            await forget_challenges(connection, actor.id)
            user = await user_by_id(connection, actor.id, lock=True)
            if user is None:
                raise not_found("account")
            if await is_needed(connection, actor.id):
                raise BarberProError(
                    ErrorCode.INVALID_TRANSITION,
                    "Others work in your shop: invite another owner, or let them go.",
                )
            await forget_user(connection, actor.id)
            if user.barber_id is not None:
                await retire(connection, user.barber_id)
            await end_sessions(connection, actor, actor.id, "deleted", via)
            await revoke_tokens(connection, actor.id)
            # Last, to see as much as can be seen; a booking that is still under way now is tidied when it is over.
            if await live_bookings(connection, actor.id):
                raise BarberProError(ErrorCode.INVALID_TRANSITION, "Cancel your live bookings first.")
            if user.barber_id is not None and await is_busy(connection, user.barber_id):
                raise BarberProError(ErrorCode.INVALID_TRANSITION, "Close your line and finish who is in it first.")
            await note(connection, actor, "account.deleted", "user", actor.id, via=via)
        await self._revocations.look()

    async def _by_contact(self, connection: AnyConnection, contact: Contact) -> User | None:
        return await user_by_contact(connection, contact.channel, self._contacts.lookup(contact))

    async def _registered(self, connection: AnyConnection, shown: StoredChallenge, via: Via, how: str) -> Grant:
        wanted, contact = shown.wanted, shown.contact
        user_id = new_user_id()
        added = await add_user(
            connection,
            user_id,
            wanted["userType"],
            wanted["name"],
            shown.language,
            wanted["passwordHash"],
            [contact],
        )
        user = await opened(connection, [contact], via)
        if user is None:
            raise not_found("account")  # it was there a moment ago, and has been deleted since
        if added:
            after = {"userType": user.role, "name": user.name}
            await note(connection, actor_of(user), "account.registered", "user", user_id, after=after, via=via)
        return await self._sessions.begin(connection, user, via, how)

    async def _reset(self, connection: AnyConnection, shown: StoredChallenge, hashed: str, via: Via) -> None:
        user = await opened(connection, [shown.contact], via)
        if user is None:
            return  # deleted since: there is nothing to tell
        actor = actor_of(user)
        await set_password(connection, user.user_id, hashed)
        await forget_tries(connection, shown.contact.lookup)
        await end_sessions(connection, actor, user.user_id, "password reset", via)
        await note(connection, actor, "account.password_reset", "user", user.user_id, via=via)

    async def _told(self, shown: StoredChallenge | BarberProError) -> None:
        if isinstance(shown, BarberProError):
            raise shown
        await self._revocations.look()


def _wrong_password() -> BarberProError:
    return BarberProError(ErrorCode.UNAUTHORIZED, "The address, the number or the password is wrong.")
