"""Users, as Postgres holds them. What is personal comes in and goes out sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from asyncpg import Pool

from barberpro.storage.postgres import AnyConnection

Channel = Literal["email", "sms"]
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
    WHERE provider = $1 AND subject = $2
""".replace("created_at", "users.created_at")  # noqa: S608 - our own words
# Of two who show one address at once, one makes the user and both have it.
_ADD: Final = """
    INSERT INTO users (user_id, role, name, language, password_hash,
                       email_sealed, email_lookup, phone_sealed, phone_lookup)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
_FORGET: Final = """
    UPDATE users SET name = NULL, email_sealed = NULL, email_lookup = NULL, phone_sealed = NULL, phone_lookup = NULL,
        password_hash = NULL, barber_id = NULL, shop_ids = '{}', deleted_at = now()
    WHERE user_id = $1 AND deleted_at IS NULL
"""
_FORGET_BOOKINGS: Final = """
    UPDATE bookings SET customer_name = NULL, phone_sealed = NULL, notes = NULL WHERE customer_id = $1
"""
_FORGET_REVIEWS: Final = """
    UPDATE ratings r SET review = NULL FROM bookings b WHERE b.customer_id = $1 AND r.booking_id = b.booking_id
"""
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


async def user_by_id(connection: AnyConnection, user_id: str) -> User | None:
    """None when there is none, or no longer."""
    return _user(await connection.fetchrow(_BY_ID, user_id))


async def has_phone(pool: "Pool[Any]", user_id: str) -> bool:
    """Whether the user has a telephone number; those that are kept are shown to be their user's."""
    known: bool = await pool.fetchval(_HAS_PHONE, user_id)
    return known


async def user_by_contact(connection: AnyConnection, channel: Channel, lookup: str) -> User | None:
    return _user(await connection.fetchrow(_BY_CONTACT[channel], lookup))


async def user_by_login(connection: AnyConnection, provider: Provider, subject: str) -> User | None:
    return _user(await connection.fetchrow(_BY_LOGIN, provider, subject))


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
    await connection.execute(
        "INSERT INTO user_logins (provider, subject, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        provider,
        subject,
        user_id,
    )


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


async def forget_user(connection: AnyConnection, user_id: str) -> bool:
    """Whether there was somebody to forget. What refers to the user stays; nothing personal does."""
    done = await connection.execute(_FORGET, user_id)
    await connection.execute("DELETE FROM user_logins WHERE user_id = $1", user_id)
    await connection.execute(_FORGET_BOOKINGS, user_id)
    await connection.execute(_FORGET_REVIEWS, user_id)
    return bool(done == "UPDATE 1")


def _user(row: Mapping[str, Any] | None) -> User | None:
    return User(**{**row, "shop_ids": frozenset(row["shop_ids"])}) if row is not None else None
