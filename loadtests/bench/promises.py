"""What was promised: a command that was acknowledged is in Postgres, with the result that its caller was told."""

from collections.abc import Mapping
from typing import Any

import orjson
from asyncpg import Pool

from barberpro.queue.results import result_of

Json = dict[str, Any]

_DURABLE = """
    SELECT c.command_id, e.data FROM commands c JOIN queue_events e USING (shop_id, shop_seq)
    WHERE c.command_id = ANY ($1::text[])
"""


async def broken_promises(
    pool: "Pool[Any]", acknowledged: Mapping[str, object], refused: Mapping[str, object]
) -> list[str]:
    """A sentence for each command whose result is not what Postgres has, or that is there although it was refused.

    acknowledged: results, refused: reasons, by commandId.
    """
    rows = await pool.fetch(_DURABLE, [*acknowledged, *refused])
    durable = {row["command_id"]: result_of(orjson.loads(row["data"])) for row in rows}
    broken = [
        f"{name} was told {result}, and Postgres has {durable.get(name)}"
        for name, result in acknowledged.items()
        if durable.get(name) != result
    ]
    return broken + [
        f"{name} was refused ({reason}), and Postgres has {durable[name]}"
        for name, reason in refused.items()
        if name in durable
    ]
