"""A shop as it stands in Redis at one instant, and how that differs from what it should be."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from barberpro.queue.check_history import told_twice
from barberpro.queue.fold import ShopState
from barberpro.queue.gateway import RedisClient
from barberpro.queue.recovery import parse_mark

Json = dict[str, Any]

_DAY_SECONDS: Final = 86_400
_OF_A_BARBER: Final = 3  # keys that read_memory reads for each


@dataclass(slots=True)
class Memory:
    """events: the shop's, that wait for their commit. lines, appointments: rank and time by booking.

    link: of the event shop_seq, the shop's last one. commands: what is remembered of each that had an effect, by its
    id.
    """

    shop_seq: int
    link: str
    events: list[Json]
    live: dict[str, str]
    commands: dict[str, str]
    timers: dict[str, int]
    queues: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    skipped: dict[str, set[str]] = field(default_factory=dict)
    appointments: dict[str, dict[str, int]] = field(default_factory=dict)
    bookings: dict[str, Json] = field(default_factory=dict)


async def read_memory(redis: RedisClient, root: str, shop_id: str, barbers: list[str]) -> Memory:
    """Everything of the shop in the generation `root`, in one transaction."""
    seconds, _ = await redis.time()
    today = seconds // _DAY_SECONDS
    pipeline = redis.pipeline(transaction=True)
    for day in (today - 1, today, today + 1):  # it may become tomorrow meanwhile
        pipeline.hgetall(f"{root}commands:{shop_id}:{day}")
    pipeline.hgetall(f"{root}shop:{shop_id}")
    pipeline.xrange(f"{root}events")
    pipeline.zrange(f"{root}timers", 0, -1, withscores=True)
    for barber in barbers:
        pipeline.zrange(f"{root}line:{barber}", 0, -1, withscores=True)
        pipeline.smembers(f"{root}skipped:{barber}")
        pipeline.zrange(f"{root}appointments:{barber}", 0, -1, withscores=True)
    answers: list[Any] = await pipeline.execute()
    commands = answers[0] | answers[1] | answers[2]
    fields, stream, timers, *rest = answers[3:]
    shop_seq, link = parse_mark(fields.pop(b"seq", None))
    memory = Memory(
        shop_seq=shop_seq,
        link=link,
        events=[event for event in (orjson.loads(entry[b"e"]) for _, entry in stream) if event["shopId"] == shop_id],
        live={name: value.decode() for name, value in _named(fields, b"l:")},
        commands={name.decode(): value.decode() for name, value in commands.items() if b" refused " not in value},
        timers=_scores(timers),
        queues={name: orjson.loads(value) for name, value in _named(fields, b"q:")},
        bookings={name: orjson.loads(value) for name, value in _named(fields, b"b:")},
    )
    for index, barber in enumerate(barbers):
        line, skipped, booked = rest[_OF_A_BARBER * index : _OF_A_BARBER * (index + 1)]
        memory.lines[barber] = _scores(line)
        memory.skipped[barber] = {member.decode() for member in skipped}
        memory.appointments[barber] = _scores(booked)
    return memory


def _named(fields: dict[bytes, bytes], kind: bytes) -> Iterator[tuple[str, bytes]]:
    for name, value in fields.items():
        if name.startswith(kind):
            yield name[len(kind) :].decode(), value


def _scores(members: list[tuple[bytes, float]]) -> dict[str, int]:
    return {member.decode(): int(score) for member, score in members}


def differences(state: ShopState, memory: Memory) -> list[str]:
    """How Redis differs from `state`, which is at the same event."""
    found = _unlike("booking", state.bookings, memory.bookings)
    docs = {barber: told_twice(queue.doc) for barber, queue in state.queues.items()}
    found += _unlike("queue", docs, {barber: told_twice(doc) for barber, doc in memory.queues.items()})
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
