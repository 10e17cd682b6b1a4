"""Challenges, as Postgres holds them: who can tell a secret has what it was sent to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson

from barberpro.storage.postgres import AnyConnection
from barberpro.storage.users import Channel, SealedContact

Purpose = Literal["register", "reset", "invite"]
Json = dict[str, Any]

_COLUMNS: Final = "challenge_id, purpose, channel, contact_sealed, contact_lookup, secret_hash, wanted, expires_at"
_ADD: Final = """
    INSERT INTO challenges (challenge_id, purpose, channel, contact_sealed, contact_lookup, secret_hash, wanted,
                            sends, silent, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9, now() + $10)
    ON CONFLICT (challenge_id) DO NOTHING RETURNING expires_at
"""
_OPEN: Final = "NOT silent AND used_at IS NULL AND expires_at > now()"
_IS_OPEN: Final = f"SELECT purpose, channel FROM challenges WHERE challenge_id = $1 AND {_OPEN}"  # noqa: S608 - our own words
_TRY: Final = f"""
    UPDATE challenges SET tries = tries + 1
    WHERE challenge_id = $1 AND purpose = $2 AND channel = $3 AND {_OPEN} AND tries < $4 RETURNING {_COLUMNS}
"""  # noqa: S608 - our own words
_USE: Final = f"UPDATE challenges SET used_at = now() WHERE challenge_id = $1 AND {_OPEN}"  # noqa: S608 - our own words
_RESEND: Final = f"""
    UPDATE challenges SET sends = sends + 1, tries = 0, secret_hash = $2, expires_at = now() + $4
    WHERE challenge_id = $1 AND {_OPEN} AND sends < $3 RETURNING {_COLUMNS}
"""  # noqa: S608 - our own words
# Those who ask for one contact at once go one by one, or all of them would count the same.
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_SENT: Final = """
    SELECT coalesce(sum(sends), 0) FROM challenges
    WHERE contact_lookup = $1 AND purpose = $2 AND created_at > now() - interval '1 hour'
"""


@dataclass(frozen=True, slots=True)
class StoredChallenge:
    challenge_id: str
    purpose: Purpose
    contact: SealedContact
    secret_hash: str
    wanted: Json
    expires_at: datetime


async def add_challenge(
    connection: AnyConnection,
    challenge_id: str,
    purpose: Purpose,
    contact: SealedContact,
    secret_hash: str,
    wanted: Json,
    sends: int,
    lasts: timedelta,
    *,
    silent: bool,
) -> datetime | None:
    """Until when it is good; None when it is there already.

    sends: how many letters it came to. silent: whether these were without its secret.
    """
    kept = orjson.dumps(wanted).decode()
    expires_at: datetime | None = await connection.fetchval(
        _ADD,
        challenge_id,
        purpose,
        contact.channel,
        contact.sealed,
        contact.lookup,
        secret_hash,
        kept,
        sends,
        silent,
        lasts,
    )
    return expires_at


async def expiry_of(connection: AnyConnection, challenge_id: str) -> datetime:
    expires_at: datetime = await connection.fetchval(
        "SELECT expires_at FROM challenges WHERE challenge_id = $1", challenge_id
    )
    return expires_at


async def challenge_to_resend(connection: AnyConnection, challenge_id: str) -> tuple[Purpose, Channel] | None:
    """What it is for, and how it was sent; None when it is no longer open."""
    row = await connection.fetchrow(_IS_OPEN, challenge_id)
    return (row["purpose"], row["channel"]) if row is not None else None


async def try_challenge(
    connection: AnyConnection, challenge_id: str, purpose: Purpose, channel: Channel, most: int
) -> StoredChallenge | None:
    """Counts a try; None when there is nothing that may still be tried."""
    return _challenge(await connection.fetchrow(_TRY, challenge_id, purpose, channel, most))


async def use_challenge(connection: AnyConnection, challenge_id: str) -> bool:
    """Whether it was still to be used: once, and only by one."""
    return bool(await connection.execute(_USE, challenge_id) == "UPDATE 1")


async def renew_challenge(
    connection: AnyConnection, challenge_id: str, secret_hash: str, most: int, lasts: timedelta
) -> StoredChallenge | None:
    """With another secret, which replaces the one before; None when it is not open, or was sent often enough."""
    return _challenge(await connection.fetchrow(_RESEND, challenge_id, secret_hash, most, lasts))


async def sent_lately(connection: AnyConnection, lookup: str, purpose: Purpose) -> int:
    """How many letters went to this contact within the hour; nobody else sends one until the transaction ends."""
    await connection.execute(_TURN, lookup)
    return int(await connection.fetchval(_SENT, lookup, purpose))


def _challenge(row: Mapping[str, Any] | None) -> StoredChallenge | None:
    if row is None:
        return None
    contact = SealedContact(row["channel"], row["contact_sealed"], row["contact_lookup"])
    wanted = orjson.loads(row["wanted"])
    return StoredChallenge(row["challenge_id"], row["purpose"], contact, row["secret_hash"], wanted, row["expires_at"])
