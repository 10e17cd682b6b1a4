"""Users and barbers of an export become accounts, barbers and shops: a batch of them, in the caller's transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from barberpro.domain.accounts.contacts import Contacts
from barberpro.domain.importing.agreeing import FIRESTORE, USUAL_MINUTES, service_id
from barberpro.domain.importing.barbers import ReadBarber, ReadService
from barberpro.domain.importing.documents import Fields
from barberpro.domain.importing.rows import Row
from barberpro.domain.importing.users import ReadUser
from barberpro.protocol.actors import SYSTEM, Role
from barberpro.protocol.ids import new_barber_id, new_shop_id, new_user_id
from barberpro.storage.audit import note
from barberpro.storage.imported import BY_USER, NewUser, TakenRow, add_rows, add_users, users_by_contact, users_of
from barberpro.storage.keys import Keys
from barberpro.storage.menu import Listed, Offer, insert_service, menu_of, set_offer
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.shops import insert_shop
from barberpro.storage.staff import add_owner, insert_barber
from barberpro.storage.users import SealedContact, set_role, user_by_id

_FIELD: Final = {"email": "email", "sms": "phone"}


class RacedError(Exception):
    """Somebody registered with one of the contacts at this moment: to be tried again."""


@dataclass(frozen=True, slots=True)
class Shops:
    """What shops are made of. shop_id: the one into which all barbers come; None: each has one of their own."""

    keys: Keys
    time_zone: str
    currency: str
    shop_id: str | None


async def take_users(connection: AnyConnection, contacts: Contacts, rows: Sequence[Row[ReadUser]]) -> list[TakenRow]:
    """A user whose contact is an account's already is taken to be that one: a contact is who somebody is.

    Raises RacedError.
    """
    sealed = await asyncio.to_thread(_seal, contacts, rows)
    whose = await users_by_contact(connection, [contact.lookup for each in sealed for contact in each])
    new, taken = [], []
    for row, own in zip(rows, sealed, strict=True):
        user_id = next((whose[contact.lookup] for contact in own if contact.lookup in whose), None)
        if user_id is None:
            user_id = new_user_id((FIRESTORE, row.source_id))
            assert row.read is not None  # noqa: S101 - rows that are not taken are not among them
            new.append(NewUser(user_id, row.read.role, row.read.name, own, row.read.created_at))
            whose |= {contact.lookup: user_id for contact in own}
        else:
            _tell_shared(row, own, whose, user_id)
        taken.append(TakenRow(row.source_id, user_id, row.line, row.digest))
    if not await add_users(connection, new):
        raise RacedError
    return taken


def _seal(contacts: Contacts, rows: Sequence[Row[ReadUser]]) -> list[list[SealedContact]]:
    return [[contacts.sealed(contact) for contact in row.read.contacts] if row.read else [] for row in rows]


def _tell_shared(row: Row[ReadUser], own: list[SealedContact], whose: dict[str, str], user_id: str) -> None:
    assert row.fields is not None  # noqa: S101 - it was read
    for contact in own:
        if whose.get(contact.lookup) == user_id:
            row.fields.leave_out(_FIELD[contact.channel], "is an account's already: this user is taken to be that one")
        else:
            row.fields.leave_out(_FIELD[contact.channel], "is not added to the account that has the other contact")


async def take_barbers(
    connection: AnyConnection, shops: Shops, import_id: int, rows: Sequence[Row[ReadBarber]]
) -> list[TakenRow]:
    """Each with a shop, services and, where the document names one, an account."""
    taken = [await _take_barber(connection, shops, row) for row in rows]
    by_user = [
        TakenRow(row.read.user, each.target_id, row.line, row.digest)
        for row, each in zip(rows, taken, strict=True)
        if row.read is not None and row.read.user not in {None, row.source_id}
    ]  # fmt: skip
    await add_rows(connection, BY_USER, import_id, by_user)
    return taken


async def _take_barber(connection: AnyConnection, shops: Shops, row: Row[ReadBarber]) -> TakenRow:
    read, fields = row.read, row.fields
    assert read is not None  # noqa: S101 - as above
    assert fields is not None  # noqa: S101 - as above
    shop_id, barber_id = shops.shop_id, new_barber_id((FIRESTORE, row.source_id))
    if shop_id is None:
        shop_id = new_shop_id((FIRESTORE, row.source_id))
        columns = {"name": read.name, "time_zone": shops.time_zone, "currency": shops.currency}
        await insert_shop(connection, shops.keys, shop_id, columns)
    await insert_barber(connection, shop_id, barber_id, read.name, read.photo_url)
    await _offer(connection, shop_id, barber_id, read.services, fields)
    user_id = await _employ(connection, shops, shop_id, barber_id, read, fields)
    after = {"shopId": shop_id, "userId": user_id, "services": len(read.services)}
    await note(connection, SYSTEM, "barber.imported", "barber", barber_id, after=after, shop_id=shop_id)
    said = {"rating": str(read.rating) if read.rating is not None else None, "completed": read.completed}
    return TakenRow(row.source_id, barber_id, row.line, row.digest, said)


async def _offer(
    connection: AnyConnection, shop_id: str, barber_id: str, services: Sequence[ReadService], fields: Fields
) -> None:
    """A service that the shop has by this name is offered at the barber's own price; others are added to the shop."""
    if any(service.minutes is None for service in services):
        fields.leave_out("services", f"not all have minutes: {USUAL_MINUTES} are taken for those")
    present = {listed.name.casefold(): listed for listed in await menu_of(connection, shop_id)}
    for service in services:
        minutes = service.minutes or USUAL_MINUTES
        listed, price = present.get(service.name.casefold()), service.price
        assert price is not None  # noqa: S101 - without one it is not offered
        if listed is None:
            listed = Listed(service_id(shop_id, service.name), service.name, price, minutes, active=True)
            await insert_service(connection, shop_id, listed)
        own = Offer(
            barber_id,
            offered=True,
            price=price if price != listed.price else None,
            duration_minutes=minutes if minutes != listed.duration_minutes else None,
        )
        await set_offer(connection, listed.service_id, own)


async def _employ(
    connection: AnyConnection, shops: Shops, shop_id: str, barber_id: str, read: ReadBarber, fields: Fields
) -> str | None:
    """The barber's account, which has their line from now on, and runs a shop of their own; None, and told, without."""
    if read.user is None:
        fields.leave_out("userId", "is missing: nobody has the barber's line until an administrator invites them")
        return None
    known = (await users_of(connection, [read.user])).get(read.user)
    user = await user_by_id(connection, known.user_id, lock=True) if known is not None else None
    if user is None:
        fields.leave_out("userId", "leads nowhere: nobody has the barber's line until an administrator invites them")
        return None
    if user.role == Role.ADMIN or user.barber_id is not None:
        fields.leave_out("userId", "is an account that has a line already, or administers")
        return None
    await set_role(connection, user.user_id, Role.BARBER.value, barber_id, sorted(user.shop_ids | {shop_id}))
    if shops.shop_id is None:
        await add_owner(connection, shop_id, user.user_id)
    return user.user_id
