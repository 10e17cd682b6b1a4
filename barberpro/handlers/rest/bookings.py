"""Bookings: made, changed and called off."""

from typing import Final

from aiohttp import web

from barberpro.domain.policy import Action
from barberpro.handlers.rest.lookup import visible_booking
from barberpro.handlers.rest.parsing import (
    Json,
    body,
    command_from,
    command_id_or_new,
    path_booking,
    status_of,
    validated,
)
from barberpro.handlers.rest.replies import Answer
from barberpro.handlers.rest.rulings import ruling_of
from barberpro.handlers.rest.submission import appointed, submit, submit_appointment, told
from barberpro.handlers.services import SERVICES
from barberpro.protocol.bookings import NewAppointment, When
from barberpro.protocol.commands import Reschedule, Schedule, parse_command
from barberpro.protocol.errors import bad_field, not_found
from barberpro.queue.calls import chosen_services
from barberpro.queue.engine import Result
from barberpro.storage.catalogue import Shop

_APPOINTED: Final = frozenset({"bookingDate", "preferredTime"})
_COMMAND_OF_STATUS: Final = {"cancelled": "cancel", "waiting": "check_in"}
CHANGES: Final = (Action.CANCEL, Action.CHECK_IN, Action.RESCHEDULE)


async def create(request: web.Request) -> Answer:
    """POST /bookings: a walk-in joins the line now; with a date and a time it is an appointment."""
    document = await body(request)
    if _APPOINTED & document.keys():
        result = await _schedule(request, validated(NewAppointment, document))
    else:
        result = await _join(request, document)
    location = f"/api/v1/bookings/{result.data['booking']['bookingId']}"
    return Answer(told(result), 200 if result.replayed else 201, {"Location": location})


async def _join(request: web.Request, document: Json) -> Result:
    for name in ("commandId", "type"):
        if name in document:
            raise bad_field(name, "is not a field of this request")
    command = parse_command({**document, "type": "join", "commandId": command_id_or_new(request)})
    return await submit(request, command)


async def _schedule(request: web.Request, wanted: NewAppointment) -> Result:
    barber = await request.app[SERVICES].catalogue.barber(wanted.barber_id)
    if barber is None:
        raise not_found("queue")
    shop = await _shop(request, barber.shop_id)
    at = appointed(wanted, shop)
    minutes = sum(service.duration_minutes for service in chosen_services(barber, wanted.service_ids))
    ruling = await ruling_of(request.app[SERVICES], shop, barber.barber_id, at, minutes)
    fields = wanted.model_dump(exclude_none=True, exclude={"booking_date", "preferred_time"})
    fields |= {"type": "schedule", "commandId": command_id_or_new(request), "at": at, "calendar": ruling}
    return await submit_appointment(request, validated(Schedule, fields))


async def _shop(request: web.Request, shop_id: str) -> Shop:
    shop = await request.app[SERVICES].catalogue.shop(shop_id)
    if shop is None:
        raise not_found("shop")
    return shop


async def change(request: web.Request) -> Answer:
    """PATCH /bookings/{bookingId}: another status, or another time for an appointment."""
    booking_id, _ = path_booking(request)
    document = await body(request)
    if "status" not in document:
        return Answer(told(await _reschedule(request, booking_id, validated(When, document))))
    type_, fields = status_of(document, _COMMAND_OF_STATUS)
    command = command_from(request, type_, fields, bookingId=booking_id)
    return Answer(told(await submit(request, command)))


async def _reschedule(request: web.Request, booking_id: str, when: When) -> Result:
    # Looked for first: to whom it does not exist, no word about the clocks of its shop.
    found = await visible_booking(request)
    booking, at = found.booking, appointed(when, found.shop)
    ruling = await ruling_of(
        request.app[SERVICES], found.shop, booking["barberId"], at, booking["minutes"], besides=booking_id
    )
    fields = {"type": "reschedule", "commandId": command_id_or_new(request), "bookingId": booking_id}
    command = validated(Reschedule, {**fields, "at": at, "calendar": ruling})
    return await submit_appointment(request, command)
