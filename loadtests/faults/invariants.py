"""The invariants 1 to 5 of the state machine (docs/state-machine.md), held against one event after the other.

Number 6, that the rows are what the events make of them, is held at the end: rows.py.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from loadtests.faults.finding import Finding, clock
from loadtests.faults.history import Json

if TYPE_CHECKING:
    from loadtests.faults.replay import Replay

TOKENS: Final = "invariant 1: tokens"
CHAIR: Final = "invariant 2: one served, one next"
PLACES: Final = "invariant 3: one place each"
COUNTERS: Final = "invariant 4: counters"
ENDS: Final = "invariant 5: the end is the end"
FOLD: Final = "invariant 6: the fold"
INVARIANTS: Final = (TOKENS, CHAIR, PLACES, COUNTERS, ENDS, FOLD)
_LIVE: Final = ("waiting", "next", "serving")
_WAYS: Final = {
    None: {"scheduled", "waiting", "next"},
    "scheduled": {"scheduled", "waiting", "next", "cancelled"},
    "waiting": {"waiting", "next", "skipped", "cancelled"},
    "next": {"waiting", "next", "serving", "skipped", "cancelled"},
    "serving": {"completed", "cancelled"},
    "skipped": {"waiting", "next", "skipped"},
    "completed": {"completed"},
    "cancelled": {"cancelled"},
}
"""To which statuses an event may take a booking."""


def broken_by(replay: "Replay", event: Json, before: Json, was: dict[str, Json]) -> list[Finding]:
    """replay: with the event's changes in it. before: the queue before it. was: the changed bookings before it."""
    where = f"{event['shopId']} event {event['shopSeq']} ({event['type']} at {clock(event['at'] / 1000)})"
    told = [
        *((TOKENS, each) for each in _tokens(replay, event, before)),
        *((CHAIR, each) for each in _chair(replay, event)),
        *((PLACES, each) for each in _places(replay, event, was)),
        *((COUNTERS, each) for each in _counters(replay, event, before)),
        *((ENDS, each) for each in _ways(event, was)),
        *((FOLD, each) for each in _counts(event, before, was)),
    ]
    return [Finding(name, f"{where}: {each}") for name, each in told]


def _tokens(replay: "Replay", event: Json, before: Json) -> Iterator[str]:
    barber, queue = event["barberId"], event["queue"]
    for change in event["changes"]:
        if "token" not in change:
            continue
        key = (change["barberId"], change["day"], change["token"])
        owner = replay.tokens.setdefault(key, change["bookingId"])
        if owner != change["bookingId"]:
            yield f"token {key[2]} of {key[0]} on {key[1]} is {owner}'s and {change['bookingId']}'s"
    last = before["lastToken"] if queue["day"] == before["day"] else 0
    given = event.get("tokenAllocated")
    if given is not None and (given <= last or (last == 0 and given != 1)):
        yield f"{barber} gave token {given} after {last}"
    if queue["lastToken"] != (given or last):
        yield f"{barber} says its last token is {queue['lastToken']}, not {given or last}"


def _chair(replay: "Replay", event: Json) -> Iterator[str]:
    place = replay.queues[event["barberId"]]
    for status in ("serving", "next"):
        said = event["queue"].get(status)
        if place.held[status] != ({said} if said else set()):
            yield f"{event['barberId']} says {status} is {said}, its bookings say {sorted(place.held[status])}"
    if place.waiting and "next" not in event["queue"]:
        yield f"{len(place.waiting)} wait for {event['barberId']} and nobody is next"


def _places(replay: "Replay", event: Json, was: dict[str, Json]) -> Iterator[str]:
    place = replay.queues[event["barberId"]]
    if len(set(place.waiting.values())) < len(place.waiting):
        yield f"two who wait for {event['barberId']} have one rank"
    for change in event["changes"]:
        booking_id, customer = change["bookingId"], change.get("customerId")
        if event["barberId"] not in {change["barberId"], was.get(booking_id, change)["barberId"]}:
            yield f"{booking_id} is at {change['barberId']}, and an event of {event['barberId']} changed it"
        claims = replay.live_of.get(customer, []) if customer else []
        if len(claims) > 1 and claims[-1] == (event["shopSeq"], booking_id) and (other := claims[-2][1]) is not None:
            yield f"{customer} is in line as {other} and as {booking_id}"
    told, booking_id = event.get("position"), event.get("bookingId")
    if "command" in event and booking_id is not None and told != (found := _position(replay, booking_id)):
        yield f"{booking_id} is said to be at {told}, and is at {found}"


def _position(replay: "Replay", booking_id: str) -> int | None:
    life = replay.lives.get(booking_id)
    if life is None or life.last["status"] not in _LIVE:
        return None
    if life.last["status"] == "waiting":
        return replay.queues[life.last["barberId"]].order().index(booking_id) + 2
    return int(life.last["status"] == "next")


def _counters(replay: "Replay", event: Json, before: Json) -> Iterator[str]:
    if event["shopSeq"] != replay.last + 1:
        yield f"it follows event {replay.last}"
    if event["seq"] != before["seq"] + 1 or event["queue"]["seq"] != event["seq"]:
        yield f"{event['barberId']} went from seq {before['seq']} to {event['seq']} ({event['queue']['seq']})"
    if event["epoch"] < replay.epoch:
        yield f"its epoch is {event['epoch']}, after {replay.epoch}"
    if event["upon"] != replay.link:
        yield f"it was made upon {event['upon']!r}, and the event before it is {replay.link!r}"
    if "command" in event and event["command"]["id"] in replay.commands:
        yield f"command {event['command']['id']} was concluded by event {replay.commands[event['command']['id']]}"


def _ways(event: Json, was: dict[str, Json]) -> Iterator[str]:
    for change in event["changes"]:
        old = was.get(change["bookingId"])
        if change["status"] not in _WAYS[old["status"] if old else None]:
            yield f"{change['bookingId']} went from {old['status'] if old else None} to {change['status']}"
        elif old and "endedAt" in old and {**old, "payment": None} != {**change, "payment": None}:
            yield f"{change['bookingId']} had ended as {old['status']}, and was changed"


def _counts(event: Json, before: Json, was: dict[str, Json]) -> Iterator[str]:
    for status in ("completed", "cancelled"):
        if event["type"] == "day_started":
            expected = 0
        else:
            expected = before[status] + sum(_counted(change, was, status) for change in event["changes"])
        if event["queue"][status] != expected:
            yield f"{event['barberId']} counts {event['queue'][status]} {status}, not {expected}"


def _counted(change: Json, was: dict[str, Json], status: str) -> bool:
    """An appointment that is cancelled was never in the line, and is not counted."""
    old = was.get(change["bookingId"])
    return bool(change["status"] == status and old and old["status"] not in {status, "scheduled"})
