"""The audit log's own entries: what was done that is no event of a queue."""

from typing import Any, Final, Protocol

import orjson
from asyncpg.pool import PoolConnectionProxy

from barberpro.protocol.actors import Actor

Json = dict[str, Any]

_NOTE: Final = """
    INSERT INTO audit_entries (actor_id, actor_role, action, shop_id, object_type, object_id, request_id, ip, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
"""


class Way(Protocol):
    """How the request came."""

    @property
    def request_id(self) -> str: ...

    @property
    def ip(self) -> str | None: ...


async def note(
    connection: "PoolConnectionProxy[Any]",
    actor: Actor,
    action: str,
    object_type: str,
    object_id: str,
    *,
    before: Json | None = None,
    after: Json | None = None,
    via: Way | None = None,
    shop_id: str | None = None,
) -> None:
    """Writes an entry in the caller's transaction. before, after: the fields that changed, nothing personal in them."""
    changed = {name: fields for name, fields in (("before", before), ("after", after)) if fields is not None}
    await connection.execute(
        _NOTE,
        actor.id,
        actor.role.value,
        action,
        shop_id,
        object_type,
        object_id,
        via.request_id if via is not None else None,
        via.ip if via is not None else None,
        orjson.dumps(changed).decode() if changed else None,
    )
