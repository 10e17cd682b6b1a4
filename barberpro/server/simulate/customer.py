"""Customers: with a phone, who watch their own booking; and who walk in, and are entered by a barber."""

import asyncio
import math
from typing import Final

from barberpro.clients.python import BarberProClient, CommandResult, Customer
from barberpro.protocol.ids import new_user_id
from barberpro.server.simulate.barber import BarberActor
from barberpro.server.simulate.checks import BookingCheck, State
from barberpro.server.simulate.floor import Floor
from barberpro.server.simulate.scenario import CustomerPlan, Manner, chosen_service
from barberpro.server.simulate.shop import Barber

_ENDED: Final = ("completed", "cancelled")
_IN_LINE: Final = ("waiting", "next")
_SOON: Final = 2
"""The position at which a customer who is not there yet lets others go first."""

_BRIEF: Final = 50
"""How many customers beyond those who stay connected may be joining at once."""


class Crowd:
    """Everyone who comes on this day."""

    def __init__(self, floor: Floor, barbers: dict[str, BarberActor]) -> None:
        self._floor = floor
        self._barbers = barbers
        self._live = asyncio.Semaphore(floor.options.live_customers)
        self._brief = asyncio.Semaphore(_BRIEF)

    async def come(self, group: asyncio.TaskGroup) -> None:
        """Bring each customer at their moment; returns after the last."""
        for plan in self._floor.plan.customers:
            await self._floor.clock.sleep_until(plan.arrives_at)
            group.create_task(self._walk_in(plan) if plan.walk_in else self._phone(plan))

    async def _walk_in(self, plan: CustomerPlan) -> None:
        with self._floor.on_stage(f"walk-in {plan.number}"):
            await self._barbers[self._choice(plan).barber_id].enter_walk_in(plan)

    async def _phone(self, plan: CustomerPlan) -> None:
        stays = not self._live.locked()
        with self._floor.on_stage(f"customer {plan.number}"):
            async with (
                self._live if stays else self._brief,
                self._floor.client("customer", new_user_id()) as client,
            ):
                result = await self._join(client, plan)
                if result is not None and stays:
                    await PhoneVisit(self._floor, client, plan, result.booking_id).follow()

    async def _join(self, client: BarberProClient, plan: CustomerPlan) -> CommandResult | None:
        """Try the line of choice, and then the shortest other; who is refused twice goes elsewhere."""
        first = self._choice(plan)
        for barber in (first, self._shortest(besides=first)):
            if barber is None:
                break
            service = chosen_service(barber, plan.taste)
            joining = client.join(barber.barber_id, [service.service_id], customer=Customer(name=plan.name))
            result = await self._floor.ask(client, joining)
            if result is not None:
                self._floor.joined(plan, result)
                return result
        return None

    def _choice(self, plan: CustomerPlan) -> Barber:
        barbers = self._floor.options.shop.barbers
        if plan.favourite is not None:
            return barbers[plan.favourite]
        return self._shortest() or barbers[plan.number % len(barbers)]

    def _shortest(self, besides: Barber | None = None) -> Barber | None:
        """Whose open line is the shortest on the shop's screen."""
        shown: list[State] = (self._floor.display or {}).get("queues", [])
        lines = {
            str(queue["barberId"]): int(queue["waitingCount"]) + bool(queue["serving"])
            for queue in shown
            if queue["status"] == "open"
        }
        open_ones = [
            barber for barber in self._floor.options.shop.barbers if barber.barber_id in lines and barber is not besides
        ]
        return min(open_ones, key=lambda barber: lines[barber.barber_id], default=None)


class PhoneVisit:
    """One booking as its customer follows it, until it ends; they cancel when their patience does."""

    def __init__(self, floor: Floor, client: BarberProClient, plan: CustomerPlan, booking_id: str) -> None:
        self._floor = floor
        self._client = client
        self._plan = plan
        self._booking_id = booking_id
        self._check = BookingCheck()
        self._status = ""
        self._may_step_back = plan.steps_back > 0

    async def follow(self) -> None:
        patience = asyncio.create_task(self._lose_patience())
        try:
            await self._watch()
        finally:
            patience.cancel()
            await asyncio.gather(patience, return_exceptions=True)

    async def _lose_patience(self) -> None:
        await self._floor.clock.sleep_until(self._plan.arrives_at + self._plan.patience)
        if self._status in _IN_LINE:
            cancelling = self._client.cancel(self._booking_id, reason="waited too long")
            self._floor.summary.cancelled += await self._floor.ask(self._client, cancelling) is not None

    async def _watch(self) -> None:
        async with self._client.watch(f"booking:{self._booking_id}") as states:
            async for state in states:
                self._floor.report(self._check.check(state))
                self._status = str(state["status"])
                if self._over:
                    return
                if self._called_too_early(state):
                    await self._step_back()

    @property
    def _over(self) -> bool:
        gone = self._status == "skipped" and self._plan.manner is Manner.NO_SHOW
        return gone or self._status in _ENDED

    def _called_too_early(self, state: State) -> bool:
        return (
            self._may_step_back
            and self._status in _IN_LINE
            and (state["position"] or math.inf) <= _SOON
            and not self._floor.present(self._booking_id)
        )

    async def _step_back(self) -> None:
        self._may_step_back = False  # once; who is refused does not insist
        stepping = self._client.step_back(self._booking_id, self._plan.steps_back)
        self._floor.summary.moves["step_back"] += await self._floor.ask(self._client, stepping) is not None
