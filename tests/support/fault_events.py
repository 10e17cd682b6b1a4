"""A shop's events and a run's history, written by hand and sound: for tests that plant one fault and have it found.

Ann (bb_a) opens, two customers join, one is served, the other is transferred to Bob (bb_b). Event n was committed at
n seconds, its command sent a tenth before and answered a tenth after.
"""

from typing import Any

from loadtests.faults.durable import Durable
from loadtests.faults.facts import booking_facts, display_facts, displayed_facts, queue_facts
from loadtests.faults.replay import Replay

Json = dict[str, Any]
SHOP, DAY = "sh_x", "2026-03-01"
LAST = 7
BARBERS = ["bb_a", "bb_b"]
_EMPTY = {"status": "open", "day": DAY, "lastToken": 0, "completed": 0, "cancelled": 0}


def _event(shop_seq: int, kind: str, barber: str, queue: Json, *changes: Json, ends: bool = True, **more: Any) -> Json:  # noqa: ANN401 - any JSON
    command = {"command": {"id": f"c{shop_seq}", "digest": "d"}} if ends else {}
    return {
        "shopId": SHOP,
        "shopSeq": shop_seq,
        "barberId": barber,
        "seq": queue["seq"],
        "epoch": 1,
        "link": f"l{shop_seq}",
        "upon": f"l{shop_seq - 1}" if shop_seq > 1 else "",
        "type": kind,
        "at": shop_seq * 1000,
        "day": DAY,
        "actor": {"id": "us_1", "role": "customer"},
        "queue": queue,
        "changes": list(changes),
        **command,
        **more,
    }


def booking(number: int, status: str, **more: Any) -> Json:  # noqa: ANN401 - any JSON
    """A change; token and customer by the booking's number."""
    return {
        "bookingId": f"bk_x_{number}",
        "barberId": "bb_a",
        "customerId": f"us_{number}",
        "minutes": 20,
        "status": status,
        "day": DAY,
        "token": number,
        "skips": 0,
        "joinedAt": 1000 + number,
        **more,
    }


def sound_events() -> list[Json]:
    """The seven of them."""
    one, two = "bk_x_1", "bk_x_2"
    ann = {**_EMPTY, "lastToken": 2}
    moved = booking(2, "next", barberId="bb_b", token=1)
    joined: Json = {"bookingId": one, "tokenAllocated": 1, "position": 1}
    return [
        _event(1, "open", "bb_a", {**_EMPTY, "seq": 1}),
        _event(2, "join", "bb_a", {**_EMPTY, "seq": 2, "lastToken": 1, "next": one}, booking(1, "next"), **joined),
        _event(3, "join", "bb_a", {**ann, "seq": 3, "next": one}, booking(2, "waiting", rank=1048576),
               bookingId=two, tokenAllocated=2, position=2),
        _event(4, "start", "bb_a", {**ann, "seq": 4, "serving": one, "next": two},
               booking(1, "serving", startedAt=4000), booking(2, "next"), bookingId=one, position=0),
        _event(5, "complete", "bb_a", {**ann, "seq": 5, "next": two, "completed": 1},
               booking(1, "completed", startedAt=4000, endedAt=5000), bookingId=one),
        _event(6, "transfer", "bb_a", {**ann, "seq": 6, "completed": 1}, moved, bookingId=two, ends=False),
        _event(7, "transfer", "bb_b", {**_EMPTY, "seq": 1, "lastToken": 1, "next": two}, moved,
               bookingId=two, tokenAllocated=1, position=1),
    ]  # fmt: skip


def durable_of(events: list[Json], *, timed: bool = True) -> Durable:
    replay = Replay(SHOP)
    for event in events:
        replay.apply(event, float(event["shopSeq"]) if timed else None)
    return Durable({SHOP: replay}, timed=timed)


def call(number: int, at: float, command: Json, role: str = "barber", user: str = "us_staff") -> Json:
    who = {"client": user, "door": "rest", "role": role, "user": user}
    return {"at": at, "kind": "call", "call": number, **who, "shop": SHOP, "command": command}


def ok(number: int, at: float, data: Json, *, replayed: bool = False) -> Json:
    return {"at": at, "kind": "answer", "call": number, "outcome": "ok", "replayed": replayed, "data": data}


def refused(number: int, at: float, code: str, **details: object) -> Json:
    return {"at": at, "kind": "answer", "call": number, "outcome": "refused", "code": code, "details": details}


def unknown(number: int, at: float) -> Json:
    return {"at": at, "kind": "answer", "call": number, "outcome": "unknown", "why": "cut"}


def seen(room: str, at: float, seq: int, facts: str, epoch: int = 1, client: str = "eye") -> Json:
    place = {"room": room, "full": False, "epoch": epoch, "seq": seq}
    return {"at": at, "kind": "seen", "client": client, **place, "facts": facts}


def _point(barber: str, seq: int) -> Json:
    return {"queue": {"barberId": barber, "epoch": 1, "seq": seq}}


def _told(number: int, status: str, position: int | None) -> Json:
    ahead = max(position - 1, 0) if position is not None else None
    who = {"bookingId": f"bk_x_{number}", "shopId": SHOP, "barberId": "bb_a", "tokenNumber": number}
    told = {"status": status, "position": position, "aheadCount": ahead, "businessDate": DAY, "skipCount": 0}
    return {"booking": {**who, **told}}


def sound_history() -> list[Json]:
    """Every command of the events answered with ok, and states of each kind of room, in the order of time."""
    moved = _told(2, "next", 1)["booking"] | {"barberId": "bb_b", "tokenNumber": 1}
    results: dict[int, Json] = {
        1: _point("bb_a", 1),
        2: {**_told(1, "next", 1), **_point("bb_a", 2)},
        3: {**_told(2, "waiting", 2), **_point("bb_a", 3)},
        4: {**_told(1, "serving", 0), **_point("bb_a", 4)},
        5: {**_told(1, "completed", None), **_point("bb_a", 5)},
        7: {"booking": moved, **_point("bb_b", 1)},
    }
    lines: list[Json] = [{"at": 0.0, "kind": "run", "seed": 1, "seconds": 9, "shops": {SHOP: BARBERS}}]
    for number, data in results.items():
        sent = {"commandId": f"c{number}", "type": sound_events()[number - 1]["type"]}
        lines += [call(number, number - 0.1, sent), ok(number, number + 0.1, data)]
    shown_b, closed_b = (
        displayed_facts("bb_b", "open", "", "1", [], 0),
        displayed_facts("bb_b", "closed", "", "", [], 0),
    )
    lines += [
        seen("queue:bb_a", 3.2, 3, queue_facts(DAY, "open", None, 1, [2], [], 0, 0)),
        seen("queue:bb_a", 6.2, 6, queue_facts(DAY, "open", None, None, [], [], 1, 0)),
        seen("queue:bb_b", 3.2, 0, queue_facts(DAY, "closed", None, None, [], [], 0, 0)),
        seen("booking:bk_x_2", 3.2, 3, booking_facts("bb_a", 2, "waiting", 2, None)),
        seen("booking:bk_x_2", 4.2, 4, booking_facts("bb_a", 2, "next", 1, 1)),
        seen("display:sh_x", 3.2, 3, display_facts([displayed_facts("bb_a", "open", "", "1", ["2"], 1), closed_b])),
        seen("display:sh_x", 7.2, 7, display_facts([displayed_facts("bb_a", "open", "", "", [], 0), shown_b])),
        {"at": 7.9, "kind": "fault", "fault": 1, "name": "kill", "phase": "begun", "on": "valkey"},
        {"at": 8.0, "kind": "fault", "fault": 1, "name": "kill", "phase": "healed", "on": "valkey", "how": "kept"},
        {"at": 9.0, "kind": "calm", "since": 8.0, "seconds": 1.0, "wrong": []},
        {"at": 9.5, "kind": "end"},
    ]
    return sorted(lines, key=lambda line: line["at"])
