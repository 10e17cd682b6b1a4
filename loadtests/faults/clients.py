"""The clients of a run, who write down what they ask, what they are answered and what they are shown.

Each asks until it has a final answer, with one commandId: over a raw Socket.IO or WebSocket connection (viewers.py,
which come back as the contract tells clients to), over REST, or with BarberPro's own Python client.
"""

import asyncio
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import aiohttp
import orjson

from barberpro.clients.python import (
    BarberProClient,
    ClientClosed,
    CommandResult,
    CommandUnresolved,
    RetryPolicy,
    ServerUnreachable,
)
from barberpro.protocol.actors import Actor
from barberpro.protocol.errors import BarberProError
from loadtests.bench.askers import Asker
from loadtests.bench.viewers import Story, Viewer
from loadtests.faults.facts import facts_of
from loadtests.faults.history import History

Json = dict[str, Any]

ATTEMPT_SECONDS: Final = 6.0
"""How long a client waits for an answer, before it asks again."""
_PAUSES: Final = (0.05, 0.4)
_RETRY: Final = RetryPolicy(ack_timeout=ATTEMPT_SECONDS, deadline=60.0, first_delay=0.2, longest_delay=2.0)


@dataclass(slots=True)
class Desk:
    """Where all clients of a run hand in their notes. answered: commands that have their final answer.

    succeeded: when a command of each queue was last acknowledged, by barberId.
    """

    history: History
    fronts: Sequence[int]
    numbers: Iterator[int] = field(default_factory=itertools.count)
    story: Story = field(default_factory=Story)
    answered: int = 0
    succeeded: dict[str, float] = field(default_factory=dict)

    def call(self, who: "Person", door: str, command: Json) -> int:
        number = next(self.numbers)
        self.history.write(
            "call", call=number, client=who.name, door=door, role=who.actor.role.value, user=who.actor.id,
            shop=who.shop_id, command=command,
        )  # fmt: skip
        return number

    def answer(self, number: int, answer: Json | str) -> None:
        """answer: as on the wire; or why there is none."""
        if isinstance(answer, str):
            self.history.write("answer", call=number, outcome="unknown", why=answer)
            return
        if answer["ok"]:
            data = answer["data"]
            at = self.history.write("answer", call=number, outcome="ok", replayed=answer["replayed"], data=data)
            self.succeeded[data["queue"]["barberId"]] = at
            self.answered += 1
            return
        error = answer["error"]
        if error["temporary"]:
            self.history.write("answer", call=number, outcome="unknown", why=error["code"])
            return
        details = error.get("details") or {}
        self.history.write("answer", call=number, outcome="refused", code=error["code"], details=details)
        self.answered += 1

    def seen(self, who: str, state: Json, *, full: bool) -> None:
        place = {"epoch": state["epoch"], "seq": state["seq"]}
        self.history.write("seen", client=who, room=state["room"], full=full, **place, facts=facts_of(state))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, of one shop. name: no other client of the run has it."""

    name: str
    actor: Actor
    token: str
    shop_id: str


class Client(Protocol):
    """Somebody's app. view: the newest state that it shows of its queue, or None."""

    view: Json | None

    async def run(self) -> None:
        """Stays connected until it is cancelled."""
        ...

    async def ask(self, command: Json) -> Json:
        """The final answer, {ok, ...}. Asks for as long as that takes."""
        ...


class Socket(Viewer):
    """A raw connection that watches a queue."""

    patience = None
    come_in = ATTEMPT_SECONDS
    longest_pause = 3.0

    def __init__(self, desk: Desk, who: Person, door: Literal["socketio", "websocket"], barber_id: str) -> None:
        super().__init__(door, desk.fronts, barber_id, who.token, desk.story)
        self.view: Json | None = None
        self._desk = desk
        self._who = who
        self._kind = door

    async def attempt(self, visit: Asker, fields: Json) -> Json:
        number = self._desk.call(self._who, self._kind, fields)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                answer = await visit.ask(fields)
        except TimeoutError:
            self._desk.answer(number, "timed out")
            visit.abort()  # as a client does that hears nothing
            raise ConnectionError("no answer in time") from None
        except BaseException as error:
            self._desk.answer(number, repr(error))
            raise
        self._desk.answer(number, answer)
        return answer

    def shows(self, payload: bytes) -> None:
        super().shows(payload)
        told = orjson.loads(payload[payload.index(b"{") : payload.rindex(b"}") + 1])
        state = told["state"] if "upToDate" in told else told
        if state is not None:
            self.view = state
            self._desk.seen(self._who.name, state, full="bookingId" in (state["serving"] or state["next"] or ()))


class Rest:
    """Commands by POST, to whichever server; it watches nothing."""

    def __init__(self, desk: Desk, who: Person, http: aiohttp.ClientSession) -> None:
        self.view: Json | None = None
        self._desk = desk
        self._who = who
        self._http = http

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def ask(self, command: Json) -> Json:
        while True:
            number = self._desk.call(self._who, "rest", command)
            answer = await self._attempt(command)
            self._desk.answer(number, answer)
            if not isinstance(answer, str) and (answer["ok"] or not answer["error"]["temporary"]):
                return answer
            await asyncio.sleep(random.uniform(*_PAUSES))

    async def _attempt(self, command: Json) -> Json | str:
        url = f"http://127.0.0.1:{random.choice(self._desk.fronts)}/api/v1/queue/commands"
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS),
                self._http.post(url, json=command, headers={"Authorization": f"Bearer {self._who.token}"}) as answer,
            ):
                document: Json = await answer.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return repr(error)
        if document["success"]:
            return {"ok": True, "replayed": document["data"].pop("replayed"), "data": document["data"]}
        return {"ok": False, "error": document["error"]}


class App:
    """BarberPro's Python client, on one of the servers; it watches a room of any kind."""

    def __init__(self, desk: Desk, who: Person, front: int, room: str) -> None:
        self.view: Json | None = None
        self._desk = desk
        self._who = who
        self._url = f"http://127.0.0.1:{front}"
        self._room = room
        self._client: BarberProClient | None = None
        self._there = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                async with BarberProClient(self._url, self._who.token, retry=_RETRY) as self._client:
                    self._there.set()
                    await self._watch(self._client)
            except ServerUnreachable:
                continue
            except BarberProError as refusal:
                self._desk.history.write("shut_out", client=self._who.name, room=self._room, code=refusal.code)
                await asyncio.sleep(random.uniform(*_PAUSES))
            finally:
                self._there.clear()

    async def _watch(self, client: BarberProClient) -> None:
        async with client.watch(self._room) as states:
            async for state in states:
                self.view = state
                self._desk.seen(self._who.name, state, full=False)

    async def ask(self, command: Json) -> Json:
        """It repeats a command by itself; what is written down is the whole of it."""
        fields = {name: value for name, value in command.items() if name not in {"type", "commandId"}}
        while True:
            await self._there.wait()
            assert self._client is not None
            number = self._desk.call(self._who, "app", command)
            try:
                result = await self._client.command(command["type"], command_id=command["commandId"], **fields)
            except BarberProError as refusal:
                answer: Json = {"ok": False, "error": refusal.to_wire()}
                self._desk.answer(number, answer)
                if not refusal.temporary:
                    return answer
                continue
            except (CommandUnresolved, ClientClosed) as error:  # or it is about to come in anew
                self._desk.answer(number, repr(error))
                await asyncio.sleep(random.uniform(*_PAUSES))
                continue
            answer = {"ok": True, "replayed": result.replayed, "data": _data(result)}
            self._desk.answer(number, answer)
            return answer


def _data(result: CommandResult) -> Json:
    """As on the wire."""
    assert result.queue is not None
    data: Json = {"queue": {"barberId": result.queue.barber_id, **result.queue.version.to_wire()}}
    return data if result.booking is None else {"booking": result.booking, **data}
