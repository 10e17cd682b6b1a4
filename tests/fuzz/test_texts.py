"""Names, notes and reasons in any script come out of Redis and Postgres as they went in, or are refused by name."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barberpro.protocol.commands import AnyCommand, parse_command
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.server.node import Node
from tests.fuzz.documents import texts
from tests.fuzz.effort import examples
from tests.support.shops import ADMIN, VIA, Json, TestShop, new_id

ODD = st.sampled_from(
    [
        "\\", '"', "\\u0000", "\\u202e", "</script>", "\x7f", "\u0085", "a\u200bb", "क\u094d\u200dष", "👩\u200d🦰",
        "\uffffx", "x\U0010ffff", "ﷺ" * 80, "  padded  ", "e\u0301", "é", "I\u0307", "%s %d {0} $1", "'||chr(0)||'",
        "]]>", "|", "a|b|c", "\u00a0x\u00a0", "😀" * 80,
    ]
)  # fmt: skip
BORN = 'SELECT customer_name AS "customerName", notes FROM bookings WHERE booking_id = $1'
REASON = (
    "SELECT data ->> 'reason', pause_reason FROM queue_events JOIN queues USING (barber_id)"
    " WHERE barber_id = $1 AND queue_events.seq = $2"
)
words = texts | ODD | st.text(min_size=1, max_size=90)


def taken(name: str, document: Json) -> AnyCommand | None:
    """The command; None when it is refused for the field of this name, the only one that it may be refused for."""
    try:
        return parse_command({"commandId": new_id(), **document})
    except BarberProError as error:
        fields = error.details["fields"]
    assert [field["path"] for field in fields] == [name]
    return None


@pytest.fixture
async def shop(node: Node) -> TestShop:
    shop = await TestShop.create(node)
    await shop.open(node)
    return shop


async def done(node: Node, command: AnyCommand) -> Result:
    """The command's result, which it has a second time, too."""
    result = await node.engine.submit(ADMIN, command, VIA)
    again = await node.engine.submit(ADMIN, command, VIA)
    assert (result.replayed, again.replayed, again.data) == (False, True, result.data)
    return result


@examples(60)
@given(name=words, notes=words)
async def test_what_a_booking_is_born_with_comes_out_as_it_went_in(
    node: Node, shop: TestShop, name: str, notes: str
) -> None:
    named = taken("customer.name", shop.join(customer={"name": name}))
    noted = taken("notes", shop.join(notes=notes))
    for command, told in ((named, {"customerName": name.strip()}), (noted, {"notes": notes.strip()})):
        if command is None:
            continue
        booking = (await done(node, command)).data["booking"]["bookingId"]
        view = await node.views.shop(shop.shop_id)
        row = await node.pool.fetchrow(BORN, booking)
        assert row is not None
        assert dict(row) == {"customerName": None, "notes": None, **told}
        assert view.born[booking].items() >= told.items()
        cancel = taken("", {"type": "cancel", "bookingId": booking})
        assert cancel is not None
        await done(node, cancel)


@examples(60)
@given(reason=words)
async def test_a_reason_comes_out_as_it_went_in(node: Node, shop: TestShop, reason: str) -> None:
    pause = taken("reason", {"type": "pause", "barberId": shop.barbers[0], "reason": reason})
    if pause is None:
        return
    at = (await done(node, pause)).data["queue"]["seq"]
    row = await node.pool.fetchrow(REASON, shop.barbers[0], at)
    assert row is not None
    shard = node.keys.shard_of(shop.shop_id)
    redis = node.redis.of(shard)
    generation = node.keys.generation(shard, int(await redis.get(node.keys.epoch(shard)) or 0))
    kept = orjson.loads(await redis.hget(f"{generation}shop:{shop.shop_id}", f"q:{shop.barbers[0]}") or b"{}")
    view = await node.views.shop(shop.shop_id)
    shown = view.queues[shop.barbers[0]].doc["pauseReason"]
    assert {*row, kept["pauseReason"], shown} == {reason.strip()}
    reopen = taken("", {"type": "open", "barberId": shop.barbers[0]})
    assert reopen is not None
    await done(node, reopen)
    assert await compare(node.pool, node.redis, node.keys) == []
