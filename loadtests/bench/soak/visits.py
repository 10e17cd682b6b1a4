"""Visits: customers come at random moments by every door, do what customers do, and leave in every way there is.

Each is another user with another token. A visit that does not end as its kind has to is noted as `unexpected`.
"""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson

from barberpro.protocol.actors import Actor, Role
from loadtests.bench.loop import arrivals
from loadtests.bench.ours import Chair, command_id
from loadtests.bench.people import Town
from loadtests.bench.served import Deployment, Served
from loadtests.bench.soak.visitors import StreamVisitor, Visitor
from loadtests.bench.sockets import Way

Json = dict[str, Any]

_STAY_SECONDS: Final = 8.0
"""On average."""
_OVER_SECONDS: Final = 60.0
"""In which the server has to end a connection by itself that it has to end: the longest that it waits is for a pong."""
_FULL_SECONDS: Final = 60.0
"""In which a client that reads nothing of busy rooms has to be cut off."""
_AGAIN_SECONDS: Final = 0.5
_RUNS_OUT_SECONDS: Final = 1
_EXPIRED_SECONDS: Final = -3600
_REFUSALS: Final = ("UNAUTHORIZED", "TOKEN_EXPIRED", "401")


class UnexpectedError(Exception):
    """A visit did not end as it has to."""


@dataclass(slots=True)
class Story:
    """What became of visits. begun, ended: by kind. Those that the run's end cut short are begun and not ended."""

    begun: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)


class Visits:
    """Runs visits; `over` is set when all shall come to their end."""

    def __init__(self, deployed: Deployment, served: Served, town: Town, chairs: Sequence[Chair]) -> None:
        """chairs: of queues that only visitors use. town: where it is busy, and where nothing happens."""
        self.story = Story()
        self.over = asyncio.Event()
        self._deployed = deployed
        self._port = served.port
        self._town = town
        self._chairs = chairs
        self._hosts = {chair.barber_id: self._host(chair) for chair in chairs}
        self._turns = itertools.cycle(("socketio", "websocket", "sse"))
        self._random = random.Random(1)
        self._kinds: list[Callable[[], Awaitable[None]]] = [
            *[self._leaves] * 8, *[self._is_cut] * 8, self._bad_token, self._expired_token, self._token_runs_out,
            self._says_nothing, self._polls_and_vanishes, self._stops_reading, self._falls_silent,
        ]  # fmt: skip  # how often, of one another

    async def open(self) -> None:
        for chair, host in self._hosts.items():
            await host.come_in()
            answer = await host.ask({"commandId": command_id(), "type": "open", "barberId": chair})
            # Of a second run the lines are open.
            if not answer["ok"] and answer["error"]["code"] != "INVALID_TRANSITION":
                raise UnexpectedError(str(answer))

    def close(self) -> None:
        for host in self._hosts.values():
            host.abort()

    async def one(self) -> None:
        """One visit, of a kind that is drawn, to its end."""
        visit = self._random.choice(self._kinds)
        kind = visit.__name__.strip("_")
        self.story.begun[kind] += 1
        try:
            await visit()
        except (OSError, TimeoutError, UnexpectedError) as error:
            self.story.unexpected[f"{kind}: {error!r:.200}"] += 1
        else:
            self.story.ended[kind] += not self.over.is_set()

    # The kinds -------------------------------------------------------------------------------------------------

    async def _leaves(self) -> None:
        async with self._customer() as clients:
            await self._pause(self._random.expovariate(1 / _STAY_SECONDS))
            for client in clients:
                await client.leave()

    async def _is_cut(self) -> None:
        """Without a word; the booking stays in the line until staff cancels it."""
        async with self._customer():
            await self._pause(self._random.expovariate(1 / _STAY_SECONDS))

    async def _bad_token(self) -> None:
        token = self._token()
        await self._is_refused(token[:-8] + "AAAAAAAA")

    async def _expired_token(self) -> None:
        await self._is_refused(self._token(_EXPIRED_SECONDS))

    async def _token_runs_out(self) -> None:
        async with self._at(self._town.quiet[0], self._token(_RUNS_OUT_SECONDS)) as client:
            await self._hung_up(client)

    async def _says_nothing(self) -> None:
        """It is a WebSocket, and never says whose."""
        client = Visitor(Way("websocket", self._port, path=f"/ws/queue/{self._town.quiet[0]}"), None)
        await client.come_in()
        try:
            await self._hung_up(client)
        finally:
            client.abort()

    async def _polls_and_vanishes(self) -> None:
        """Over Socket.IO's polling, from which the server can only tell by its heartbeat that nobody is there."""
        url = f"http://127.0.0.1:{self._port}/socket.io/?EIO=4&transport=polling"
        asked = ["subscribe", {"room": f"queue:{self._chair().barber_id}"}]
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as answer:
                url += f"&sid={orjson.loads((await answer.text())[1:])['sid']}"
            for said in (b"40" + orjson.dumps({"token": self._token()}), b"420" + orjson.dumps(asked)):
                async with http.post(url, data=said) as answer:
                    _expect(answer.status == 200, answer.status)
                async with http.get(url) as answer:
                    _expect((await answer.text()).startswith("4"), answer.status)
            if not await self._pause(_OVER_SECONDS):
                await (await http.post(url, data=b"1")).read()  # the run's end waits for nobody

    async def _stops_reading(self) -> None:
        """In rooms where much happens, so that it is cut off for being too slow."""
        chair = self._random.choice(self._town.chairs)
        async with self._at(chair.barber_id, self._token(), display=chair.shop_id) as client:
            if client.packets:
                for busy in self._town.chairs:
                    await _done(client.ask({"room": f"queue:{busy.barber_id}"}, "subscribe"))
            client.stall()
            if await self._pause(_FULL_SECONDS):
                client.resume()
                await self._hung_up(client)

    async def _falls_silent(self) -> None:
        """In a room where nothing happens, so that only a heartbeat can tell."""
        async with self._at(self._town.quiet[0], self._token()) as client:
            if isinstance(client, StreamVisitor):
                return  # streams have no heartbeat that asks for an answer
            client.stall()
            if await self._pause(_OVER_SECONDS):
                client.resume()
                await self._hung_up(client)

    # What they are made of -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _customer(self) -> AsyncIterator[list[Visitor]]:
        """In a line, with the line, the booking and the shop's display before it; and out of it again in the end."""
        chair, token, door = self._chair(), self._token(), next(self._turns)
        join = {"type": "join", "barberId": chair.barber_id, "serviceIds": chair.service_ids[:1]}
        clients: list[Visitor] = []
        booking_id: str | None = None
        try:
            talks = self._client("websocket" if door == "sse" else door, f"queue:{chair.barber_id}", token)
            await talks.come_in()
            clients.append(talks)
            answer = await _command(talks, join)
            booking_id = answer["data"]["booking"]["bookingId"]
            for room in (f"booking:{booking_id}", f"display:{chair.shop_id}"):
                if talks.packets:
                    await _done(talks.ask({"room": room}, "subscribe"))
                    continue
                watches = self._client(door, room, token)
                await watches.come_in()
                clients.append(watches)
            yield clients
        finally:
            for client in clients:
                client.abort()
            if booking_id is not None:
                await self._cancel(chair, booking_id)

    async def _cancel(self, chair: Chair, booking_id: str) -> None:
        await _command(self._hosts[chair.barber_id], {"type": "cancel", "bookingId": booking_id})

    @asynccontextmanager
    async def _at(self, barber_id: str, token: str, display: str | None = None) -> AsyncIterator[Visitor]:
        """In a queue's room; where a connection has one room only, in that of the display, if it is given."""
        door = next(self._turns)
        room = f"display:{display}" if display is not None and door != "socketio" else f"queue:{barber_id}"
        client = self._client(door, room, token)
        await client.come_in()
        try:
            yield client
        finally:
            client.abort()

    async def _is_refused(self, token: str) -> None:
        client = self._client(next(self._turns), f"queue:{self._town.quiet[0]}", token)
        try:
            await client.come_in()
        except ConnectionError as error:
            _expect(any(word in str(error) for word in _REFUSALS), error)
        else:
            client.abort()
            raise UnexpectedError("let in")

    async def _pause(self, seconds: float) -> bool:
        """Whether so much time has gone by; not when all shall come to their end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
        return not self.over.is_set()

    async def _hung_up(self, client: Visitor) -> None:
        """Waits until the server has ended the connection, or all shall come to their end."""
        ends = [asyncio.create_task(event.wait()) for event in (client.gone, self.over)]
        await asyncio.wait(ends, timeout=_OVER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        _expect(client.gone.is_set() or self.over.is_set(), f"the server kept it open: {client}")

    def _client(self, door: str, room: str, token: str) -> Visitor:
        kind, _, name = room.partition(":")
        if door == "socketio":
            return Visitor(Way("socketio", self._port, room=room, greeted=True), token)
        if door == "websocket":
            return Visitor(Way("websocket", self._port, path=f"/ws/{kind}/{name}", greeted=True), token)
        names = {"queue": "barberId", "booking": "bookingId", "display": "shopId"}
        return StreamVisitor(self._port, f"{names[kind]}={name}", token)

    def _token(self, seconds: int = 3600) -> str:
        """Of somebody who was never here."""
        return self._deployed.token(Actor(f"us_{command_id()}", Role.CUSTOMER), seconds)

    def _chair(self) -> Chair:
        return self._random.choice(self._chairs)

    def _host(self, chair: Chair) -> Visitor:
        return Visitor(Way("socketio", self._port), self._deployed.token(chair.barber))


async def _command(client: Visitor, fields: Json) -> Json:
    """Its answer, which is `ok`. What is refused only for the moment is sent again, with the same id."""
    command = {"commandId": command_id(), **fields}
    async with asyncio.timeout(_OVER_SECONDS):
        while True:
            answer = await client.ask(command)
            if answer["ok"] or not answer["error"]["temporary"]:
                _expect(answer["ok"], answer)
                return answer
            await asyncio.sleep(_AGAIN_SECONDS)


async def _done(asked: Awaitable[Json]) -> Json:
    answer = await asked
    _expect(answer["ok"], answer)
    return answer


def _expect(fine: object, found: object) -> None:
    if not fine:
        raise UnexpectedError(str(found))


@asynccontextmanager
async def visiting(visits: Visits, rate: float) -> AsyncIterator[None]:
    """So many visits a second begin, at random moments, until the block ends; all are over then."""
    await visits.open()
    try:
        async with arrivals(lambda _due: visits.one(), rate):
            try:
                yield
            finally:
                visits.over.set()
    finally:
        visits.close()
