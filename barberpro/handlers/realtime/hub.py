"""The hub: after each change, every room that somebody here watches gets its newest state, once per audience.

Several changes that gathered before a room's turn go as one message: states are absolute, the newest replaces the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from barberpro.handlers.realtime.rooms import RoomView, Seat, prepare
from barberpro.handlers.services import Services
from barberpro.protocol.rooms import RoomKind
from barberpro.queue.fold import Json, ShopState
from barberpro.queue.states import Line
from barberpro.queue.tasks import end

log = structlog.get_logger(__name__)

Deliver = Callable[[Seat, Json], Awaitable[None]]
"""Sends a room's state to everybody who sits in it with this audience."""


@dataclass(slots=True)
class _Watched:
    room: RoomView
    watchers: int = 0


class Hub:
    """The rooms of one node."""

    def __init__(self, services: Services, deliver: Deliver) -> None:
        self._services = services
        self._deliver = deliver
        self._watched: dict[str, dict[str, _Watched]] = {}
        self._dirty: dict[str, set[str]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._services.views.listeners.append(self._changed)
        self._task = asyncio.create_task(self._run(), name="hub")

    async def close(self) -> None:
        await end([self._task] if self._task is not None else [])

    async def enter(self, seat: Seat) -> RoomView:
        """Takes a place; the room's later states are delivered until `leave`. Raises NOT_FOUND."""
        room = await prepare(self._services, seat)
        seats = self._watched.setdefault(seat.shop_id, {})
        watched = seats.setdefault(seat.channel, _Watched(room))
        watched.room = room
        watched.watchers += 1
        self._services.views.hold(seat.shop_id)
        return room

    def leave(self, seat: Seat) -> None:
        seats = self._watched[seat.shop_id]
        watched = seats[seat.channel]
        watched.watchers -= 1
        self._services.views.release(seat.shop_id)
        if not watched.watchers:
            del seats[seat.channel]
        if not seats:
            del self._watched[seat.shop_id]

    def _changed(self, state: ShopState, barbers: set[str], _events: Sequence[Json]) -> None:
        if state.shop_id in self._watched:
            self._dirty.setdefault(state.shop_id, set()).update(barbers)
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, {}
            for shop_id, barbers in dirty.items():
                try:
                    await self._show(shop_id, barbers)
                except Exception:
                    log.exception("rooms_not_shown", shop_id=shop_id)

    async def _show(self, shop_id: str, barbers: set[str]) -> None:
        lines: dict[str, Line] = {}
        messages = [
            (watched.room.seat, watched.room.state(self._services, lines))
            for watched in self._watched.get(shop_id, {}).values()
            if _concerns(watched.room, barbers)
        ]
        for seat, message in messages:
            await self._deliver(seat, message)


def _concerns(room: RoomView, barbers: set[str]) -> bool:
    """Whether a change of these barbers' queues shows in the room."""
    kind, name = room.seat.room.kind, room.seat.room.id
    if kind is RoomKind.QUEUE:
        return name in barbers
    if kind is RoomKind.DISPLAY:
        return True
    booking = room.view.bookings.get(name) or room.view.ended.get(name)
    return booking is not None and booking["barberId"] in barbers
