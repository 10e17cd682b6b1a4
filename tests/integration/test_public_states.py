"""The watch over public states sees what it has to, and every test's server is under it."""

from collections.abc import Callable
from typing import Any

import pytest

from barberpro.queue import states
from barberpro.queue.states import StateBuilder
from barberpro.server.node import NodeOptions
from tests.support.public_states import QUEUE, WATCH, leaks
from tests.support.shops import Json, customer
from tests.support.socket_door import NAME, NEXT, NOTES, WHY, SocketDoor, private_line, socket_door

ENTRY = {"tokenNumber": 1, "status": "next", "position": 1, "estimatedWait": {"p50Minutes": 0, "p90Minutes": 0}}


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"next": ENTRY, "waiting": [ENTRY], "status": "open"}, []),
        ({"next": {**ENTRY, "notes": None}}, [".next.notes"]),
        ({"waiting": [ENTRY, {**ENTRY, "bookingId": "bk_1"}]}, [".waiting[].bookingId"]),
        ({"price": "250.00"}, [".price"]),
        ({"status": {"customerName": "Ann"}}, [".status is an object"]),
        ({"status": f"with {NAME}"}, [f".status tells {NAME!r}"]),
        ({"status": "Ann"}, [".status tells 'Ann'"]),
        ({"status": "Annual"}, []),
    ],
)
def test_a_stray_key_and_a_private_word_are_found_wherever_they_are(state: Json, found: list[str]) -> None:
    assert leaks(QUEUE, state, ["Ann", NAME]) == found


def tells(document: Json) -> Callable[..., Any]:
    """An entry's maker that adds this to each."""
    made = StateBuilder._public
    return staticmethod(lambda *given: None if (entry := made(*given)) is None else {**entry, **document})


async def shown(door: SocketDoor) -> None:
    """A customer watches a line of people with secrets, and a shop's screen, while it changes."""
    watcher = await door.connect(customer(99))
    await watcher.subscribe(door.room())
    await watcher.subscribe(f"display:{door.shop.shop_id}")
    bookings = await private_line(door)
    await watcher.hears("queue_updated", lambda state: (state["cause"] or {}).get("type") == "cancel")
    await (await door.connect(customer(NEXT))).subscribe(f"booking:{bookings[NEXT]}")


async def test_whatever_a_server_gives_away_is_found(
    database_url: str, redis_url: str, redis_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause_of = states.cause_of
    for name, leaky, words in (
        (
            "_public",
            tells({"customerName": "somebody"}),
            ("queue_updated.next.customerName", "display_updated.queues[]"),
        ),
        ("_public", tells({"status": NOTES}), (f"queue_updated.next.status tells {NOTES!r}",)),
        ("cause_of", lambda event, full: cause_of(event, full=True), ("reason is a customer's", f"tells {WHY!r}")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(StateBuilder if name == "_public" else states, name, leaky)
            async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
                await shown(door)
        found = WATCH.take()
        for word in words:
            assert any(word in each for each in found), (word, found[:5])


async def test_what_a_server_does_give_is_looked_at(database_url: str, redis_url: str, redis_prefix: str) -> None:
    before = WATCH.seen
    async with socket_door(NodeOptions(database_url, redis_url, redis_prefix)) as door:
        await shown(door)
    assert WATCH.seen > before + 10
    assert WATCH.take() == []
