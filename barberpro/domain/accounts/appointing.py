"""Giving an account another role: the operator's, who has the first administrator to make."""

from dataclasses import dataclass
from typing import Any

from asyncpg import Pool

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.accounts.opening import opened
from barberpro.domain.ending import end_sessions
from barberpro.protocol.accounts import Contact
from barberpro.protocol.actors import SYSTEM, Role
from barberpro.storage.audit import note
from barberpro.storage.users import set_role


@dataclass(frozen=True, slots=True)
class Appointment:
    """barber_id, shop_ids: of a barber."""

    role: Role
    barber_id: str | None = None
    shop_ids: frozenset[str] = frozenset()


async def appoint(pool: "Pool[Any]", contacts: Contacts, contact: Contact, appointment: Appointment) -> str | None:
    """The user's id; None when nobody has the contact. Their sessions end: a new sign-in has the new role."""
    async with pool.acquire() as connection, connection.transaction():
        user = await opened(connection, [contacts.sealed(contact)], by=SYSTEM)
        if user is None:
            return None
        shops = sorted(appointment.shop_ids)
        await set_role(connection, user.user_id, appointment.role.value, appointment.barber_id, shops)
        before = {"userType": user.role, "barberId": user.barber_id, "shopIds": sorted(user.shop_ids)}
        after = {"userType": appointment.role.value, "barberId": appointment.barber_id, "shopIds": shops}
        await note(connection, SYSTEM, "account.appointed", "user", user.user_id, before=before, after=after)
        await end_sessions(connection, SYSTEM, user.user_id, "appointed")
        return user.user_id
