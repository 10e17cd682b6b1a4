"""python-socketio as shipped: `await sio.emit(event, payload, room=...)`, on aiohttp with uvloop.

Usage: python -m loadtests.peers.emitter PAYLOAD_FILE
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import orjson
import socketio
import uvloop
from aiohttp import web

_ROOM: Final = "room"


async def _serve(payload: object) -> None:
    sio = socketio.AsyncServer(async_mode="aiohttp")

    async def enter(sid: str, _environ: object, _auth: object = None) -> None:
        await sio.enter_room(sid, _ROOM)

    sio.on("connect", enter)
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print("listening", runner.addresses[0][1], flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        await sio.emit("queue_updated", payload, room=_ROOM)


if __name__ == "__main__":
    uvloop.run(_serve(orjson.loads(Path(sys.argv[1]).read_bytes())))
