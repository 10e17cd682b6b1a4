"""Feature flags: who sees what is on for some.

A flag is on for its target users, and for so many percent of all: each user has a place from 0 to 99 in each flag, by a
hash of both names, which is the same on every server and in every release. So whoever sees a flag at 10 % sees it at
20 %, and who is among the first in one flag is not so in the next.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from asyncpg import Pool

from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.errors import not_found
from barberpro.protocol.flags import ChangeFlag
from barberpro.storage.audit import note
from barberpro.storage.flags import Flag, delete_flag, lock_flag, put_flag

Json = dict[str, Any]
Why = Literal["target", "percentage"]


def is_on(flags: Mapping[str, Flag], name: str, user_id: str) -> bool:
    """Whether the user sees the flag; one that is not there is off for everybody."""
    flag = flags.get(name)
    return flag is not None and why_on(flag, user_id) is not None


def why_on(flag: Flag, user_id: str) -> Why | None:
    """Why the user sees the flag; None: they do not."""
    if user_id in flag.target_users:
        return "target"
    return "percentage" if place_of(flag.name, user_id) < flag.percentage else None


def place_of(name: str, user_id: str) -> int:
    """0 to 99. The hash is part of the contract with users: with another one, features would come and go."""
    digest = hashlib.blake2b(f"{name}\0{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % 100


async def change(pool: "Pool[Any]", actor: Actor, name: str, wanted: ChangeFlag, via: Via) -> Flag:
    """Makes the flag, or changes it as a whole."""
    async with pool.acquire() as connection, connection.transaction():
        present = await lock_flag(connection, name)
        changed = await put_flag(connection, name, wanted.description, wanted.percentage, wanted.target_users, actor.id)
        before, after = _noted(present) if present is not None else None, _noted(changed)
        if before != after:
            await note(connection, actor, "flag.changed", "flag", name, before=before, after=after, via=via)
    return changed


async def remove(pool: "Pool[Any]", actor: Actor, name: str, via: Via) -> None:
    """Raises NOT_FOUND."""
    async with pool.acquire() as connection, connection.transaction():
        present = await lock_flag(connection, name)
        if present is None:
            raise not_found("flag")
        await delete_flag(connection, name)
        await note(connection, actor, "flag.removed", "flag", name, before=_noted(present), via=via)


def _noted(flag: Flag) -> Json:
    return {
        "description": flag.description,
        "percentage": flag.percentage,
        "targetUsers": sorted(flag.target_users),
    }
