"""Secrets sent to an address or a number: six digits by SMS, a link by mail. Who tells them, has it.

Kept is only a keyed hash: six digits would be guessed from a plain one at once.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.outbox import Letter, post
from barberpro.protocol.accounts import Contact
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_challenge_id
from barberpro.storage.challenges import (
    Purpose,
    StoredChallenge,
    add_challenge,
    challenge_to_resend,
    expiry_of,
    renew_challenge,
    sent_lately,
    try_challenge,
    use_challenge,
)
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.users import Channel

Json = dict[str, Any]

_TRIES: Final = 5
_SENDS: Final = 3
"""Of one challenge."""
_SENDS_AN_HOUR: Final = 6
"""To one contact for one purpose, whoever asks: thirty guesses at a million codes, and no flood of letters."""
_CODE_LASTS: Final = timedelta(minutes=10)
_INVITATION_LASTS: Final = timedelta(days=7)
"""Its code, too: whoever tells it has to be signed in, as the account that has the number."""
_LINK_LASTS: Final[dict[Purpose, timedelta]] = {
    "register": timedelta(hours=24),
    "reset": timedelta(hours=1),
    "invite": _INVITATION_LASTS,
}
_TEMPLATE: Final[dict[Purpose, str]] = {
    "register": "verify_email",
    "reset": "reset_password",
    "invite": "invitation",
}
_PAGE: Final[dict[Purpose, str]] = {
    "register": "verify-email",
    "reset": "reset-password",
    "invite": "accept-invitation",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """What its asker is told; the same whether or not there is an account."""

    challenge_id: str
    channel: Channel
    expires_at: datetime


class Challenges:
    def __init__(self, contacts: Contacts, public_url: str) -> None:
        """public_url: where the pages are that the links of letters lead to."""
        self._contacts = contacts
        self._public_url = public_url

    async def begin(
        self,
        connection: AnyConnection,
        purpose: Purpose,
        contact: Contact,
        wanted: Json,
        *,
        instead: str | None = None,
        language: str = "en",
        key: str | None = None,
    ) -> Begun:
        """Sends a secret; or, where there is nothing to show, the letter `instead`.

        wanted: what is to come of it; of an invitation, `shopName` stands in the letter. key: the caller's
        Idempotency-Key; the same again is the same challenge.
        """
        sealed = self._contacts.sealed(contact)
        challenge_id = self._derived(purpose, sealed.lookup, key) if key is not None else new_challenge_id()
        secret = _new_secret(contact.channel)
        lasts = _lasts(purpose, contact.channel)
        often = await sent_lately(connection, sealed.lookup, purpose) >= _SENDS_AN_HOUR
        expires_at = await add_challenge(
            connection,
            challenge_id,
            purpose,
            sealed,
            self._hash(challenge_id, secret),
            wanted,
            0 if often else 1,
            lasts,
            silent=often or instead is not None,
        )
        if expires_at is None:
            return Begun(challenge_id, contact.channel, await expiry_of(connection, challenge_id))
        if not often:
            fields = self._fields(purpose, contact.channel, challenge_id, secret, wanted)
            template = instead or _template(purpose, contact.channel)
            letter = Letter(contact.channel, contact.text, template, {} if instead else fields, language)
            await post(connection, self._contacts.sealer, letter)
        return Begun(challenge_id, contact.channel, expires_at)

    async def send_again(self, connection: AnyConnection, challenge_id: str) -> Begun:
        """A new secret in place of the one before. Raises NOT_FOUND when it is over, or was sent often enough."""
        is_open = await challenge_to_resend(connection, challenge_id)
        if is_open is None:
            raise not_found("challenge")
        purpose, channel = is_open
        secret = _new_secret(channel)
        kept = self._hash(challenge_id, secret)
        renewed = await renew_challenge(connection, challenge_id, kept, _SENDS, _lasts(purpose, channel))
        if renewed is None:
            raise not_found("challenge")
        to = self._contacts.opened(renewed.contact)
        fields = self._fields(purpose, channel, challenge_id, secret, renewed.wanted)
        language = str(renewed.wanted.get("language", "en"))
        letter = Letter(channel, to.text, _template(purpose, channel), fields, language)
        await post(connection, self._contacts.sealer, letter)
        return Begun(challenge_id, channel, renewed.expires_at)

    async def by_code(
        self, connection: AnyConnection, purpose: Purpose, challenge_id: str, code: str
    ) -> StoredChallenge | BarberProError:
        """The challenge that the code of an SMS answers, or why not: a wrong try is to be committed, too."""
        return await self._answered(connection, purpose, "sms", challenge_id, code, "code")

    async def by_link(
        self, connection: AnyConnection, purpose: Purpose, token: str
    ) -> StoredChallenge | BarberProError:
        """The challenge that the token of a mail's link answers, or why not."""
        challenge_id, _, secret = token.partition(".")
        return await self._answered(connection, purpose, "email", challenge_id, secret, "token")

    async def link_shown(
        self, connection: AnyConnection, purpose: Purpose, token: str
    ) -> StoredChallenge | BarberProError:
        """As `by_link`, but it is not used yet: something else is to be shown, too."""
        challenge_id, _, secret = token.partition(".")
        return await self._shown(connection, purpose, "email", challenge_id, secret, "token")

    async def use(self, connection: AnyConnection, shown: StoredChallenge) -> None:
        """Raises BAD_REQUEST when somebody was faster."""
        if not await use_challenge(connection, shown.challenge_id):
            raise _wrong("token")

    async def withdraw(self, connection: AnyConnection, challenge_id: str) -> None:
        """Nobody uses it any more."""
        await use_challenge(connection, challenge_id)

    async def _answered(
        self, connection: AnyConnection, purpose: Purpose, channel: Channel, challenge_id: str, secret: str, field: str
    ) -> StoredChallenge | BarberProError:
        shown = await self._shown(connection, purpose, channel, challenge_id, secret, field)
        if isinstance(shown, BarberProError) or await use_challenge(connection, challenge_id):
            return shown
        return _wrong(field)

    async def _shown(
        self, connection: AnyConnection, purpose: Purpose, channel: Channel, challenge_id: str, secret: str, field: str
    ) -> StoredChallenge | BarberProError:
        found = await try_challenge(connection, challenge_id, purpose, channel, _TRIES)
        right = found is not None and hmac.compare_digest(found.secret_hash, self._hash(challenge_id, secret))
        return found if found is not None and right else _wrong(field)

    def _hash(self, challenge_id: str, secret: str) -> str:
        return self._contacts.sealer.lookup("challenge", f"{challenge_id}.{secret}")

    def _derived(self, purpose: Purpose, lookup: str, key: str) -> str:
        return f"ch_{self._contacts.sealer.lookup('challenge id', f'{purpose}.{lookup}.{key}')[:32]}"

    def _fields(
        self, purpose: Purpose, channel: Channel, challenge_id: str, secret: str, wanted: Json
    ) -> dict[str, str]:
        lasts = _lasts(purpose, channel)
        fields = {"minutes": str(int(lasts.total_seconds() // 60)), "days": str(lasts.days)}
        if purpose == "invite":
            fields["shop"] = wanted["shopName"]
        if channel == "sms":
            return {"code": secret, **fields}
        # Behind the #, as that is not sent to any server, and so stands in no log and no referrer.
        return {"link": f"{self._public_url}/{_PAGE[purpose]}#{challenge_id}.{secret}", **fields}


def _wrong(field: str) -> BarberProError:
    """One answer for all of them: which it was would help to guess."""
    return bad_field(field, "is wrong, too old, or was used before")


def _new_secret(channel: Channel) -> str:
    return f"{secrets.randbelow(1_000_000):06d}" if channel == "sms" else secrets.token_urlsafe(32)


def _lasts(purpose: Purpose, channel: Channel) -> timedelta:
    return _CODE_LASTS if channel == "sms" and purpose != "invite" else _LINK_LASTS[purpose]


def _template(purpose: Purpose, channel: Channel) -> str:
    return "code" if channel == "sms" and purpose != "invite" else _TEMPLATE[purpose]
