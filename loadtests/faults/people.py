"""What the people of a run do: customers come, step back, leave; staff work the lines; screens show them.

They decide by what they see and were told, as people do, so a part of what they ask is refused.
"""

import asyncio
import itertools
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from loadtests.faults.clients import Client

Json = dict[str, Any]

MAX_SERVED_TURNS: Final = 12
_CUSTOMERS: Final = {"step_back": 0.3, "cancel": 0.35, "stay": 0.35}
_STAFF: Final = {
    "advance": 46, "skip": 10, "move": 12, "transfer": 7, "no_show": 4, "recall": 8, "complete": 3, "start": 3,
    "cancel": 3, "pause": 2, "open": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A shop as its people know it."""

    shop_id: str
    barbers: Sequence[str]
    service_id: str


class Pace:
    """How long people think between two requests; nobody asks for anything while they `rest`."""

    def __init__(self, seconds: float) -> None:
        """seconds: the mean."""
        self.seconds = seconds
        self.over = False

    async def think(self) -> None:
        await asyncio.sleep(random.expovariate(1 / self.seconds))


def command(kind: str, **fields: object) -> Json:
    return {"commandId": str(uuid.uuid4()), "type": kind, **fields}


async def customer(client: Client, place: Place, pace: Pace) -> None:
    """Comes in again and again, until the run is over."""
    while not pace.over:
        await pace.think()
        asked = command("join", barberId=random.choice(place.barbers), serviceIds=[place.service_id])
        answer = await client.ask(asked)
        booking_id = _booking_of(answer)
        if booking_id is None:
            continue
        for _ in range(MAX_SERVED_TURNS):
            await pace.think()
            wish = random.choices(list(_CUSTOMERS), list(_CUSTOMERS.values()))[0]
            if wish == "step_back":
                await client.ask(command(wish, bookingId=booking_id, places=random.randint(1, 3)))
            elif wish == "cancel":
                await client.ask(command(wish, bookingId=booking_id))
                break
            else:
                break


def _booking_of(answer: Json) -> str | None:
    """The booking that a join gave, or that stands in its way. None, too, for an answer that makes no sense: an engine
    that was broken on purpose may give one, and whoever judges the run tells of it."""
    if answer["ok"]:
        booking_id: str | None = answer["data"].get("booking", {}).get("bookingId")
        return booking_id
    error = answer["error"]
    return error["details"].get("bookingId") if error["code"] == "ALREADY_IN_QUEUE" else None


class Barber:
    """One of the devices at a chair. eye: a client that sees the queue."""

    def __init__(self, place: Place, barber_id: str, eye: Client) -> None:
        self._place = place
        self._barber_id = barber_id
        self._eye = eye
        self._kinds = list(_STAFF)
        self._shares = list(itertools.accumulate(_STAFF.values()))

    async def work(self, client: Client, pace: Pace) -> None:
        await client.ask(command("open", barberId=self._barber_id))
        while not pace.over:
            await pace.think()
            asked = self._next()
            if asked is not None:
                await client.ask(asked)
            if asked is not None and asked["type"] == "pause":
                await client.ask(command("open", barberId=self._barber_id))

    def _next(self) -> Json | None:
        kind = random.choices(self._kinds, cum_weights=self._shares)[0]
        state = self._eye.view or {}
        if kind in {"pause", "open"}:
            return command(kind, barberId=self._barber_id)
        if kind in {"advance", "start", "complete"}:
            fields: Json = {"barberId": self._barber_id}
            if state and random.random() < 0.5:
                serving = state["serving"]
                fields["expect"] = {"servingBookingId": serving["bookingId"] if serving else None}
            if kind != "start" and random.random() < 0.7:
                fields["payment"] = _payment()
            return command(kind, **fields)
        return self._about_somebody(kind, state)

    def _about_somebody(self, kind: str, state: Json) -> Json | None:
        """A command about one whom the barber sees."""
        shown = {
            "no_show": [state.get("next")],
            "recall": state.get("skipped", []),
            "move": state.get("waiting", []),
            "cancel": [state.get("serving"), *state.get("waiting", [])],
        }
        people = [entry for entry in shown.get(kind, [state.get("next"), *state.get("waiting", [])]) if entry]
        if not people:
            return None
        fields: Json = {"bookingId": random.choice(people)["bookingId"]}
        if kind == "move":
            fields |= {"position": random.randint(2, 2 + len(people)), "reason": "asked for it"}
        elif kind == "transfer":
            others = [barber for barber in self._place.barbers if barber != self._barber_id]
            fields["toBarberId"] = random.choice(others)
        elif kind == "recall":
            fields["to"] = random.choice(("front", "back"))
        return command(kind, **fields)


def _payment() -> Json:
    """What the ledger must have once, if its command had its effect (barberpro/queue/check_ledger.py)."""
    tip = {"tip": f"{random.randint(0, 50)}.5"} if random.random() < 0.3 else {}
    return {"method": random.choice(("cash", "card", "upi")), "amount": f"{random.randint(0, 500)}.00", **tip}
