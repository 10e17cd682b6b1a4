"""A shop as it stands in Redis at one instant, and how that differs from what it should be."""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from barberpro.queue.fold import ShopState
from barberpro.queue.gateway import RedisClient

Json = dict[str, Any]

_OF_A_BARBER: Final = 4  # keys that read_memory reads for each


@dataclass(slots=True)
class Memory:
    """events: the shop's, that wait for their commit. lines, appointments: rank and time by booking.

    link: of the event shop_seq, the shop's last one.
    """

    shop_seq: int
    link: str
    events: list[Json]
    live: dict[str, str]
    timers: dict[str, int]
    queues: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: dict[str, set[str]] = field(default_factory=dict)
    appointments: dict[str, dict[str, int]] = field(default_factory=dict)
    bookings: dict[str, Json] = field(default_factory=dict)


async def read_memory(redis: RedisClient, root: str, shop_id: str, barbers: list[str], ids: list[str]) -> Memory:
    """Everything of the shop in the generation `root`, in one transaction. ids: of the bookings to read."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.hget(f"{root}seqs", shop_id)
    pipeline.xrange(f"{root}events")
    pipeline.hgetall(f"{root}live:{shop_id}")
    pipeline.zrange(f"{root}timers", 0, -1, withscores=True)
    for barber in barbers:
        pipeline.get(f"{root}queue:{barber}")
        pipeline.zrange(f"{root}line:{barber}", 0, -1, withscores=True)
        pipeline.smembers(f"{root}skipped:{barber}")
        pipeline.zrange(f"{root}appointments:{barber}", 0, -1, withscores=True)
    for booking_id in ids:
        pipeline.get(f"{root}booking:{booking_id}")
    answers: list[Any] = await pipeline.execute()
    seq, stream, live, timers, *rest = answers
    shop_seq, _, link = (seq or b"0 ").decode().partition(" ")
    memory = Memory(
        shop_seq=int(shop_seq),
        link=link,
        events=[orjson.loads(fields[b"e"]) for _, fields in stream if fields[b"s"].decode() == shop_id],
        live={customer.decode(): booking.decode() for customer, booking in live.items()},
        timers=_scores(timers),
    )
    for index, barber in enumerate(barbers):
        queue, line, skipped, booked = rest[_OF_A_BARBER * index : _OF_A_BARBER * (index + 1)]
        if queue is not None:
            memory.queues[barber] = orjson.loads(queue)
        memory.lines[barber] = _scores(line)
        memory.skipped[barber] = {member.decode() for member in skipped}
        memory.appointments[barber] = _scores(booked)
    for booking_id, booking in zip(ids, rest[_OF_A_BARBER * len(barbers) :], strict=True):
        if booking is not None:
            memory.bookings[booking_id] = orjson.loads(booking)
    return memory


def _scores(members: list[tuple[bytes, float]]) -> dict[str, int]:
    return {member.decode(): int(score) for member, score in members}


def differences(state: ShopState, memory: Memory) -> list[str]:
    """How Redis differs from `state`, which is at the same event."""
    found = _unlike("booking", state.bookings, memory.bookings)
    found += _unlike("queue", {barber: queue.doc for barber, queue in state.queues.items()}, memory.queues)
    live = {
        booking["customerId"]: booking["bookingId"]
        for booking in state.bookings.values()
        if "customerId" in booking and booking["status"] in {"waiting", "next", "serving"}
    }
    found += _unlike("live booking of", live, memory.live)
    for barber in memory.lines:
        queue = state.queues.get(barber)
        line = {booking: queue.waiting[booking] for booking in queue.order()} if queue else {}
        if list(line.items()) != list(memory.lines[barber].items()):
            found.append(f"line {barber}: {line} expected, Redis has {memory.lines[barber]}")
        skipped = set(queue.skipped) if queue else set()
        if skipped != memory.skipped[barber]:
            found.append(f"skipped {barber}: {skipped} expected, Redis has {memory.skipped[barber]}")
        found += _unlike(f"appointments {barber},", _appointments(state, barber), memory.appointments[barber])
    return found + _missing_timers(state, memory)


def _appointments(state: ShopState, barber: str) -> dict[str, int]:
    return {
        booking["bookingId"]: booking["appointmentAt"]
        for booking in state.bookings.values()
        if booking["status"] == "scheduled" and booking["barberId"] == barber
    }


def _missing_timers(state: ShopState, memory: Memory) -> list[str]:
    """Timers that must be there. One too many does no harm: its script looks whether it is due."""
    found = []
    for barber, queue in state.queues.items():
        due = queue.doc.get("graceDueAt")
        if due is not None and memory.timers.get(f"grace|{state.shop_id}|{barber}") != due:
            found.append(f"timer grace {barber}: due at {due}, and Redis does not have it")
        used = queue.doc["status"] != "closed" or queue.serving or queue.next or queue.waiting
        if used and f"day|{state.shop_id}|{barber}" not in memory.timers:
            found.append(f"timer day {barber}: Redis does not have it")
    return found + [
        f"timer late {name}: Redis does not have it"
        for name, booking in state.bookings.items()
        if booking["status"] == "scheduled" and f"late|{state.shop_id}|{name}" not in memory.timers
    ]


def _unlike(what: str, expected: dict[str, Any], actual: dict[str, Any]) -> list[str]:
    return [
        f"{what} {name}: {expected.get(name)} expected, Redis has {actual.get(name)}"
        for name in sorted(expected.keys() | actual.keys())
        if expected.get(name) != actual.get(name)
    ]
