"""What is asked of whoever makes a booking for themselves, on every door."""

from typing import Final

from barberpro.handlers.callers import network_of
from barberpro.handlers.ratelimit import Subjects
from barberpro.handlers.ratelimit.rules import Rated
from barberpro.handlers.services import Services
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.commands import Command, Join, Schedule

_FOR_THEMSELVES: Final = frozenset({Role.CUSTOMER, Role.GUEST, Role.KIOSK})
"""Staff book for others."""


async def check_joining(services: Services, actor: Actor, command: Command, via: Via) -> None:
    """Before the command is submitted; staff and other commands pass.

    Raises RATE_LIMIT_EXCEEDED, PHONE_CONFIRMATION_REQUIRED, and what storage.postgres.Away lists.
    """
    if actor.role not in _FOR_THEMSELVES or not isinstance(command, Join | Schedule):
        return
    network = network_of(via.ip)
    # Who scans the code at the door again is another guest: they are told apart by their network alone.
    at_the_door = "-".join([*sorted(actor.shop_ids), network])
    subjects = Subjects(network, at_the_door if actor.role is Role.GUEST else actor.id)
    quota = await services.gate.count(Rated.JOIN, subjects, via.request_id)
    if quota is not None:
        quota.check()
    if actor.role is Role.CUSTOMER:
        await services.no_shows.check(actor.id, command.command_id)
