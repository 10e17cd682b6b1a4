"""What the libraries cost alone: a server that acknowledges every command at once, and does nothing else.

Socket.IO as python-socketio serves it on aiohttp, and aiohttp's own WebSocket; both on uvloop, with orjson.

Usage: python -m loadtests.peers.answerer
"""

import asyncio
import sys

import orjson
import socketio
import uvloop
from aiohttp import WSMsgType, web

from barberpro.handlers.realtime.socketio import Orjson

_ANSWER = {"ok": True, "replayed": False, "data": {}}


async def _acknowledge(_sid: str, _command: object) -> object:
    return _ANSWER


async def _websocket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            command = orjson.loads(message.data)
            answer = {"event": "ack", "commandId": command["commandId"], **_ANSWER}
            await socket.send_str(orjson.dumps(answer).decode())
    return socket


async def _serve() -> None:
    sio = socketio.AsyncServer(async_mode="aiohttp", json=Orjson, http_compression=False)
    sio.on("command", _acknowledge)
    app = web.Application()
    sio.attach(app)
    app.router.add_get("/ws", _websocket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("listening", runner.addresses[0][1], flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await lines.read()


if __name__ == "__main__":
    uvloop.run(_serve())
