"""What is asked of whoever makes a booking for themselves, on every door."""

from barberpro.handlers.callers import network_of
from barberpro.handlers.ratelimit import Subjects
from barberpro.handlers.ratelimit.rules import Action
from barberpro.handlers.services import Services
from barberpro.protocol.actors import Actor, Role, Via
from barberpro.protocol.commands import Command, Join, Schedule
from barberpro.queue.engine import STAFF


async def check_joining(services: Services, actor: Actor, command: Command, via: Via) -> None:
    """Before the command is submitted; staff, who book for others, and other commands pass.

    Raises RATE_LIMIT_EXCEEDED, PHONE_CONFIRMATION_REQUIRED, and what storage.postgres.Away lists.
    """
    if actor.role in STAFF or not isinstance(command, Join | Schedule):
        return
    network = network_of(via.ip)
    # Who scans the code at the door again is another guest: they are told apart by their network alone.
    at_the_door = "-".join([*sorted(actor.shop_ids), network])
    subjects = Subjects(network, actor.id if actor.role is Role.CUSTOMER else at_the_door)
    quota = await services.gate.count(Action.JOIN, subjects, via.request_id)
    if quota is not None:
        quota.check()
    if actor.role is Role.CUSTOMER:
        await services.no_shows.check(actor.id)
