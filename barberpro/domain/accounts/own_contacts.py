"""Adding an address or a number to one's own account."""

from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.accounts.challenges import Begun, Challenges
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.sessions import actor_of
from barberpro.domain.outbox import Letter, post
from barberpro.protocol.accounts import Channel, Contact
from barberpro.protocol.actors import Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.storage.audit import HIDDEN, note
from barberpro.storage.challenges import StoredChallenge
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.users import User, add_contact, user_by_id

_FIELD: Final[dict[Channel, str]] = {"email": "email", "sms": "phone"}


class OwnContacts:
    def __init__(self, pool: "Pool[Any]", contacts: Contacts, challenges: Challenges) -> None:
        self._pool = pool
        self._contacts = contacts
        self._challenges = challenges

    async def begin(self, user_id: str, contact: Contact, key: str | None) -> Begun:
        """Sends a code there, whoever has it: whether somebody else does, only who can read the code is told.

        Raises NOT_FOUND (a token from elsewhere has no account here), and INVALID_TRANSITION when the account has one.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            user = await user_by_id(connection, user_id)
            if user is None:
                raise not_found("account")
            if any(each.channel == contact.channel for each in self._contacts.of(user)):
                raise _had()
            return await self._challenges.begin(
                connection, "add_contact", contact, user_id=user_id, language=user.language, key=key
            )

    async def confirm(self, user_id: str, challenge_id: str, code: str, via: Via) -> User:
        """The user, with the contact that the code was sent to; what they had before is told of it by letter.

        Raises BAD_REQUEST, and INVALID_TRANSITION when they have one by now, or another account has it.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            shown = await self._challenges.by_code(connection, "add_contact", challenge_id, code, user_id)
            added = await self._added(connection, shown, via) if not isinstance(shown, BarberProError) else shown
        if isinstance(added, BarberProError):
            raise added
        return added

    async def _added(self, connection: AnyConnection, shown: StoredChallenge, via: Via) -> User | BarberProError:
        user = await user_by_id(connection, shown.user_id or "", lock=True)
        if user is None:
            raise not_found("account")  # it was there a moment ago, and has been deleted since
        if not await add_contact(connection, user.user_id, shown.contact):
            return _had()
        after = {_FIELD[shown.contact.channel]: HIDDEN}
        await note(connection, actor_of(user), "account.contact_added", "user", user.user_id, after=after, via=via)
        for each in self._contacts.of(user):
            letter = Letter(each.channel, each.text, "contact_added", {}, user.language)
            await post(connection, self._contacts.sealer, letter)
        return await user_by_id(connection, user.user_id) or user


def _had() -> BarberProError:
    return BarberProError(
        ErrorCode.INVALID_TRANSITION, "Your account has one already, or this one belongs to another account."
    )
