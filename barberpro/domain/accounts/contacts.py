"""Addresses and numbers: sealed for keeping, hashed for finding, opened for their owner."""

from typing import Final

from barberpro.protocol.accounts import Contact
from barberpro.storage.sealing import Sealer
from barberpro.storage.users import Channel, SealedContact, User

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

    def email_of(self, user: User) -> str | None:
        return self.sealer.unseal(user.email_sealed) if user.email_sealed is not None else None

    def phone_of(self, user: User) -> str | None:
        return self.sealer.unseal(user.phone_sealed) if user.phone_sealed is not None else None
