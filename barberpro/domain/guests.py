"""Guests: the code of a shop lets them in at its door, and a ticket is theirs for one booking."""

import hmac
from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.identity import Tokens
from barberpro.domain.policy import Caller, caller_of
from barberpro.protocol.access import JoinCodeTold
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.answers import Token
from barberpro.protocol.errors import BarberProError, not_found
from barberpro.protocol.ids import new_guest_id, new_join_code
from barberpro.protocol.times import rfc3339, rfc3339_of
from barberpro.storage.audit import note
from barberpro.storage.join_codes import read_join_code, remove_join_code, replace_join_code

_DOOR_SECONDS: Final = 900
"""For so long who has scanned the code may still join: also after the code has been replaced."""
TICKET_SECONDS: Final = 24 * 3600
"""A walk-in ends with its business day."""


def minted(tokens: Tokens, actor: Actor, seconds: int) -> Token:
    """A token for the actor, with its end."""
    token = tokens.mint(actor, seconds)
    return {"token": token, "expiresAt": rfc3339(round(tokens.verify(token).expires_at * 1000))}


def ticket(tokens: Tokens, actor: Actor, booking_id: str) -> Token | None:
    """The ticket for a booking that the actor has just made: for a guest, and for whoever stands before a kiosk.

    It is a capability: whoever has it may watch the booking, check in, step back and cancel, and nothing else. All
    tickets of a booking are the same actor.
    """
    if caller_of(actor) not in {Caller.DOOR, Caller.KIOSK}:
        return None
    return minted(tokens, holder(booking_id), TICKET_SECONDS)


def holder(booking_id: str) -> Actor:
    """Who all tickets of the booking stand for."""
    return Actor(f"gt_{booking_id.removeprefix('bk_')}", Role.GUEST, booking_id=booking_id)


async def at_the_door(pool: "Pool[Any]", tokens: Tokens, shop_id: str, code: str) -> Token:
    """A token to join this shop with. Raises NOT_FOUND unless it is the shop's code."""
    kept = await read_join_code(pool, shop_id)
    if kept is None or not hmac.compare_digest(kept.code, code):
        raise not_found("joinCode")
    return minted(tokens, Actor(new_guest_id(), Role.GUEST, shop_ids=frozenset({shop_id})), _DOOR_SECONDS)


def holder_of(tokens: Tokens, token: str | None) -> Actor | None:
    """Who holds a ticket; None when it is no longer good."""
    try:
        return tokens.verify(token).actor if token is not None else None
    except BarberProError:
        return None


async def present_code(pool: "Pool[Any]", shop_id: str, origin: str) -> JoinCodeTold:
    """The shop's code. origin: of the web, where the join page is. Raises NOT_FOUND when it has none."""
    kept = await read_join_code(pool, shop_id)
    if kept is None:
        raise not_found("joinCode")
    made_at = rfc3339_of(kept.made_at)
    return {"code": kept.code, "url": f"{origin}/join/{shop_id}?code={kept.code}", "madeAt": made_at}


async def change_code(pool: "Pool[Any]", actor: Actor, shop_id: str, via: Via, key: str | None = None) -> None:
    """Gives the shop a new code. Whoever scans the one before is refused from now on.

    key: an Idempotency-Key; the code that was made with it stays.
    """
    async with pool.acquire() as connection, connection.transaction():
        if await replace_join_code(connection, shop_id, new_join_code(), key):
            await note(connection, actor, "join_code.changed", "shop", shop_id, via=via, shop_id=shop_id)


async def withdraw_code(pool: "Pool[Any]", actor: Actor, shop_id: str, via: Via) -> None:
    """From now on nobody joins with a code. Raises NOT_FOUND when there was none."""
    async with pool.acquire() as connection, connection.transaction():
        if not await remove_join_code(connection, shop_id):
            raise not_found("joinCode")
        await note(connection, actor, "join_code.withdrawn", "shop", shop_id, via=via, shop_id=shop_id)
