"""What a real node answered, showed and wrote passes every check of a run with faults; and not one of them is idle."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from barberpro.handlers.realtime.hub import Hub
from barberpro.handlers.realtime.rooms import seat_for
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Actor
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import Node, NodeOptions
from loadtests.faults.check import judge_run
from loadtests.faults.checks import no_trace
from loadtests.faults.durable import read_durable
from loadtests.faults.verdict import judge
from tests.model.calendar import local_noon_zone, turn_day
from tests.support.fault_notes import Notes
from tests.support.faults import forget_everything
from tests.support.live_server import live_server
from tests.support.shops import TestShop, customer, new_id, send

Json = dict[str, Any]
CAPACITY = 5


@pytest.fixture
async def timed_stores(own_stores: EmbeddedServices) -> EmbeddedServices:
    """Stores whose Postgres remembers when it committed what."""
    connection = await asyncpg.connect(own_stores.urls.database_url)
    await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await connection.close()
    await own_stores.postgres.stop()
    await own_stores.postgres.start()
    return own_stores


def booking_of(answer: Json) -> str:
    booking_id: str = answer["data"]["booking"]["bookingId"]
    return booking_id


def hours_ahead(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


async def a_morning(notes: Notes, shop: TestShop) -> list[str]:
    """Lines open, fill and move; returns the bookings that came first."""
    first, second = shop.barbers
    ann, bob = shop.staff
    await notes.ask(customer(1), **shop.join())
    await notes.ask(ann, type="start", barberId=first)
    await notes.ask(ann, type="complete", barberId=first)
    await notes.ask(ann, type="advance", barberId=first)
    for _ in range(2):
        await notes.ask(ann, type="open", barberId=first)
    await notes.ask(bob, type="open", barberId=second)
    came = [booking_of(await notes.ask(customer(number), **shop.join())) for number in range(CAPACITY)]
    await notes.ask(customer(1), **shop.join())
    await notes.ask(customer(9), **shop.join())
    await notes.ask(ann, type="start", bookingId=came[1])
    await notes.ask(ann, type="start", barberId=first)
    await notes.ask(ann, type="start", barberId=first)
    await notes.ask(ann, type="complete", barberId=first, payment={"method": "cash", "amount": "250.00"})
    await notes.ask(ann, type="advance", barberId=first, expect={"servingBookingId": None})
    await notes.ask(ann, type="advance", barberId=first, expect={"servingBookingId": None})
    await notes.ask(ann, type="advance", barberId=first, expect={"seq": 3})
    return came


async def the_line_moves(notes: Notes, shop: TestShop, came: list[str]) -> None:
    first, second = shop.barbers
    ann, _ = shop.staff
    await notes.ask(ann, type="skip", bookingId=came[2])
    await notes.ask(customer(2), type="step_back", bookingId=came[2], places=1)
    await notes.ask(ann, type="move", bookingId=came[2], position=2, reason="asked for it")
    await notes.ask(ann, type="no_show", bookingId=came[3])
    await notes.ask(ann, type="recall", bookingId=came[3], to="back")
    await notes.ask(ann, type="recall", bookingId=came[3], to="front")
    await notes.ask(ann, type="transfer", bookingId=came[3], toBarberId=first)
    await notes.ask(ann, type="transfer", bookingId=came[3], toBarberId=second)
    await notes.ask(customer(4), type="cancel", bookingId=came[3])
    await notes.ask(customer(4), type="cancel", bookingId=came[4])
    await notes.ask(customer(4), type="cancel", bookingId=came[4])
    await notes.ask(ann, type="pause", barberId=first, reason="tea")
    await notes.ask(ann, type="pause", barberId=first)
    await notes.ask(customer(9), **shop.join())


async def appointments(notes: Notes, shop: TestShop) -> None:
    first = shop.barbers[0]
    fields: Json = {"type": "schedule", "barberId": first, "serviceIds": [shop.service]}
    soon, later, tomorrow = [
        booking_of(await notes.ask(customer(number), **fields, at=hours_ahead(hours)))
        for number, hours in ((10, 1), (11, 2), (12, 24))
    ]
    await notes.ask(customer(11), type="reschedule", bookingId=later, at=hours_ahead(3))
    await notes.ask(customer(10), type="check_in", bookingId=soon)
    await notes.ask(customer(10), type="check_in", bookingId=soon)
    await notes.ask(customer(12), type="check_in", bookingId=tomorrow)
    await notes.ask(customer(12), type="cancel", bookingId=tomorrow)


async def the_same_again(notes: Notes, shop: TestShop) -> None:
    opening = {"commandId": new_id(), "type": "open", "barberId": shop.barbers[0]}
    for _ in range(2):
        assert (await notes.ask(shop.staff[0], **opening))["outcome"] == "ok"
    await notes.ask(shop.staff[0], **{**opening, "type": "pause"})


async def the_evening(notes: Notes, shop: TestShop) -> None:
    for barber, actor in zip(shop.barbers, shop.staff, strict=True):
        await notes.ask(actor, type="close", barberId=barber, waiting="cancel")
        await notes.ask(actor, type="close", barberId=barber, waiting="cancel")
    notes.write("fault", fault=1, name="FLUSHALL", phase="begun", on="valkey")
    notes.write("calm", since=notes.lines[-1]["at"], seconds=0.5, wrong=[])
    notes.write("end")


async def test_a_real_day_passes_every_check(timed_stores: EmbeddedServices, tmp_path: Path) -> None:
    urls = timed_stores.urls
    async with live_server(NodeOptions(urls.database_url, urls.redis_url), tmp_path) as server:
        node, services = server.node, server.running.app[SERVICES]
        zone = local_noon_zone(datetime.now(UTC))
        shop = await TestShop.create(node, zone=zone, queue_capacity=CAPACITY)
        notes, hub = Notes(node, shop), Hub(services, requote_seconds=3600)
        hub.start()

        async def watch(actor: Actor, kind: RoomKind, subject: str) -> None:
            room = await hub.enter(seat := await seat_for(services, actor, Room(kind, subject)), notes)
            notes.seen(seat.channel, dict(room.state(services)))

        for barber in shop.barbers:
            await watch(customer(1), RoomKind.QUEUE, barber)
            await watch(shop.staff[0], RoomKind.QUEUE, barber)
        await watch(customer(1), RoomKind.DISPLAY, shop.shop_id)
        came = await a_morning(notes, shop)
        for number, booking_id in enumerate(came):
            await watch(customer(number), RoomKind.BOOKING, booking_id)
        await the_line_moves(notes, shop, came)
        await forget_everything(node.redis)
        await the_same_again(notes, shop)
        await appointments(notes, shop)
        await the_evening(notes, shop)
        await hub.close()
    history = tmp_path / "history.jsonl"
    await asyncio.to_thread(history.write_bytes, b"\n".join(map(orjson.dumps, notes.lines)))
    verdict = await judge_run(history, urls.database_url)
    assert [told for check in verdict.checks.values() for told in check.kept] == []
    assert verdict.kept
    assert verdict.timed
    # Here every outcome is known.
    assert [name for name, check in verdict.checks.items() if not check.looked] == [no_trace.ONE_ANSWER]
    assert verdict.totals.seen > 20
    assert set(verdict.totals.refusals) == {
        "ALREADY_IN_QUEUE", "IDEMPOTENCY_MISMATCH", "INVALID_TRANSITION", "NOT_FOUND", "QUEUE_CLOSED", "QUEUE_FULL",
        "QUEUE_PAUSED", "STALE_STATE",
    }  # fmt: skip
    assert verdict.totals.not_judged == {}


async def test_the_turn_of_a_day_is_played_again(node: Node) -> None:
    shop = await TestShop.create(node, zone=local_noon_zone(datetime.now(UTC)))
    await shop.open(node)
    came = await shop.fill(node, 3)
    await send(node, shop.staff[0], type="no_show", bookingId=came[0])
    await turn_day(node, shop.shop_id)
    await shop.open(node)
    assert (await shop.fill(node, 1, first=7)) != []
    durable = await read_durable(node.pool, [shop.shop_id])
    replay = durable.shops[shop.shop_id]
    assert "day_started" in {event.type for event in replay.happened.values()}
    assert (durable.broken, replay.broken, durable.timed) == ([], [], False)
    assert judge([{"kind": "end", "at": 0.0}], durable).kept
