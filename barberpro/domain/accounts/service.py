"""All of the accounts' parts, wired together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncpg import Pool

from barberpro.domain.accounts.challenges import Challenges
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.federated import Federated, Verify
from barberpro.domain.accounts.own_contacts import OwnContacts
from barberpro.domain.accounts.passwords import Passwords
from barberpro.domain.accounts.people import People
from barberpro.domain.accounts.sessions import Lifetimes, Sessions
from barberpro.domain.identity import Tokens
from barberpro.domain.revocations import Revocations
from barberpro.domain.staff import Staff
from barberpro.storage.sealing import Sealer
from barberpro.storage.users import Provider


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the doors call."""

    people: People
    own_contacts: OwnContacts
    sessions: Sessions
    federated: Federated
    contacts: Contacts
    staff: Staff
    passwords: Passwords

    @classmethod
    def build(
        cls,
        pool: "Pool[Any]",
        sealer: Sealer,
        tokens: Tokens,
        revocations: Revocations,
        lifetimes: Lifetimes,
        public_url: str,
        providers: Mapping[Provider, Verify],
    ) -> "Accounts":
        contacts = Contacts(sealer)
        sessions = Sessions(pool, contacts, tokens, revocations, lifetimes)
        challenges, passwords = Challenges(contacts, public_url), Passwords()
        return cls(
            People(pool, contacts, passwords, challenges, sessions, revocations),
            OwnContacts(pool, contacts, challenges),
            sessions,
            Federated(pool, contacts, sessions, providers),
            contacts,
            Staff(pool, contacts, challenges, revocations),
            passwords,
        )

    def close(self) -> None:
        """Ends their threads; after the doors."""
        self.passwords.close()
        self.federated.close()
