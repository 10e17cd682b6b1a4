"""Handing a command to the engine."""

from datetime import datetime

from aiohttp import web

from barberpro.handlers.rest.appointments import instant
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.services import SERVICES
from barberpro.handlers.submission import submit as hand_over
from barberpro.protocol.bookings import Submitted, When
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Command, Reschedule, Schedule
from barberpro.protocol.errors import BarberProError, bad_field
from barberpro.queue.engine import Result
from barberpro.storage.catalogue import Shop


async def submit(request: web.Request, command: Command) -> Result:
    """The command's durable result, for the one who asks. Raises what Engine.submit raises."""
    return await hand_over(request.app[SERVICES], identity(request).actor, command, via_of(request))


async def submit_appointment(request: web.Request, command: Schedule | Reschedule) -> Result:
    """As `submit`; a refusal of the instant names the date or the time that the caller gave."""
    try:
        return await submit(request, command)
    except BarberProError as refusal:
        for field in refusal.details.get("fields", []):
            if refusal.code is ErrorCode.BAD_REQUEST and field["path"] == "at":
                raise bad_field("preferredTime", field["problem"]) from None
            if refusal.code is ErrorCode.BARBER_UNAVAILABLE:
                message = f"{field['path']}: {field['problem']}"
                raise BarberProError(refusal.code, message, refusal.details) from None
        raise


def appointed(when: When, shop: Shop) -> datetime:
    """The instant of an appointed time in this shop. Raises BAD_REQUEST naming `preferredTime`."""
    return instant(when.booking_date, when.preferred_time, shop.zone)


def told(result: Result) -> Submitted:
    """`data` of the reply to a command: {booking?, queue, ticket?, replayed}."""
    return {**result.data, "replayed": result.replayed}
