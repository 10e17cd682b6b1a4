"""The peers' servers: which there are, how they are started, and why one is left out."""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from barberpro.protocol.frames import text_frame
from loadtests.bench.build import MissingError, install, run
from loadtests.bench.child import Child, child
from loadtests.bench.sockets import Way

LIMIT: Final = "c, one write a client"
NODE_SOCKETIO: Final = "node socket.io"
NODE_WS: Final = "node ws"
EMITTER: Final = "python-socketio emit"
ANSWERER: Final = "libraries, empty handlers"
_PEERS: Final = Path(__file__).parents[1] / "peers"
_NODE: Final = _PEERS / "node"


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server. `give` makes it send the payload to all of its clients once."""

    name: str
    process: Child
    way: Way

    async def give(self) -> None:
        self.process.tell(b"")


class Peers:
    """Starts peers that all give the same payload. missing: why those that cannot be started are left out."""

    def __init__(self, directory: Path) -> None:
        """directory: for what is built and written, away from the source."""
        self._directory = directory
        self.missing: dict[str, str] = {}

    async def prepare(self, payload: dict[str, Any], names: tuple[str, ...]) -> list[str]:
        """Writes the payload and builds what is to be built; the names of those that can run here."""
        message = orjson.dumps(payload)
        (self._directory / "payload").write_bytes(message)
        (self._directory / "frame").write_bytes(text_frame(message))
        node = partial(install, _NODE)
        builds: dict[str, Callable[[], Awaitable[None]]] = {LIMIT: self._compile, NODE_SOCKETIO: node, NODE_WS: node}
        for name in names:
            try:
                if name in builds:
                    await builds[name]()
            except MissingError as error:
                self.missing[name] = str(error)
        return [name for name in names if name not in self.missing]

    @asynccontextmanager
    async def server(self, name: str) -> AsyncIterator[Peer]:
        async with child(*self._command(name)) as process:
            port = int((await process.hear()).removeprefix(b"listening "))
            kind = {LIMIT: "plain", NODE_WS: "websocket"}.get(name, "socketio")
            yield Peer(name, process, Way(kind, port))  # type: ignore[arg-type]  # one of those words

    def _command(self, name: str) -> list[str | Path]:
        payload = self._directory / "payload"
        commands: dict[str, list[str | Path]] = {
            LIMIT: [self._directory / "limit", self._directory / "frame"],
            NODE_SOCKETIO: ["node", _NODE / "socketio.js", payload],
            NODE_WS: ["node", _NODE / "ws.js", payload],
            EMITTER: [sys.executable, "-m", "loadtests.peers.emitter", payload],
            ANSWERER: [sys.executable, "-m", "loadtests.peers.answerer"],
        }
        return commands[name]

    async def _compile(self) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise MissingError("there is no C compiler (cc, gcc or clang)")
        await run(compiler, "-O2", "-o", self._directory / "limit", _PEERS / "limit.c", directory=_PEERS)
