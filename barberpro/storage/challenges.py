"""Challenges, as Postgres holds them: who can tell a secret has what it was sent to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson

from barberpro.storage.postgres import AnyConnection, take_turn
from barberpro.storage.users import SealedContact

Purpose = Literal["register", "reset", "add_contact", "invite"]
Json = dict[str, Any]

_COLUMNS: Final = (
    "challenge_id, purpose, user_id, channel, contact_sealed, contact_lookup, secret_sealed, wanted, language, instead"
)
_ADD: Final = """
    INSERT INTO challenges (challenge_id, purpose, user_id, channel, contact_sealed, contact_lookup, secret_sealed,
                            wanted, language, instead, sent_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10,
            CASE WHEN $11::boolean THEN ARRAY[now()] ELSE '{}' END, now() + $12)
    ON CONFLICT (challenge_id) DO NOTHING RETURNING expires_at
"""
_OPEN: Final = "used_at IS NULL AND expires_at > now()"
_FIND: Final = f"SELECT {_COLUMNS} FROM challenges WHERE challenge_id = $1"  # noqa: S608 - our own words
# Of one that was sent without its secret the tries are counted as well: asking again must not tell which it is.
_TRY: Final = f"""
    UPDATE challenges SET tries = tries + 1
    WHERE challenge_id = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND {_OPEN} AND tries < $4
    RETURNING {_COLUMNS}, instead IS NULL AND sent_at <> '{{}}' AS answerable
"""  # noqa: S608 - our own words
_USE: Final = f"UPDATE challenges SET used_at = now() WHERE challenge_id = $1 AND {_OPEN}"  # noqa: S608 - our own words
_RESEND: Final = f"""
    UPDATE challenges SET asked = asked + 1, expires_at = now() + $5, secret_sealed = coalesce($2, secret_sealed),
        sent_at = CASE WHEN $2::text IS NULL THEN sent_at ELSE sent_at || now() END
    WHERE challenge_id = $1 AND {_OPEN} AND asked < $3 AND tries < $4 RETURNING expires_at
"""  # noqa: S608 - our own words
_SENT: Final = """
    SELECT count(*) FROM challenges, unnest(sent_at) AS sent (at)
    WHERE contact_lookup = $1 AND purpose = $2 AND expires_at > now() - interval '1 hour'
      AND sent.at > now() - interval '1 hour'
"""


@dataclass(frozen=True, slots=True)
class StoredChallenge:
    """user_id: whose account it is to be added to. secret_sealed: the secret's SHA-256, in hex, sealed.

    instead: the letter that goes out in place of one with the secret. language: the letters'.
    """

    challenge_id: str
    purpose: Purpose
    user_id: str | None
    contact: SealedContact
    secret_sealed: str
    wanted: Json
    language: str
    instead: str | None


async def add_challenge(
    connection: AnyConnection, challenge: StoredChallenge, lasts: timedelta, *, sent: bool
) -> datetime | None:
    """Until when it is good; None when it is there already. sent: whether a letter goes out."""
    expires_at: datetime | None = await connection.fetchval(
        _ADD,
        challenge.challenge_id,
        challenge.purpose,
        challenge.user_id,
        challenge.contact.channel,
        challenge.contact.sealed,
        challenge.contact.lookup,
        challenge.secret_sealed,
        orjson.dumps(challenge.wanted).decode(),
        challenge.language,
        challenge.instead,
        sent,
        lasts,
    )
    return expires_at


async def expiry_of(connection: AnyConnection, challenge_id: str) -> datetime:
    expires_at: datetime = await connection.fetchval(
        "SELECT expires_at FROM challenges WHERE challenge_id = $1", challenge_id
    )
    return expires_at


async def find_challenge(connection: AnyConnection, challenge_id: str) -> StoredChallenge | None:
    """Open or not."""
    row = await connection.fetchrow(_FIND, challenge_id)
    return _challenge(row) if row is not None else None


async def try_challenge(
    connection: AnyConnection, challenge_id: str, purpose: Purpose, user_id: str | None, most: int
) -> StoredChallenge | None:
    """Counts a try; None when there is nothing that may still be tried, or nobody was sent the secret."""
    row = await connection.fetchrow(_TRY, challenge_id, purpose, user_id, most)
    return _challenge(row) if row is not None and row["answerable"] else None


async def use_challenge(connection: AnyConnection, challenge_id: str) -> bool:
    """Whether it was still to be used: once, and only by one."""
    return bool(await connection.execute(_USE, challenge_id) == "UPDATE 1")


async def ask_again(
    connection: AnyConnection,
    challenge_id: str,
    secret_sealed: str | None,
    most: int,
    tries: int,
    lasts: timedelta,
) -> datetime | None:
    """Until when it is good now; None when it is not open, or was asked for or tried often enough.

    secret_sealed: of a secret in place of the one before, with which a letter goes out; None: none does.
    """
    expires_at: datetime | None = await connection.fetchval(_RESEND, challenge_id, secret_sealed, most, tries, lasts)
    return expires_at


async def sent_lately(connection: AnyConnection, lookup: str, purpose: Purpose) -> int:
    """How many letters went to this contact within the hour; nobody else sends one until the transaction ends."""
    await take_turn(connection, lookup)
    return int(await connection.fetchval(_SENT, lookup, purpose))


def _challenge(row: Mapping[str, Any]) -> StoredChallenge:
    return StoredChallenge(
        row["challenge_id"],
        row["purpose"],
        row["user_id"],
        SealedContact(row["channel"], row["contact_sealed"], row["contact_lookup"]),
        row["secret_sealed"],
        orjson.loads(row["wanted"]),
        row["language"],
        row["instead"],
    )
