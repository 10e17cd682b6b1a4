"""The one way from a door to the engine."""

from dataclasses import replace

from barberpro.domain.guests import ticket
from barberpro.handlers.closing import last_call_of
from barberpro.handlers.joining import check_joining
from barberpro.handlers.services import Services
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.answers import CommandResult
from barberpro.protocol.commands import Command, Join
from barberpro.queue.engine import Result


async def submit(services: Services, actor: Actor, command: Command, via: Via) -> Result:
    """The command's durable result; with a ticket, when a guest has joined.

    Raises what check_joining, last_call_of and Engine.submit raise.
    """
    await check_joining(services, actor, command, via)
    last_call = await last_call_of(services, command)
    result = await services.engine.submit(actor, command, via, last_call)
    if isinstance(command, Join) and "booking" in result.data:
        made = ticket(services.tokens, actor, result.data["booking"]["bookingId"])
        if made is not None:
            data: CommandResult = {**result.data, "ticket": made}
            return replace(result, data=data)
    return result
