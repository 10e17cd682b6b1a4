"""Queues: looked at, and worked."""

from typing import Final

from aiohttp import web

from barberpro.domain.policy import Action, Relation, allowed, require
from barberpro.domain.relations import to_shop
from barberpro.handlers.rest.context import actor_if_any, identity
from barberpro.handlers.rest.lookup import view_of
from barberpro.handlers.rest.parsing import (
    body,
    command_from,
    command_id,
    path_barber,
    path_booking,
    status_of,
)
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.rest.submission import submit, told
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.commands import COMMAND_TYPES, parse_command
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.states import QueueUpdated
from barberpro.queue.states import unused_queue
from barberpro.storage.catalogue import Shop

_COMMAND_OF_STATUS: Final = {
    "serving": "start",
    "completed": "complete",
    "cancelled": "cancel",
    "skipped": "no_show",
    "waiting": "recall",
}
STATUSES: Final = tuple(Action(command) for command in _COMMAND_OF_STATUS.values())
COMMANDS: Final = tuple(Action(command) for command in COMMAND_TYPES)


async def mine(request: web.Request) -> Answer:
    """GET /queue/my-queue: the barber's own, full."""
    actor = identity(request).actor
    if actor.barber_id is None:
        raise not_found("queue")
    require(actor, Action.SEE_OWN_QUEUE, Relation.OWNER, "queue")
    shop = await shop_of_barber(request, actor.barber_id)
    return Answer(await _state(request.app[SERVICES], shop, actor.barber_id, full=True))


async def show(request: web.Request) -> Answer:
    """GET /queue/{barberId}: full for the shop's staff, public for everybody else."""
    barber_id = path_barber(request)
    shop = await shop_of_barber(request, barber_id)
    actor = actor_if_any(request)
    full = allowed(actor, Action.SEE_QUEUE_FULL, to_shop(actor, shop))
    return Answer(await _state(request.app[SERVICES], shop, barber_id, full=full))


async def shop_of_barber(request: web.Request, barber_id: str) -> Shop:
    """Raises NOT_FOUND when there is no such barber, or none any more."""
    catalogue = request.app[SERVICES].catalogue
    barber = await catalogue.barber(barber_id)
    shop = await catalogue.shop(barber.shop_id) if barber is not None else None
    if shop is None:
        raise not_found("queue")
    return shop


async def _state(services: Services, shop: Shop, barber_id: str, *, full: bool) -> QueueUpdated:
    """The state that the queue's room has."""
    view = await view_of(services, shop.shop_id)
    queue = view.queues.get(barber_id) or unused_queue(shop, barber_id)
    return services.states.queue(view, services.states.line(view, queue), full=full)


async def set_status(request: web.Request) -> Answer:
    """PATCH /queue/{bookingId}/status: start, complete, cancel, no_show or recall."""
    booking_id, _ = path_booking(request)
    type_, fields = status_of(await body(request), _COMMAND_OF_STATUS)
    if type_ == "recall":
        fields.setdefault("to", "back")
    command = command_from(request, type_, fields, bookingId=booking_id)
    return Answer(told(await submit(request, command)))


async def skip(request: web.Request) -> Answer:
    """PATCH /queue/{bookingId}/skip."""
    booking_id, _ = path_booking(request)
    command = command_from(request, "skip", await body(request), bookingId=booking_id)
    return Answer(told(await submit(request, command)))


async def run_command(request: web.Request) -> Answer:
    """POST /queue/commands: any command, as on a socket. Its id stands in it, or is the Idempotency-Key."""
    document = await body(request)
    key = command_id(request)
    if key is not None and document.setdefault("commandId", key) != key:
        raise bad_field("commandId", "is not the Idempotency-Key")
    return Answer(told(await submit(request, parse_command(document))))
