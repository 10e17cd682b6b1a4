"""Users, as Postgres holds them. What is personal comes in and goes out sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from asyncpg import Pool, UniqueViolationError

from barberpro.protocol.accounts import Channel
from barberpro.storage.postgres import AnyConnection

Provider = Literal["google", "firebase"]

_COLUMNS: Final = (
    "user_id, role, name, language, email_sealed, email_lookup, phone_sealed, phone_lookup, password_hash, barber_id,"
    " shop_ids, created_at"
)
_BY_CONTACT: Final = {
    "email": f"SELECT {_COLUMNS} FROM users WHERE email_lookup = $1",  # noqa: S608 - our own words
    "sms": f"SELECT {_COLUMNS} FROM users WHERE phone_lookup = $1",  # noqa: S608 - our own words
}
_BY_ID: Final = f"SELECT {_COLUMNS} FROM users WHERE user_id = $1 AND deleted_at IS NULL"  # noqa: S608 - our own words
_HAS_PHONE: Final = "SELECT EXISTS (SELECT 1 FROM users WHERE user_id = $1 AND phone_lookup IS NOT NULL)"
_BY_LOGIN: Final = f"""
    SELECT {_COLUMNS} FROM users JOIN user_logins USING (user_id)
    WHERE provider = $1 AND subject = $2 AND deleted_at IS NULL
""".replace("created_at", "users.created_at")  # noqa: S608 - our own words
# Whoever only refers to the user, as a session does, is not held up.
_LOCK: Final = " FOR NO KEY UPDATE OF users"
_LINK: Final = """
    INSERT INTO user_logins (provider, subject, user_id) VALUES ($1, $2, $3)
    ON CONFLICT (provider, subject) DO UPDATE SET user_id = excluded.user_id
"""
_ADD_CONTACT: Final = {
    "email": "UPDATE users SET email_sealed = $2, email_lookup = $3 WHERE user_id = $1 AND email_lookup IS NULL",
    "sms": "UPDATE users SET phone_sealed = $2, phone_lookup = $3 WHERE user_id = $1 AND phone_lookup IS NULL",
}
# Of two who show one address at once, one makes the user and both have it.
_ADD: Final = """
    INSERT INTO users (user_id, role, name, language, password_hash,
                       email_sealed, email_lookup, phone_sealed, phone_lookup)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
_OPEN: Final = """
    WITH before AS (SELECT user_id, email_lookup, phone_lookup FROM users WHERE user_id = $1 AND claimed)
    UPDATE users SET claimed = false,
        email_sealed = CASE WHEN users.email_lookup = ANY ($2) THEN email_sealed END,
        email_lookup = CASE WHEN users.email_lookup = ANY ($2) THEN users.email_lookup END,
        phone_sealed = CASE WHEN users.phone_lookup = ANY ($2) THEN phone_sealed END,
        phone_lookup = CASE WHEN users.phone_lookup = ANY ($2) THEN users.phone_lookup END
    FROM before WHERE users.user_id = before.user_id
    RETURNING before.email_lookup IS NOT NULL AND users.email_lookup IS NULL AS email,
              before.phone_lookup IS NOT NULL AND users.phone_lookup IS NULL AS phone
"""
_FORGET_CHALLENGES: Final = """
    DELETE FROM challenges USING users
    WHERE users.user_id = $1 AND (challenges.user_id = $1 OR contact_lookup IN (email_lookup, phone_lookup))
"""
_FORGET: Final = (
    """
    UPDATE users SET name = NULL, email_sealed = NULL, email_lookup = NULL, phone_sealed = NULL, phone_lookup = NULL,
        password_hash = NULL, barber_id = NULL, shop_ids = '{}', deleted_at = now()
    WHERE user_id = $1 AND deleted_at IS NULL
    """,
    "DELETE FROM user_logins WHERE user_id = $1",
    "DELETE FROM shop_owners WHERE user_id = $1",
    "UPDATE sessions SET ip = NULL, agent = NULL WHERE user_id = $1",
    "UPDATE bookings SET customer_name = NULL, phone_sealed = NULL, notes = NULL WHERE customer_id = $1",
    "UPDATE ratings SET review = NULL FROM bookings b WHERE b.customer_id = $1 AND ratings.booking_id = b.booking_id",
)
_LIVE: Final = """
    SELECT count(*) FROM bookings
    WHERE customer_id = $1 AND status IN ('scheduled', 'waiting', 'next', 'serving')
"""


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    role: str
    name: str | None
    language: str
    email_sealed: str | None
    email_lookup: str | None
    phone_sealed: str | None
    phone_lookup: str | None
    password_hash: str | None
    barber_id: str | None
    shop_ids: frozenset[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SealedContact:
    """An address or a number that is its user's, sealed, and the keyed hash that finds it."""

    channel: Channel
    sealed: str
    lookup: str


async def user_by_id(connection: AnyConnection, user_id: str, *, lock: bool = False) -> User | None:
    """None when there is none, or no longer. lock: until the transaction ends nobody else changes the user."""
    return await _one(connection, _BY_ID, user_id, lock=lock)


async def has_phone(pool: "Pool[Any]", user_id: str) -> bool:
    """Whether the user has a telephone number; those that are kept are shown to be their user's."""
    known: bool = await pool.fetchval(_HAS_PHONE, user_id)
    return known


async def user_by_contact(
    connection: AnyConnection, channel: Channel, lookup: str, *, lock: bool = False
) -> User | None:
    """lock: as of `user_by_id`."""
    return await _one(connection, _BY_CONTACT[channel], lookup, lock=lock)


async def user_by_login(
    connection: AnyConnection, provider: Provider, subject: str, *, lock: bool = False
) -> User | None:
    """lock: as of `user_by_id`."""
    return await _one(connection, _BY_LOGIN, provider, subject, lock=lock)


async def add_user(
    connection: AnyConnection,
    user_id: str,
    role: str,
    name: str | None,
    language: str,
    password_hash: str | None,
    contacts: list[SealedContact],
) -> bool:
    """False, and nothing done, when somebody has one of the contacts by now."""
    by_channel = {contact.channel: (contact.sealed, contact.lookup) for contact in contacts}
    email, phone = by_channel.get("email", (None, None)), by_channel.get("sms", (None, None))
    done = await connection.execute(_ADD, user_id, role, name, language, password_hash, *email, *phone)
    return bool(done == "INSERT 0 1")


async def add_login(connection: AnyConnection, provider: Provider, subject: str, user_id: str) -> None:
    await connection.execute(_LINK, provider, subject, user_id)


async def add_contact(connection: AnyConnection, user_id: str, contact: SealedContact) -> bool:
    """False, and nothing done, when the user has one of its kind, or somebody else has this one."""
    try:
        async with connection.transaction():
            done = await connection.execute(_ADD_CONTACT[contact.channel], user_id, contact.sealed, contact.lookup)
    except UniqueViolationError:
        return False
    return bool(done == "UPDATE 1")


async def open_account(connection: AnyConnection, user_id: str, shown: list[str]) -> list[str] | None:
    """Lets those contacts of an imported account go that are not among those shown.

    shown: what contacts are found by. The fields that are empty now; None for an account that was open.
    """
    row = await connection.fetchrow(_OPEN, user_id, shown)
    return [field for field in ("email", "phone") if row[field]] if row is not None else None


async def set_password(connection: AnyConnection, user_id: str, password_hash: str) -> None:
    await connection.execute("UPDATE users SET password_hash = $2 WHERE user_id = $1", user_id, password_hash)


async def set_role(
    connection: AnyConnection, user_id: str, role: str, barber_id: str | None, shop_ids: list[str]
) -> None:
    await connection.execute(
        "UPDATE users SET role = $2, barber_id = $3, shop_ids = $4 WHERE user_id = $1",
        user_id, role, barber_id, shop_ids,
    )  # fmt: skip


async def live_bookings(connection: AnyConnection, user_id: str) -> int:
    """How many bookings of theirs still wait or are being served."""
    return int(await connection.fetchval(_LIVE, user_id))


async def forget_challenges(connection: AnyConnection, user_id: str) -> None:
    """Those that went to the user's contacts, or are to add one. To be done before anything locks the user."""
    await connection.execute(_FORGET_CHALLENGES, user_id)


async def forget_user(connection: AnyConnection, user_id: str) -> None:
    """What refers to the user stays; nothing personal does."""
    for each in _FORGET:
        await connection.execute(each, user_id)


async def _one(connection: AnyConnection, query: str, *given: str, lock: bool) -> User | None:
    row: Mapping[str, Any] | None = await connection.fetchrow(query + _LOCK if lock else query, *given)
    return User(**{**row, "shop_ids": frozenset(row["shop_ids"])}) if row is not None else None
