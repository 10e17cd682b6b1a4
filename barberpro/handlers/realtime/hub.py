"""The hub: after each change, every room that somebody here watches gets its newest state, made once per audience.

Several changes that gathered before a room's turn go as one message: states are absolute, the newest replaces the rest.
While many commands wait for their answers, the hub rests after each round, so that more gather.
Waits change with time alone, so rooms are shown anew each minute, too.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import structlog

from barberpro.handlers.metrics import SHOWN_SECONDS, DoorName
from barberpro.handlers.realtime.messages import Message
from barberpro.handlers.realtime.outlet import Outlet
from barberpro.handlers.realtime.rooms import RoomView, Seat, prepare
from barberpro.handlers.services import Services
from barberpro.protocol.rooms import RoomKind
from barberpro.queue.fold import Json, ShopState
from barberpro.queue.pulse import Pulse
from barberpro.queue.states import Line
from barberpro.storage.postgres import Away
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 500
"""Outlets that are written to before the loop has another turn."""
_MANY: Final = 32
"""Commands under way: with more, answers go first."""
_REST: Final = 10.0
"""How long nothing is shown then after a round of showing, as a multiple of what that took."""
_LONGEST_REST_SECONDS: Final = 0.05


@dataclass(slots=True)
class _Watched:
    room: RoomView
    outlets: dict[Outlet, None] = field(default_factory=dict)
    left: int = 0
    """How many have given their places up."""


@dataclass(slots=True)
class _Change:
    """What of a shop is to be shown. since: when the first of its events came (perf_counter); None without any."""

    barbers: set[str] = field(default_factory=set)
    since: float | None = None


class Hub:
    """The rooms of one node."""

    def __init__(self, services: Services, requote_seconds: float) -> None:
        self._services = services
        self._requote_seconds = requote_seconds
        self._watched: dict[str, dict[str, _Watched]] = {}
        self._dirty: dict[str, _Change] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.pulse = Pulse()
        """A shop whose rooms were shown is a sign of life; none is due while nothing has changed."""

    def start(self) -> None:
        self._services.views.listeners.append(self._changed)
        self._tasks = [
            asyncio.create_task(self._run(), name="hub"),
            asyncio.create_task(self._requote(), name="hub-requote"),
        ]
        self.pulse.carried_by(*self._tasks)

    async def close(self) -> None:
        await end(self._tasks)

    async def enter(self, seat: Seat, outlet: Outlet) -> RoomView:
        """Takes a place for the outlet; the room's later states are offered to it until `leave`. Raises NOT_FOUND.

        Whoever reads the first state from what this returns before it awaits anything else misses none between.
        """
        room = await prepare(self._services, seat)
        watched = self._watched.setdefault(seat.shop_id, {}).setdefault(seat.channel, _Watched(room))
        watched.room = room
        if outlet not in watched.outlets:
            watched.outlets[outlet] = None
            self._services.views.hold(seat.shop_id)
        return room

    def leave(self, seat: Seat, outlet: Outlet) -> None:
        """Gives the place up, if the outlet has it."""
        seats = self._watched.get(seat.shop_id, {})
        watched = seats.get(seat.channel)
        if watched is None or outlet not in watched.outlets:
            return
        del watched.outlets[outlet]
        watched.left += 1
        outlet.forget(seat.channel)
        self._services.views.release(seat.shop_id)
        if not watched.outlets:
            del seats[seat.channel]
        if not seats:
            del self._watched[seat.shop_id]

    def seats(self) -> Counter[tuple[DoorName, RoomKind]]:
        """How many outlets of each door sit in rooms of each kind."""
        watched = [watched for seats in self._watched.values() for watched in seats.values()]
        return Counter((outlet.door, each.room.seat.room.kind) for each in watched for outlet in each.outlets)

    def _changed(self, state: ShopState, barbers: set[str], events: Sequence[Json]) -> None:
        if state.shop_id in self._watched:
            change = self._dirty.setdefault(state.shop_id, _Change())
            change.barbers |= barbers
            if events and change.since is None:
                change.since = perf_counter()
            self._wake.set()
            self.pulse.due()

    async def _requote(self) -> None:
        while True:
            await asyncio.sleep(self._requote_seconds)
            for shop_id in list(self._watched):
                with contextlib.suppress(*Away):  # a view that had to be read anew: it comes with the next change
                    state = await self._services.views.shop(shop_id)
                    self._changed(state, set(state.queues), [])

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = perf_counter()
            dirty, self._dirty = self._dirty, {}
            for shop_id, change in dirty.items():
                try:
                    await self._show(shop_id, change.barbers)
                    if change.since is not None:
                        SHOWN_SECONDS.observe(perf_counter() - change.since)
                except Exception:
                    log.exception("rooms_not_shown", shop_id=shop_id)
                self.pulse.beat()
            if not self._dirty:
                self.pulse.rest()
            await self._rest(perf_counter() - began)

    async def _rest(self, took: float) -> None:
        """took: seconds of a round of showing."""
        await asyncio.sleep(pause_after(took, self._services.engine.under_way))

    async def _show(self, shop_id: str, barbers: set[str]) -> None:
        lines: dict[str, Line] = {}
        written = 0
        for watched in list(self._watched.get(shop_id, {}).values()):
            if not _concerns(watched.room, barbers):
                continue
            seat, left = watched.room.seat, watched.left
            message, channel = Message(seat.room.event, watched.room.state(self._services, lines)), seat.channel
            for outlets in _by_turns(watched.outlets):
                if written >= _AT_ONCE:
                    await asyncio.sleep(0)
                    written = 0
                    if shop_id in self._dirty:  # whoever asked meanwhile was told of it: nobody may go back
                        lines = {}
                        message = Message(seat.room.event, watched.room.state(self._services, lines))
                if watched.left != left:
                    outlets = [outlet for outlet in outlets if outlet in watched.outlets]
                for outlet in outlets:
                    outlet.offer(channel, message)
                written += len(outlets)


def pause_after(took: float, under_way: int) -> float:
    """Seconds of rest after a round of showing that took so many, while so many commands are under way."""
    return min(_REST * took, _LONGEST_REST_SECONDS) if under_way > _MANY else 0.0


def _by_turns(outlets: Iterable[Outlet]) -> list[list[Outlet]]:
    """As they are now, by as many as are written to in one turn of the loop."""
    now = list(outlets)
    return [now[first : first + _AT_ONCE] for first in range(0, len(now), _AT_ONCE)]


def _concerns(room: RoomView, barbers: Iterable[str]) -> bool:
    """Whether a change of these barbers' queues shows in the room."""
    kind, name = room.seat.room.kind, room.seat.room.id
    if kind is RoomKind.QUEUE:
        return name in barbers
    if kind is RoomKind.DISPLAY:
        return True
    booking = room.view.bookings.get(name) or room.view.ended.get(name)
    return booking is not None and booking["barberId"] in barbers
