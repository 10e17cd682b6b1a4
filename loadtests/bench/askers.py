"""A light client that sends commands and hears their answers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson

from loadtests.bench.sockets import LightClient, Way

Json = dict[str, Any]

_EVENT_ACK: Final = b'{"event":"ack"'
_PACKET_ACK: Final = b"43"


class Asker(LightClient):
    """A client with commands under way, on either door. What it is sent beside answers is counted as updates."""

    def __init__(self, way: Way, token: str | None, gone: Callable[[], None]) -> None:
        super().__init__(way, token, gone)
        self._asked: dict[object, asyncio.Future[Json]] = {}
        self._number = 0
        self.packets = way.kind == "socketio"

    def ask(self, fields: Json, event: str = "command") -> "asyncio.Future[Json]":
        """Sends the request; its answer, {ok, ...}. Raises ConnectionError when the server hangs up first."""
        answer = self._promise()
        if self.packets:
            self._number += 1
            self._asked[self._number] = answer
            self._send_text(b'42%d["%b",%b]' % (self._number, event.encode(), orjson.dumps(fields)))
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
        if self.packets and payload.startswith(_PACKET_ACK):
            number, _, document = payload[len(_PACKET_ACK) :].partition(b"[")
            self._acknowledged(int(number), orjson.loads(document[:-1]))
        elif payload.startswith(_EVENT_ACK):
            answer = orjson.loads(payload)
            self._acknowledged(answer["commandId"], answer)
        else:
            self.updates += 1  # no more than that is kept of what may go on for hours

    def _acknowledged(self, asked: object, answer: Json) -> None:
        future = self._asked.pop(asked)
        if not future.done():  # its caller may have been cancelled
            future.set_result(answer)
