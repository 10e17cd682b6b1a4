"""Accounts for whoever tries the demo, with passwords that are printed."""

import secrets
from typing import Any
from urllib.parse import urlencode

from asyncpg import Pool

from barberpro.domain.accounts.appointing import Appointment, appoint
from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.passwords import Passwords
from barberpro.protocol.accounts import Contact
from barberpro.protocol.ids import new_user_id
from barberpro.storage.users import add_user, set_password, user_by_contact


async def demo_account(pool: "Pool[Any]", contacts: Contacts, name: str, appointment: Appointment) -> str:
    """Gives an account its part, and returns what behind the # of a page's address signs in as it.

    The password is a new one each time, and sessions of before are over. Only for stores that this process keeps for
    itself: whoever reads its output may sign in.
    """
    # No mail can go there: .example is nobody's, for ever (RFC 2606).
    contact, password = Contact("email", f"{name.lower()}@demo.example"), secrets.token_urlsafe(9)
    passwords = Passwords()
    try:
        hashed = await passwords.hash(password)
    finally:
        passwords.close()
    async with pool.acquire() as connection, connection.transaction():
        role = appointment.role.value
        await add_user(connection, new_user_id(), role, name, "en", hashed, [contacts.sealed(contact)])
        user = await user_by_contact(connection, "email", contacts.lookup(contact), lock=True)
        assert user is not None  # noqa: S101 - it has just been added, or was there
        await set_password(connection, user.user_id, hashed)
    await appoint(pool, contacts, contact, appointment)
    return urlencode({"email": contact.text, "password": password})
