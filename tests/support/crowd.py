"""A crowd of customers and barbers who send commands while things break, and remember what they were told."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from barberpro.protocol.actors import Actor
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.queue.check import compare
from barberpro.queue.engine import Result
from barberpro.server.node import Node
from loadtests.bench.promises import broken_promises
from tests.support.shops import TestShop, customer, new_id, send

PAUSE = 0.05  # seconds that a client waits before it repeats a command


class Crowd:
    """Sends to `nodes` in turn; repeats what is temporarily refused, with the same id, until it is answered.

    acknowledged, refused: by commandId. unavailable: how many temporary refusals were met.
    """

    def __init__(self, nodes: Sequence[Node], shop: TestShop) -> None:
        self.nodes = list(nodes)
        self.shop = shop
        self.documents: dict[str, tuple[Actor, dict[str, Any]]] = {}
        self.acknowledged: dict[str, Result] = {}
        self.refused: dict[str, ErrorCode] = {}
        self.unavailable = 0
        self._turn = itertools.count()
        self._changed = asyncio.Condition()

    async def send(self, actor: Actor, **document: Any) -> Result | None:  # noqa: ANN401 - any JSON
        """The final result; None when it was refused for good."""
        command_id = new_id()
        self.documents[command_id] = (actor, document)
        while True:
            node = self.nodes[next(self._turn) % len(self.nodes)]
            try:
                result = self.acknowledged[command_id] = await send(node, actor, commandId=command_id, **document)
            except BarberProError as error:
                if not error.temporary:
                    self.refused[command_id] = error.code
                    await self._tell()
                    return None
                self.unavailable += 1
                await self._tell()
                await asyncio.sleep(PAUSE)
            else:
                await self._tell()
                return result

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def answered(self, count: int) -> None:
        """Waits until so many commands have their final answer."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.acknowledged) + len(self.refused) >= count)

    async def met_unavailable(self, count: int) -> None:
        """Waits until so many more temporary refusals were met."""
        goal = self.unavailable + count
        async with self._changed:
            await self._changed.wait_for(lambda: self.unavailable >= goal)

    async def visit(self, customers: range, waves: int = 10) -> None:
        """Customers come in `waves`, join, and stay, step back or leave again; the barbers work meanwhile."""
        barbers = [asyncio.create_task(self._work(number)) for number in range(len(self.shop.barbers))]
        for wave in range(waves):
            await asyncio.gather(*(self._visit(number) for number in customers[wave::waves]))
        await asyncio.gather(*barbers)

    async def _visit(self, number: int) -> None:
        joined = await self.send(customer(number), **self.shop.join(number % len(self.shop.barbers)))
        if joined is None:
            return
        booking = joined.data["booking"]["bookingId"]
        if number % 3 == 1:
            await self.send(customer(number), type="step_back", bookingId=booking, places=2)
        elif number % 3 == 2:
            await self.send(customer(number), type="cancel", bookingId=booking)

    async def _work(self, number: int) -> None:
        barber, actor = self.shop.barbers[number], self.shop.staff[number]
        for _ in range(15):
            advanced = await self.send(actor, type="advance", barberId=barber)
            if advanced is not None and "booking" in advanced.data:
                await self.send(actor, type="skip", bookingId=advanced.data["booking"]["bookingId"])

    async def problems(self, node: Node) -> list[str]:
        """What was promised and is not kept, and every difference between the stores."""
        acknowledged = {name: result.data for name, result in self.acknowledged.items()}
        broken = await broken_promises(node.pool, acknowledged, self.refused)
        return broken + await compare(node.pool, node.redis, node.keys)

    async def repeat_all(self) -> list[str]:
        """Sends every acknowledged command again; tells whose second answer is not the first one."""
        found = []
        for name, result in self.acknowledged.items():
            actor, document = self.documents[name]
            again = await send(self.nodes[0], actor, commandId=name, **document)
            if not again.replayed or again.data != result.data:
                found.append(f"{document}: first {result.data}, then {again}")
        return found
