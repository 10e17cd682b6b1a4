"""Handing a command to the engine."""

from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from barberpro.handlers.joining import check_joining
from barberpro.handlers.rest.appointments import When, instant
from barberpro.handlers.rest.context import ADDRESS, REQUEST_ID, identity
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Command, Reschedule, Schedule
from barberpro.protocol.errors import BarberProError, bad_field
from barberpro.queue.engine import Result
from barberpro.storage.catalogue import Shop


async def submit(request: web.Request, command: Command) -> Result:
    """The command's durable result, for the one who asks. Raises what check_joining and Engine.submit raise."""
    services, actor, via = request.app[SERVICES], identity(request).actor, Via(request[REQUEST_ID], request[ADDRESS])
    await check_joining(services, actor, command, via)
    return await services.engine.submit(actor, command, via)


async def submit_appointment(request: web.Request, command: Schedule | Reschedule) -> Result:
    """As `submit`; a refusal of the instant is told as one of the time that the caller gave."""
    try:
        return await submit(request, command)
    except BarberProError as refusal:
        for field in refusal.details.get("fields", []):
            if refusal.code is ErrorCode.BAD_REQUEST and field["path"] == "at":
                raise bad_field("preferredTime", field["problem"]) from None
        raise


def appointed(when: When, shop: Shop) -> datetime:
    """The instant of an appointed time in this shop. Raises BAD_REQUEST naming `preferredTime`."""
    return instant(when.booking_date, when.preferred_time, ZoneInfo(shop.time_zone))


def told(result: Result) -> dict[str, object]:
    """`data` of the reply to a command: {booking?, queue, replayed}."""
    return {**result.data, "replayed": result.replayed}
