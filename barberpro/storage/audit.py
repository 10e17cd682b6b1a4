"""The audit log: what was done that is no event of a queue is noted; both are searched as one (decision 17)."""

from typing import Any, Final

import orjson

from barberpro.protocol.actors import Actor, Via
from barberpro.storage.postgres import AnyConnection

Json = dict[str, Any]

_NOTE: Final = """
    INSERT INTO audit_entries (actor_id, actor_role, action, shop_id, object_type, object_id, request_id, ip, agent,
                               before, after)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11::text::jsonb)
"""
PERSONAL: Final = frozenset(
    {"name", "email", "phone", "address", "bankAccount", "taxId", "birthday", "notes", "password", "photoUrl"}
)
HIDDEN: Final = "(personal)"


async def note(
    connection: AnyConnection,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: str,
    *,
    before: Json | None = None,
    after: Json | None = None,
    via: Via | None = None,
    shop_id: str | None = None,
) -> None:
    """Writes an entry in the caller's transaction: what is done and that it was done are committed together.

    action: `staff.added`, what was done to an object of a type. before, after: the fields that changed, by their names
    on the wire. The log is append-only and people may ask to be forgotten, so of a personal field it keeps only that
    it changed. shop_id: the shop it is about, when it is about one.
    """
    how = via or Via("")
    await connection.execute(
        _NOTE,
        actor.id,
        actor.role.value,
        action,
        shop_id,
        object_type,
        object_id,
        how.request_id or None,
        how.ip,
        how.agent,
        _kept(before),
        _kept(after),
    )


def _kept(fields: Json | None) -> str | None:
    return orjson.dumps(_without_personal(fields)).decode() if fields is not None else None


def _without_personal(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in PERSONAL and inner is not None else _without_personal(inner)
            for name, inner in value.items()
        }
    return [_without_personal(inner) for inner in value] if isinstance(value, list) else value
