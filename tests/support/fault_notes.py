"""Writes down what a node is asked and what its hub shows, as the clients of a run with faults do."""

import itertools
import time
from typing import Any

import orjson

from barberpro.handlers.metrics import DoorName
from barberpro.handlers.realtime.messages import Message
from barberpro.protocol.actors import Actor
from barberpro.protocol.errors import BarberProError
from barberpro.server.node import Node
from loadtests.faults.facts import facts_of
from tests.support.shops import TestShop, new_id, send

Json = dict[str, Any]


class Notes:
    """The lines of a history, from `run` on. Takes a seat in rooms as one client."""

    door: DoorName = "websocket"

    def __init__(self, node: Node, shop: TestShop) -> None:
        self._node = node
        self._shop = shop
        self._calls = itertools.count()
        self.lines: list[Json] = []
        self.write("run", seed=1, seconds=1, shops={shop.shop_id: shop.barbers})

    def write(self, kind: str, **fields: object) -> None:
        line = {"at": time.time(), "kind": kind, **fields}
        self.lines.append(orjson.loads(orjson.dumps(line)))

    def seen(self, client: str, state: Json) -> None:
        place = {"room": state["room"], "epoch": state["epoch"], "seq": state["seq"]}
        self.write("seen", client=client, full=False, **place, facts=facts_of(state))

    def offer(self, channel: str, message: Message) -> None:
        """What the hub shows. The audiences of a room are clients of their own."""
        self.seen(channel, dict(message.document))

    def forget(self, channel: str) -> None: ...

    async def ask(self, actor: Actor, **command: Any) -> Json:  # noqa: ANN401 - any JSON
        """The answer, as it was written down."""
        command = {"commandId": new_id(), **command}
        call = next(self._calls)
        who = {"client": actor.id, "door": "engine", "role": actor.role, "user": actor.id}
        self.write("call", call=call, **who, shop=self._shop.shop_id, command=command)
        try:
            result = await send(self._node, actor, **command)
        except BarberProError as error:
            self.write("answer", call=call, outcome="refused", code=error.code, details=error.details)
        else:
            self.write("answer", call=call, outcome="ok", replayed=result.replayed, data=result.data)
        return self.lines[-1] if self.lines[-1].get("call") == call else self._answer(call)

    def _answer(self, call: int) -> Json:
        return next(line for line in reversed(self.lines) if line["kind"] == "answer" and line["call"] == call)
