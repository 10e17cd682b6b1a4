"""What all actors of a day share: the clock, who is in the shop, what is seen, and the counters."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, Final

from barberpro.clients.python import (
    BarberProClient,
    BarberProError,
    ClientClosed,
    CommandResult,
    CommandUnresolved,
    ServerUnreachable,
)
from barberpro.server.simulate.checks import State, TokenBook
from barberpro.server.simulate.clock import DayClock
from barberpro.server.simulate.scenario import CustomerPlan, DayPlan
from barberpro.server.simulate.summary import SimulateOptions, SimulationSummary

_CONFLICT: Final = 409
_REPEATS: Final = 3
"""How often an actor goes on with a command whose outcome stayed unknown, a whole deadline each time."""


class Floor:
    """queues: the newest full state by barber id. display: the newest public state of the shop."""

    def __init__(self, options: SimulateOptions, plan: DayPlan) -> None:
        self.options = options
        self.plan = plan
        self.clock = DayClock(options.speed)
        self.summary = SimulationSummary()
        self.tokens = TokenBook()
        self.people: dict[str, CustomerPlan] = {}
        self.queues: dict[str, State] = {}
        self.display: State | None = None
        self.causes: deque[str] = deque(maxlen=200)
        self.causes_told = 0

    @contextlib.asynccontextmanager
    async def client(self, role: str, user_id: str, barber_id: str | None = None) -> AsyncIterator[BarberProClient]:
        """A connected client of one actor; what it had to repeat is counted at its end."""
        options = self.options
        shop_id = None if role == "customer" else options.shop.shop_id

        def token() -> str:
            return options.mint(role, user_id, barber_id, shop_id)

        client = BarberProClient(options.base_url, token)
        try:
            async with client:
                yield client
        finally:
            self.summary.repeated += client.stats.repeats
            self.summary.reconnects += max(client.stats.connects - 1, 0)

    async def ask(self, client: BarberProClient, command: Awaitable[CommandResult]) -> CommandResult | None:
        """Count a command's outcome. None when it was refused as shops refuse, or stayed unknown."""
        try:
            result = await self._resolved(client, command)
        except BarberProError as refusal:
            if refusal.http_status == _CONFLICT:
                self.summary.refused[refusal.code.value] += 1
            else:
                self.summary.error(str(refusal))
            return None
        except CommandUnresolved as unresolved:
            self.summary.error(str(unresolved))
            return None
        return result

    async def _resolved(self, client: BarberProClient, command: Awaitable[CommandResult]) -> CommandResult:
        try:
            return await command
        except CommandUnresolved as unresolved:
            for _ in range(_REPEATS - 1):
                with contextlib.suppress(CommandUnresolved):
                    return await client.repeat(unresolved)
            return await client.repeat(unresolved)

    @contextlib.contextmanager
    def on_stage(self, who: str) -> Iterator[None]:
        """An actor who loses the server leaves with an error counted; a fault in here goes through."""
        try:
            yield
        except (BarberProError, ServerUnreachable, ClientClosed) as error:
            self.summary.error(f"{who}: {error}")

    def joined(self, plan: CustomerPlan, result: CommandResult) -> None:
        self.summary.joins += 1
        self.people[result.booking_id] = plan

    def present(self, booking_id: str) -> bool:
        """Whether a booking's customer stands in the shop; strangers to the scenario do."""
        plan = self.people.get(booking_id)
        return plan is None or plan.present_at <= self.clock.now

    def report(self, problems: list[str]) -> None:
        self.summary.states_seen += 1
        for problem in problems:
            self.summary.violation(problem)

    def told(self, barber: str, cause: dict[str, Any]) -> None:
        """Keep what last happened, in a line; a queue that nothing happened in yet has no cause."""
        if "type" not in cause:
            return
        who = f" token {cause['tokenNumber']}" if cause.get("tokenNumber") is not None else ""
        why = f" ({cause['reason']})" if cause.get("reason") else ""
        self.causes_told += 1
        self.causes.append(f"{self.clock.time_of_day()}  {barber}: {cause['type']}{who}{why}")
