"""Secrets sent to an address or a number: six digits to type in, or a link. Who tells them, has it.

Kept is only their SHA-256, and that sealed: six digits would be guessed from a plain hash at once.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.outbox import Letter, post
from barberpro.protocol.accounts import Channel, Contact
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_challenge_id
from barberpro.storage.challenges import (
    Purpose,
    StoredChallenge,
    add_challenge,
    ask_again,
    expiry_of,
    find_challenge,
    sent_lately,
    try_challenge,
    use_challenge,
)
from barberpro.storage.postgres import AnyConnection

Json = dict[str, Any]
Way = Literal["code", "link"]
"""How a secret is told: typed in, or by opening a link."""

_TRIES: Final = 5
_ASKS: Final = 3
"""For letters of one challenge."""
_SENDS_AN_HOUR: Final = 6
"""To one contact for one purpose, whoever asks: thirty guesses at a million codes, and no flood of letters."""
_CODE_LASTS: Final = timedelta(minutes=10)
_INVITATION_LASTS: Final = timedelta(days=7)
"""Its code, too: whoever tells it has to be signed in, as the account that has the number."""
_LINK_LASTS: Final = {"register": timedelta(hours=24), "reset": timedelta(hours=1), "invite": _INVITATION_LASTS}
_TEMPLATE: Final = {"register": "verify_email", "reset": "reset_password", "invite": "invitation"}
_PAGE: Final = {"register": "verify-email", "reset": "reset-password", "invite": "accept-invitation"}
_FIELD: Final[dict[Way, str]] = {"code": "code", "link": "token"}


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
        *,
        wanted: Json | None = None,
        user_id: str | None = None,
        instead: str | None = None,
        language: str = "en",
        key: str | None = None,
    ) -> Begun:
        """Sends a secret; or, where there is nothing to show, the letter `instead`.

        wanted: what is to come of it; of an invitation, `shopName` stands in the letter. user_id: of whoever alone may
        answer. key: the caller's Idempotency-Key; the same again is the same challenge.
        """
        sealed, secret = self._contacts.sealed(contact), _new_secret(_way(purpose, contact.channel))
        owned = f"{purpose}.{sealed.lookup}.{user_id or ''}"
        challenge_id = self._derived(owned, key) if key is not None else new_challenge_id()
        kept = self._kept(challenge_id, secret)
        begun = StoredChallenge(challenge_id, purpose, user_id, sealed, kept, wanted or {}, language, instead)
        sends = await sent_lately(connection, sealed.lookup, purpose) < _SENDS_AN_HOUR
        expires_at = await add_challenge(connection, begun, _lasts(begun), sent=sends)
        if expires_at is None:
            return Begun(challenge_id, contact.channel, await expiry_of(connection, challenge_id))
        if sends:
            await self._send(connection, begun, secret)
        return Begun(challenge_id, contact.channel, expires_at)

    async def send_again(self, connection: AnyConnection, challenge_id: str) -> Begun:
        """A new secret in place of the one before; nothing is sent, and nothing told of it, when there were too many.

        Raises NOT_FOUND when it is over, or was asked for or tried often enough.
        """
        begun = await find_challenge(connection, challenge_id)
        if begun is None:
            raise not_found("challenge")
        secret = _new_secret(_way_of(begun))
        sends = await sent_lately(connection, begun.contact.lookup, begun.purpose) < _SENDS_AN_HOUR
        kept = self._kept(challenge_id, secret) if sends else None
        expires_at = await ask_again(connection, challenge_id, kept, _ASKS, _TRIES, _lasts(begun))
        if expires_at is None:
            raise not_found("challenge")
        if sends:
            await self._send(connection, begun, secret)
        return Begun(challenge_id, begun.contact.channel, expires_at)

    async def by_code(
        self, connection: AnyConnection, purpose: Purpose, challenge_id: str, code: str, user_id: str | None = None
    ) -> StoredChallenge | BarberProError:
        """The challenge that a code answers, or why not: a wrong try is to be committed, too."""
        shown = await self._shown(connection, purpose, "code", challenge_id, code, user_id)
        return await self._used(connection, shown, "code")

    async def by_link(
        self, connection: AnyConnection, purpose: Purpose, token: str
    ) -> StoredChallenge | BarberProError:
        """The challenge that the token of a link answers, or why not."""
        return await self._used(connection, await self.link_shown(connection, purpose, token), "link")

    async def link_shown(
        self, connection: AnyConnection, purpose: Purpose, token: str
    ) -> StoredChallenge | BarberProError:
        """As `by_link`, but it is not used yet: something else is to be shown, too."""
        challenge_id, _, secret = token.partition(".")
        return await self._shown(connection, purpose, "link", challenge_id, secret)

    async def use(self, connection: AnyConnection, shown: StoredChallenge) -> None:
        """Raises BAD_REQUEST when somebody was faster."""
        if not await use_challenge(connection, shown.challenge_id):
            raise _wrong("link")

    async def withdraw(self, connection: AnyConnection, challenge_id: str) -> None:
        """Nobody uses it any more."""
        await use_challenge(connection, challenge_id)

    async def _used(
        self, connection: AnyConnection, shown: StoredChallenge | BarberProError, way: Way
    ) -> StoredChallenge | BarberProError:
        if isinstance(shown, BarberProError) or await use_challenge(connection, shown.challenge_id):
            return shown
        return _wrong(way)

    async def _shown(
        self,
        connection: AnyConnection,
        purpose: Purpose,
        way: Way,
        challenge_id: str,
        secret: str,
        user_id: str | None = None,
    ) -> StoredChallenge | BarberProError:
        found = await try_challenge(connection, challenge_id, purpose, user_id, _TRIES)
        if found is None or _way_of(found) != way:
            return _wrong(way)
        right = hmac.compare_digest(self._contacts.sealer.unseal(found.secret_sealed), _hash(challenge_id, secret))
        return found if right else _wrong(way)

    async def _send(self, connection: AnyConnection, challenge: StoredChallenge, secret: str) -> None:
        way, contact = _way_of(challenge), self._contacts.opened(challenge.contact)
        template = challenge.instead or _template(challenge)
        fields = self._fields(challenge, way, secret) if challenge.instead is None else {}
        letter = Letter(contact.channel, contact.text, template, fields, challenge.language)
        await post(connection, self._contacts.sealer, letter)

    def _fields(self, challenge: StoredChallenge, way: Way, secret: str) -> dict[str, str]:
        told = _told(challenge)
        if way == "code":
            return {"code": secret, **told}
        # Behind the #, as that is not sent to any server, and so stands in no log and no referrer.
        page = f"{self._public_url}/{_PAGE[challenge.purpose]}"
        return {"link": f"{page}#{challenge.challenge_id}.{secret}", **told}

    def _kept(self, challenge_id: str, secret: str) -> str:
        return self._contacts.sealer.seal(_hash(challenge_id, secret))

    def _derived(self, owned: str, key: str) -> str:
        return f"ch_{self._contacts.sealer.lookup('challenge id', f'{owned}.{key}')[:32]}"


def _wrong(way: Way) -> BarberProError:
    """One answer for all of them: which it was would help to guess."""
    return bad_field(_FIELD[way], "is wrong, too old, or was used before")


def _way(purpose: Purpose, channel: Channel) -> Way:
    """Links where somebody comes from a mail; who adds an address sits before the app that asked for it."""
    return "code" if channel == "sms" or purpose == "add_contact" else "link"


def _way_of(challenge: StoredChallenge) -> Way:
    return _way(challenge.purpose, challenge.contact.channel)


def _new_secret(way: Way) -> str:
    return f"{secrets.randbelow(1_000_000):06d}" if way == "code" else secrets.token_urlsafe(32)


def _hash(challenge_id: str, secret: str) -> str:
    return hashlib.sha256(f"{challenge_id}.{secret}".encode()).hexdigest()


def _is_plain_code(challenge: StoredChallenge) -> bool:
    return _way_of(challenge) == "code" and challenge.purpose != "invite"


def _template(challenge: StoredChallenge) -> str:
    return "code" if _is_plain_code(challenge) else _TEMPLATE[challenge.purpose]


def _lasts(challenge: StoredChallenge) -> timedelta:
    return _CODE_LASTS if _is_plain_code(challenge) else _LINK_LASTS[challenge.purpose]


def _told(challenge: StoredChallenge) -> dict[str, str]:
    """What its letter tells beside the secret."""
    lasts = _lasts(challenge)
    if challenge.purpose == "invite":
        return {"shop": challenge.wanted["shopName"], "days": str(lasts.days)}
    return {"minutes": str(int(lasts.total_seconds() // 60))}
