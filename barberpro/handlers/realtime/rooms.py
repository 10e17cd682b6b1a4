"""Who may watch which room, what the room belongs to, and its present state."""

from dataclasses import dataclass
from typing import Final

from barberpro.domain.policy import Action, Relation, allowed, require
from barberpro.domain.relations import to_booking, to_display, to_shop
from barberpro.handlers.services import Services
from barberpro.protocol.actors import Actor
from barberpro.protocol.errors import not_found
from barberpro.protocol.ids import shop_of_booking
from barberpro.protocol.rooms import Room, RoomKind
from barberpro.protocol.states import RoomState
from barberpro.queue.fold import Json, ShopState
from barberpro.queue.states import Line, unused_queue
from barberpro.storage.catalogue import Shop
from barberpro.storage.snapshot import BOOKING, booking_of_row

_ACTION_OF_ROOM: Final = {
    RoomKind.QUEUE: Action.WATCH_QUEUE,
    RoomKind.BOOKING: Action.SEE_BOOKING,
    RoomKind.DISPLAY: Action.SEE_DISPLAY,
}


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a room: whose shop it is, and whether staff's full state is shown there."""

    room: Room
    shop_id: str
    full: bool

    @property
    def channel(self) -> str:
        """Names the audience that gets the same bytes."""
        return f"{self.room}#{'full' if self.full else 'public'}"


async def seat_for(services: Services, actor: Actor, room: Room) -> Seat:
    """Where the actor sits in the room.

    Raises NOT_FOUND when there is no such room or it is not the actor's to know of.
    """
    shop = await _shop_of(services, room)
    if shop is None:
        raise not_found("room")
    relation = await _relation(services, actor, room, shop)
    require(actor, _ACTION_OF_ROOM[room.kind], relation, "room")
    full = room.kind is RoomKind.QUEUE and allowed(actor, Action.SEE_QUEUE_FULL, relation)
    return Seat(room, shop.shop_id, full)


async def _relation(services: Services, actor: Actor, room: Room, shop: Shop) -> Relation:
    if room.kind is RoomKind.QUEUE:
        return to_shop(actor, shop)
    if room.kind is RoomKind.DISPLAY:
        return to_display(actor, shop)
    return to_booking(actor, shop, room.id, await _customer_of(services, shop.shop_id, room.id))


async def _shop_of(services: Services, room: Room) -> Shop | None:
    if room.kind is RoomKind.QUEUE:
        barber = await services.catalogue.barber(room.id)
        shop_id = barber.shop_id if barber is not None else None
    elif room.kind is RoomKind.BOOKING:
        shop_id = shop_of_booking(room.id)
        if shop_id is not None and await _booking(services, shop_id, room.id) is None:
            shop_id = None
    else:
        shop_id = room.id
    return await services.catalogue.shop(shop_id) if shop_id is not None else None


async def _booking(services: Services, shop_id: str, booking_id: str) -> Json | None:
    """The booking as it stands in events: from the view while it is live, else from Postgres."""
    if await services.catalogue.shop(shop_id) is None:
        return None
    state = await services.views.shop(shop_id)
    booking = state.bookings.get(booking_id) or state.ended.get(booking_id)
    if booking is None:
        row = await services.pool.fetchrow(BOOKING, booking_id)
        booking = booking_of_row(row) if row is not None else None
    return booking


async def _customer_of(services: Services, shop_id: str, booking_id: str) -> str | None:
    booking = await _booking(services, shop_id, booking_id)
    return booking.get("customerId") if booking is not None else None


async def prepare(services: Services, seat: Seat) -> "RoomView":
    """What the room's states are built from: loads the view, and for an ended booking its row.

    Raises what Postgres raises while it is away and nothing is loaded yet.
    """
    shop = await services.catalogue.shop(seat.shop_id)
    if shop is None:
        raise not_found("room")
    ended = await _booking(services, seat.shop_id, seat.room.id) if seat.room.kind is RoomKind.BOOKING else None
    return RoomView(seat, shop, await services.views.shop(seat.shop_id), ended)


@dataclass(slots=True)
class RoomView:
    """A seat with the view below it. `state` awaits nothing, so no event falls between two of its calls."""

    seat: Seat
    shop: Shop
    view: ShopState
    ended: Json | None
    """A booking that is no longer live, as it stood when the room was entered."""

    def state(self, services: Services, lines: dict[str, Line] | None = None) -> RoomState:
        """The room's absolute state now. lines: a cache of what is worked out already, by barber."""
        room, known = self.seat.room, lines if lines is not None else {}
        if room.kind is RoomKind.QUEUE:
            line = self._line(services, room.id, known) or services.states.line(
                self.view, unused_queue(self.shop, room.id)
            )
            return services.states.queue(self.view, line, full=self.seat.full)
        if room.kind is RoomKind.DISPLAY:
            for barber_id in self.shop.barbers:
                self._line(services, barber_id, known)
            return services.states.display(self.view, self.shop, known, self._last_cause())
        booking = self.view.bookings.get(room.id) or self.view.ended.get(room.id) or self.ended
        if booking is None:
            raise not_found("room")
        return services.states.booking(self.view, booking, self._line(services, booking["barberId"], known))

    def _line(self, services: Services, barber_id: str, known: dict[str, Line]) -> Line | None:
        if barber_id not in known:
            queue = self.view.queues.get(barber_id)
            if queue is None:
                return None
            known[barber_id] = services.states.line(self.view, queue)
        return known[barber_id]

    def _last_cause(self) -> Json | None:
        newest = max(self.view.queues.values(), key=lambda queue: queue.shop_seq, default=None)
        return newest.cause if newest is not None else None
