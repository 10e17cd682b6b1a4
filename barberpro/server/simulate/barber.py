"""A barber at work: looks at the console, decides, sends one command, and looks again."""

import asyncio
import contextlib
from typing import Any, Final

from barberpro.clients.python import BarberProClient, ClientClosed, CommandResult, Customer, Expect, Payment, Version
from barberpro.clients.python.logic import version_of
from barberpro.server.simulate.console import Console
from barberpro.server.simulate.decisions import Move, decide
from barberpro.server.simulate.floor import Floor
from barberpro.server.simulate.scenario import CustomerPlan, chosen_service, dice
from barberpro.server.simulate.shop import Barber

_GLANCE: Final = 20.0
"""Simulated seconds after which a barber looks up even when nothing was announced."""

_SHORTEST_GLANCE: Final = 0.02
_OVERDUE: Final = 60.0
"""Real seconds, on a live connection, within which what was acknowledged must be seen."""


class BarberActor:
    def __init__(self, barber: Barber, floor: Floor) -> None:
        self.barber = barber
        self._floor = floor
        self._console = Console(barber, floor)
        self._luck = dice(floor.options.seed, f"barber {barber.barber_id}")
        self._changed = asyncio.Event()
        self._client: BarberProClient | None = None

    async def work(self) -> None:
        """The whole day, until the line is empty after closing time."""
        barber_id = self.barber.barber_id
        with self._floor.on_stage(self.barber.name):
            async with self._floor.client("barber", f"us_{barber_id}", barber_id) as client:
                self._client = client
                watcher = asyncio.create_task(self._watch(client))
                try:
                    await self._shift(client, watcher)
                finally:
                    self._client = None
                    watcher.cancel()
                    await asyncio.gather(watcher, return_exceptions=True)

    async def enter_walk_in(self, plan: CustomerPlan) -> None:
        """Give a token to somebody who came in; whoever has gone home gives none."""
        if self._client is None:
            return
        service = chosen_service(self.barber, plan.taste)
        joining = self._client.join(self.barber.barber_id, [service.service_id], customer=Customer(name=plan.name))
        with contextlib.suppress(ClientClosed):  # the barber went home meanwhile
            result = await self._floor.ask(self._client, joining)
            if result is not None:
                self._floor.joined(plan, result)

    async def _watch(self, client: BarberProClient) -> None:
        async for state in client.watch(f"queue:{self.barber.barber_id}"):
            self._console.take(state)
            self._changed.set()

    async def _shift(self, client: BarberProClient, watcher: asyncio.Task[None]) -> None:
        while not watcher.done():
            self._changed.clear()
            move = decide(self._console.seen()) if self._console.ready else Move.WAIT
            if move is Move.GO_HOME:
                return
            if move is Move.WAIT:
                await self._look_up_after(self._floor.clock.real(_GLANCE))
            else:
                await self._act(client, move)
        watcher.result()  # raises what ended it

    async def _look_up_after(self, seconds: float) -> None:
        """Wait for a new state, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, _SHORTEST_GLANCE)):
                await self._changed.wait()

    async def _act(self, client: BarberProClient, move: Move) -> None:
        summary = self._floor.summary
        result = await self._floor.ask(client, self._command(client, move))
        if result is None:
            await self._look_up_after(1.0)  # what was seen no longer holds: see first what does
            return
        summary.moves[move.name.lower()] += 1
        summary.served += move in (Move.ADVANCE, Move.COMPLETE)
        summary.no_shows += move is Move.NO_SHOW
        if result.queue is None or result.queue.barber_id != self.barber.barber_id:
            await self._look_up_after(1.0)  # a transfer is told of the queue it went to
        else:
            await self._until_seen(client, result.queue.version)

    async def _command(self, client: BarberProClient, move: Move) -> CommandResult:
        own, state = self.barber.barber_id, self._console.state
        called = str((state.get("next") or {}).get("bookingId"))
        match move:
            case Move.OPEN:
                return await client.open(own)
            case Move.PAUSE:
                return await client.pause(own, reason="break")
            case Move.CLOSE:
                return await client.close_queue(own, waiting="keep")
            case Move.ADVANCE | Move.COMPLETE:
                return await self._finish(client, move, state["serving"]["bookingId"])
            case Move.START:
                return await client.start(booking_id=called)
            case Move.SKIP:
                return await client.skip(called, reason="not here")
            case Move.NO_SHOW:
                return await client.no_show(called)
            case Move.RECALL:
                return await client.recall(self._console.returned() or "", to="front")
            case Move.TRANSFER:
                last = state["waiting"][-1]["bookingId"]
                return await client.transfer(last, self._console.shortest_other()[1])
            case _:
                raise AssertionError(f"{move} is no command")

    async def _finish(self, client: BarberProClient, move: Move, booking_id: str) -> CommandResult:
        own, expect = self.barber.barber_id, Expect(servingBookingId=booking_id)
        payment = self._payment(booking_id)
        if move is Move.ADVANCE:
            return await client.advance(own, payment=payment, expect=expect)
        return await client.complete(barber_id=own, payment=payment, expect=expect)

    def _payment(self, booking_id: str) -> Payment:
        plan = self._floor.people.get(booking_id)
        paid: dict[str, Any] = {"amount": chosen_service(self.barber, plan.taste if plan else 0.0).price}
        return Payment.model_validate({**paid, "method": self._luck.choice(("cash", "card", "upi"))})

    async def _until_seen(self, client: BarberProClient, version: Version) -> None:
        """What was acknowledged must be seen; deciding before that would be deciding on the past."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _OVERDUE
        while (version_of(self._console.state) or Version(0, 0)) < version:
            self._changed.clear()
            await self._look_up_after(1.0)
            if not client.connected:
                deadline = loop.time() + _OVERDUE
            elif loop.time() > deadline:
                what = f"{version} was acknowledged, and not seen for {_OVERDUE:.0f} s"
                self._floor.summary.violation(f"{self.barber.barber_id}: {what}")
                return
