"""Ending what lets somebody in, sessions and tokens, each on record. `revocations.py` has every node heed it."""

from datetime import datetime

from barberpro.protocol.actors import Actor, Via
from barberpro.storage.audit import note
from barberpro.storage.postgres import AnyConnection
from barberpro.storage.revocations import revoke_tokens
from barberpro.storage.sessions import revoke_sessions


async def end_sessions(
    connection: AnyConnection, by: Actor, user_id: str, why: str, via: Via | None = None, session_id: str | None = None
) -> bool:
    """Ends all live sessions of the user's, or one, in the caller's transaction; whether there was any.

    by: who does so, which need not be the user.
    """
    ended = await revoke_sessions(connection, user_id, session_id, why)
    for each in ended:
        await note(connection, by, "session.ended", "session", each, after={"why": why}, via=via)
    return bool(ended)


async def revoke(connection: AnyConnection, by: Actor, user_id: str) -> datetime:
    """Refuses all that the user has now, in the caller's transaction; the moment from which on new tokens are good."""
    before = await revoke_tokens(connection, user_id)
    await end_sessions(connection, by, user_id, "revoked")
    await note(connection, by, "tokens.revoked", "user", user_id)
    return before
