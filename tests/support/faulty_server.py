"""A Socket.IO server of a few lines that loses acks, cuts connections and answers late, on demand.

It stands in for a network and a server that fail in a chosen moment; what a real server answers is tested
against the real one.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import socketio
from aiohttp import web
from aiohttp.test_utils import TestServer

State = dict[str, Any]


def queue_state(seq: int, epoch: int = 1, room: str = "queue:bb_1") -> State:
    return {"room": room, "epoch": epoch, "seq": seq, "cause": {"type": "join"}, "waiting": []}


class FaultyServer:
    """`commands`, `subscriptions`, `requests` and `tokens` record what came in; the rest is what it does."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []
        self.subscriptions: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.states: dict[str, State] = {}
        self.lost_acks = 0
        self.answers: list[dict[str, Any]] = []
        self.pages: list[web.Response] = []
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str], dict[str, Any] | None] = lambda _token: None
        self.cut_before_answer = 0
        self.before_ack: State | None = None
        self.command_came = asyncio.Event()
        self._done: dict[str, dict[str, Any]] = {}
        self._held = asyncio.Event()
        self._transports: dict[str, asyncio.Transport] = {}
        self._sio = socketio.AsyncServer(async_mode="aiohttp")
        for event in ("connect", "disconnect", "subscribe", "unsubscribe", "command", "authenticate"):
            self._sio.on(event, getattr(self, f"_on_{event}"))
        application = web.Application()
        self._sio.attach(application)
        application.router.add_get("/api/v1/{path:.*}", self._on_get)
        self._server = TestServer(application)

    async def start(self) -> str:
        """Returns the base URL."""
        await self._server.start_server()
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        self._held.set()
        self.cut()
        await self._sio.shutdown()
        await self._server.close()

    async def emit(self, event: str, data: dict[str, Any]) -> None:
        await self._sio.emit(event, data)

    async def publish(self, state: State) -> None:
        """The room's new state, to everyone."""
        self.states[state["room"]] = state
        await self._sio.emit("queue_updated", state)

    def cut(self) -> None:
        """Reset every TCP connection, without a closing word."""
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            transport.abort()

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
        self.tokens.append(auth["token"])
        refusal = self.refuse(auth["token"])
        if refusal is not None:
            raise socketio.exceptions.ConnectionRefusedError("refused", refusal)
        self._transports[sid] = environ["aiohttp.request"].transport

    async def _on_disconnect(self, sid: str, _reason: object = None) -> None:
        self._transports.pop(sid, None)

    async def _on_subscribe(self, sid: str, request: dict[str, Any]) -> dict[str, Any]:
        self.subscriptions.append(request)
        state = self.states.get(request["room"])
        if state is None:
            return refused("NOT_FOUND")
        if self.before_ack is not None:
            await self._sio.emit("queue_updated", self.before_ack, to=sid)
        version = {"epoch": state["epoch"], "seq": state["seq"]}
        current = request.get("since") == version
        return {
            "ok": True,
            "room": request["room"],
            **version,
            "upToDate": current,
            "state": None if current else state,
        }

    async def _on_unsubscribe(self, _sid: str, request: dict[str, Any]) -> dict[str, Any]:
        self.subscriptions.append({"left": request["room"]})
        return {"ok": True}

    async def _on_authenticate(self, _sid: str, request: dict[str, str]) -> dict[str, Any]:
        self.tokens.append(request["token"])
        return {"ok": True, "expiresAt": "2026-11-21T09:30:00.000Z"}

    async def _on_command(self, _sid: str, document: dict[str, Any]) -> dict[str, Any]:
        self.commands.append(document)
        self.command_came.set()
        if self.answers:
            return self.answers.pop(0)
        replayed = document["commandId"] in self._done
        if not replayed:
            self._done[document["commandId"]] = {
                "booking": {"bookingId": f"bk_1_{len(self._done)}"},
                "queue": {"barberId": "bb_1", "epoch": 1, "seq": len(self._done) + 1},
            }
        if self.lost_acks:
            self.lost_acks -= 1
            await self._held.wait()
        if self.cut_before_answer:
            self.cut_before_answer -= 1
            self.cut()
        return {"ok": True, "replayed": replayed, "data": self._done[document["commandId"]]}

    async def _on_get(self, request: web.Request) -> web.Response:
        self.requests.append((str(request.rel_url), request.headers["Authorization"]))
        return self.pages.pop(0)

    @property
    def carried_out(self) -> int:
        """How many different commands took effect."""
        return len(self._done)


def refused(code: str, *, temporary: bool = False) -> dict[str, Any]:
    """An ack that refuses."""
    return {"ok": False, "error": {"code": code, "message": code, "temporary": temporary, "details": {}}}
