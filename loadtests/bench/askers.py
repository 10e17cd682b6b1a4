"""Light clients that send commands and hear their answers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson

from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.sockets import LightClient, Way

Json = dict[str, Any]

_AT_ONCE: Final = 50
_SECONDS: Final = 60.0
_EVENT_ACK: Final = b'{"event":"ack"'
_PACKET_ACK: Final = b"43"


class Asker(LightClient):
    """A client with commands under way, on either door. What it is sent beside answers is counted as updates."""

    def __init__(self, way: Way, token: str | None, gone: Callable[[], None]) -> None:
        super().__init__(way, token, gone)
        self._asked: dict[object, asyncio.Future[Json]] = {}
        self._number = 0
        self._packets = way.kind == "socketio"

    def ask(self, fields: Json) -> "asyncio.Future[Json]":
        """Sends the command; its answer, {ok, ...}. Raises ConnectionError when the server hangs up first."""
        answer = asyncio.get_running_loop().create_future()
        if self._packets:
            self._number += 1
            self._asked[self._number] = answer
            self._send_text(b'42%d["command",%b]' % (self._number, orjson.dumps(fields)))
        else:
            self._asked[fields["commandId"]] = answer
            self._send_text(b'{"event":"command",%b' % orjson.dumps(fields)[1:])
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the server hung up on a client with commands under way"))
        self._asked.clear()

    def _told(self, payload: bytes) -> None:
        if self._packets and payload.startswith(_PACKET_ACK):
            number, _, document = payload[len(_PACKET_ACK) :].partition(b"[")
            self._acknowledged(int(number), orjson.loads(document[:-1]))
        elif payload.startswith(_EVENT_ACK):
            answer = orjson.loads(payload)
            self._acknowledged(answer["commandId"], answer)
        else:
            super()._told(payload)

    def _acknowledged(self, asked: object, answer: Json) -> None:
        future = self._asked.pop(asked)
        if not future.done():  # its caller may have been cancelled
            future.set_result(answer)


async def connected(ways: "list[tuple[Way, str | None]]") -> list[Asker]:
    """A client for each way with its token, all let in. Raises ConnectionError, or a group of them, when not."""
    many_descriptors()
    gate, loop = asyncio.Semaphore(_AT_ONCE), asyncio.get_running_loop()

    async def come_in(client: Asker, port: int) -> None:
        async with gate, asyncio.timeout(_SECONDS):
            await loop.create_connection(lambda: client, "127.0.0.1", port)
            reached.append(client)
            await client.ready

    clients = [Asker(way, token, _nobody) for way, token in ways]
    ports = [way.port for way, _ in ways]
    reached: list[Asker] = []
    try:
        await come_in(clients[0], ports[0])  # one alone is told that nobody is let in
        async with asyncio.TaskGroup() as group:
            for client, port in zip(clients[1:], ports[1:], strict=True):
                group.create_task(come_in(client, port))
    except BaseException:
        await hang_up(reached)
        raise
    return clients


async def hang_up(clients: list[Asker]) -> None:
    for client in clients:
        client.abort()
    await asyncio.sleep(0)


def _nobody() -> None:
    """Whoever asks is told by the answer that never comes."""
