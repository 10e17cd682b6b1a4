"""Addresses and numbers: sealed for keeping, hashed for finding, opened for their owner."""

from typing import Final

from barberpro.protocol.accounts import Channel, Contact
from barberpro.storage.sealing import Sealer
from barberpro.storage.users import SealedContact, User

_KIND: Final[dict[Channel, str]] = {"email": "email", "sms": "phone"}


class Contacts:
    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer

    def sealed(self, contact: Contact) -> SealedContact:
        return SealedContact(contact.channel, self.sealer.seal(contact.text), self.lookup(contact))

    def lookup(self, contact: Contact) -> str:
        return self.sealer.lookup(_KIND[contact.channel], contact.text)

    def opened(self, contact: SealedContact) -> Contact:
        return Contact(contact.channel, self.sealer.unseal(contact.sealed))

    def of(self, user: User) -> list[Contact]:
        """Those that the user has."""
        found: tuple[tuple[Channel, str | None], ...] = (("email", self.email_of(user)), ("sms", self.phone_of(user)))
        return [Contact(channel, text) for channel, text in found if text is not None]

    def email_of(self, user: User) -> str | None:
        return self.sealer.unseal(user.email_sealed) if user.email_sealed is not None else None

    def phone_of(self, user: User) -> str | None:
        return self.sealer.unseal(user.phone_sealed) if user.phone_sealed is not None else None
