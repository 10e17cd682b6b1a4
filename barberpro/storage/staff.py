"""Who works in a shop, as Postgres holds it, and who is invited to.

Members stand with their accounts (`users.barber_id`, `users.shop_ids`), owners in a table of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asyncpg import Pool

from barberpro.protocol.accounts import Channel
from barberpro.protocol.staff import StaffRole
from barberpro.storage.postgres import AnyConnection

# Barbers with or without an account, then whoever else the shop has.
_STAFF: Final = """
    SELECT u.user_id, b.barber_id, coalesce(b.name, u.name) AS name, b.photo_url,
           EXISTS (SELECT FROM shop_owners o WHERE o.shop_id = $1 AND o.user_id = u.user_id) AS owner
    FROM (SELECT * FROM barbers WHERE shop_id = $1 AND active) b
    FULL JOIN (
        SELECT m.user_id, m.name, (SELECT w.barber_id FROM barbers w WHERE w.barber_id = m.barber_id AND w.shop_id = $1)
                                  AS barber_id
        FROM users m WHERE m.shop_ids @> ARRAY[$1::text] AND m.shop_ids <> '{}'
    ) u ON u.barber_id = b.barber_id
    ORDER BY b.created_at NULLS LAST, b.barber_id, u.user_id
"""
_MEMBER: Final = """
    SELECT user_id, barber_id FROM users
    WHERE (user_id = $2 OR barber_id = $2) AND shop_ids @> ARRAY[$1::text] AND shop_ids <> '{}'
    FOR NO KEY UPDATE
"""
_LEAVE: Final = """
    UPDATE users SET shop_ids = array_remove(shop_ids, $1),
        barber_id = (SELECT b.barber_id FROM barbers b WHERE b.barber_id = users.barber_id AND b.shop_id <> $1)
    WHERE user_id = $2
"""
_BUSY: Final = """
    SELECT EXISTS (SELECT FROM queues WHERE barber_id = $1 AND status <> 'closed')
        OR EXISTS (SELECT FROM bookings
                   WHERE shop_id = (SELECT b.shop_id FROM barbers b WHERE b.barber_id = $1) AND barber_id = $1
                     AND ended_at IS NULL AND status <> 'skipped')
"""
_ADD_BARBER: Final = """
    INSERT INTO barbers (barber_id, shop_id, name, created_at) VALUES ($1, $2, $3, clock_timestamp())
"""
_OFFER_ALL: Final = """
    INSERT INTO barber_services (barber_id, service_id)
    SELECT $1, service_id FROM services WHERE shop_id = $2
"""
_HOLD: Final = """
    SELECT FROM shops WHERE shop_id = (SELECT b.shop_id FROM barbers b WHERE b.barber_id = $1) FOR NO KEY UPDATE
"""
_OWNED: Final = """
    SELECT shop_id FROM shops JOIN shop_owners USING (shop_id) WHERE user_id = $1
    ORDER BY shop_id FOR NO KEY UPDATE OF shops
"""
_NEEDED: Final = """
    SELECT EXISTS (
        SELECT FROM barbers b WHERE b.shop_id = ANY($2) AND b.active
            AND b.barber_id IS DISTINCT FROM (SELECT u.barber_id FROM users u WHERE u.user_id = $1)
            AND NOT EXISTS (SELECT FROM shop_owners o WHERE o.shop_id = b.shop_id AND o.user_id <> $1))
"""
_DESERTED: Final = """
    SELECT EXISTS (SELECT FROM users WHERE user_id = $2 AND deleted_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM shop_owners WHERE shop_id = $1)
"""
_RETIRE: Final = "UPDATE barbers SET active = false, name = 'Former barber', photo_url = NULL WHERE barber_id = $1"
_BARBER: Final = "SELECT name, photo_url FROM barbers WHERE barber_id = $1 AND active FOR NO KEY UPDATE"
_INVITE: Final = """
    INSERT INTO invitations (challenge_id, shop_id, role, name, made_by) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (challenge_id) DO NOTHING
"""
_OPEN: Final = "c.sent_at <> '{}' AND c.used_at IS NULL AND c.expires_at > now()"
_INVITATIONS: Final = f"""
    SELECT i.challenge_id, i.shop_id, s.name AS shop_name, i.role, i.name, i.made_by, i.made_at,
           c.channel, c.contact_sealed, c.contact_lookup, c.expires_at
    FROM invitations i JOIN challenges c USING (challenge_id) JOIN shops s ON s.shop_id = i.shop_id
    WHERE {_OPEN} AND
"""  # noqa: S608 - our own words
_OF_SHOP: Final = _INVITATIONS + "i.shop_id = $1 ORDER BY i.made_at DESC, i.challenge_id"
_TO: Final = f"""
    {_INVITATIONS} c.purpose = 'invite' AND c.contact_lookup = ANY (ARRAY(
        SELECT unnest(ARRAY[u.email_lookup, u.phone_lookup]) FROM users u WHERE u.user_id = $1
    )) ORDER BY i.made_at, i.challenge_id
"""  # noqa: S608 - our own words
_ONE: Final = _INVITATIONS + "i.challenge_id = $1"
_MADE_LATELY: Final = """
    SELECT count(*) FROM invitations WHERE made_by = $1 AND made_at > now() - interval '1 day'
"""


@dataclass(frozen=True, slots=True)
class Member:
    """Of a shop's staff. One of the two ids is there."""

    user_id: str | None
    barber_id: str | None
    name: str | None
    photo_url: str | None
    owner: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    """One that is open. challenge_id: its id for everybody."""

    challenge_id: str
    shop_id: str
    shop_name: str
    role: StaffRole
    name: str | None
    made_by: str
    made_at: datetime
    channel: Channel
    contact_sealed: str
    contact_lookup: str
    expires_at: datetime


async def staff_of(pool: "Pool[Any]", shop_id: str) -> list[Member]:
    return [Member(**row) for row in await pool.fetch(_STAFF, shop_id)]


async def locked_member(connection: AnyConnection, shop_id: str, staff_id: str) -> tuple[str | None, str | None] | None:
    """The user and the barber that it is, by the id of either; held until the transaction ends. None: nobody's here."""
    row = await connection.fetchrow(_MEMBER, shop_id, staff_id)
    barber_id: str | None = await connection.fetchval(
        "SELECT barber_id FROM barbers WHERE shop_id = $1 AND barber_id = $2 AND active",
        shop_id,
        row["barber_id"] if row is not None else staff_id,
    )
    return (row["user_id"] if row is not None else None, barber_id) if row is not None or barber_id else None


async def is_busy(connection: AnyConnection, barber_id: str) -> bool:
    """Whether the barber's line is open, or somebody has a place or an appointment there."""
    return bool(await connection.fetchval(_BUSY, barber_id))


async def owners_of(connection: AnyConnection, shop_id: str) -> set[str]:
    rows = await connection.fetch("SELECT user_id FROM shop_owners WHERE shop_id = $1", shop_id)
    return {row["user_id"] for row in rows}


async def shops_owned(connection: AnyConnection, user_id: str) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM shop_owners WHERE user_id = $1", user_id))


async def is_needed(connection: AnyConnection, user_id: str) -> bool:
    """Whether others work in a shop that only this user owns. The user's shops stay as they are from now on."""
    owned = [row["shop_id"] for row in await connection.fetch(_OWNED, user_id)]
    return bool(await connection.fetchval(_NEEDED, user_id, owned))


async def add_owner(connection: AnyConnection, shop_id: str, user_id: str) -> None:
    await connection.execute(
        "INSERT INTO shop_owners (shop_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", shop_id, user_id
    )


async def insert_barber(
    connection: AnyConnection, shop_id: str, barber_id: str, name: str, photo_url: str | None
) -> None:
    """They offer nothing yet."""
    await connection.execute(_ADD_BARBER, barber_id, shop_id, name)
    if photo_url is not None:
        await set_barber(connection, barber_id, name, photo_url)


async def add_barber(connection: AnyConnection, shop_id: str, barber_id: str, name: str) -> None:
    """They offer all that the shop has."""
    await connection.execute(_ADD_BARBER, barber_id, shop_id, name)
    await connection.execute(_OFFER_ALL, barber_id, shop_id)


async def let_go(connection: AnyConnection, shop_id: str, user_id: str | None, barber_id: str | None) -> None:
    """They work here no longer. The barber's past stays."""
    if barber_id is not None:
        await connection.execute("UPDATE barbers SET active = false WHERE barber_id = $1", barber_id)
    if user_id is not None:
        await connection.execute("DELETE FROM shop_owners WHERE shop_id = $1 AND user_id = $2", shop_id, user_id)
        await connection.execute(_LEAVE, shop_id, user_id)


async def retire(connection: AnyConnection, barber_id: str) -> None:
    """The line of an account that goes is nobody's: what was done there stays, and names nobody."""
    await connection.execute(_HOLD, barber_id)
    await connection.execute(_RETIRE, barber_id)


async def locked_barber(connection: AnyConnection, barber_id: str) -> Mapping[str, Any] | None:
    """{name, photo_url}, held until the transaction ends; None when there is none, or no longer."""
    row: Mapping[str, Any] | None = await connection.fetchrow(_BARBER, barber_id)
    return row


async def set_barber(connection: AnyConnection, barber_id: str, name: str, photo_url: str | None) -> None:
    await connection.execute(
        "UPDATE barbers SET name = $2, photo_url = $3 WHERE barber_id = $1", barber_id, name, photo_url
    )


async def add_invitation(
    connection: AnyConnection, challenge_id: str, shop_id: str, role: str, name: str | None, made_by: str
) -> bool:
    """False when it is there already."""
    return bool(await connection.execute(_INVITE, challenge_id, shop_id, role, name, made_by) == "INSERT 0 1")


async def invited_lately(connection: AnyConnection, user_id: str) -> int:
    """How many invitations the user has made within a day."""
    return int(await connection.fetchval(_MADE_LATELY, user_id))


async def invitations_of(pool: "Pool[Any]", shop_id: str) -> list[Invitation]:
    """The newest first."""
    return _invitations(await pool.fetch(_OF_SHOP, shop_id))


async def invitations_to(pool: "Pool[Any]", user_id: str) -> list[Invitation]:
    """Those that went to the user's address or number, the oldest first."""
    return _invitations(await pool.fetch(_TO, user_id))


async def find_invitation(connection: AnyConnection, challenge_id: str, *, lock: bool = False) -> Invitation | None:
    """None when it is not open. lock: until the transaction ends nobody else answers or withdraws it."""
    found = _invitations(await connection.fetch(_ONE + (" FOR NO KEY UPDATE OF c" if lock else ""), challenge_id))
    return found[0] if found else None


async def is_deserted(connection: AnyConnection, invitation: Invitation) -> bool:
    """Whether who invited is gone, and has left the shop to nobody. To be asked while the shop is locked."""
    return bool(await connection.fetchval(_DESERTED, invitation.shop_id, invitation.made_by))


def _invitations(rows: list[Mapping[str, Any]]) -> list[Invitation]:
    return [Invitation(**row) for row in rows]
