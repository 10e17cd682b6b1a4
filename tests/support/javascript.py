"""The official JavaScript client, in a Node process that does what the tests say. None of our code is in it."""

import asyncio
import base64
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from loadtests.bench.build import MissingError, install
from loadtests.bench.child import Child, child
from tests.support.raw_socketio import Listener
from tests.support.shops import Json

_SOURCE: Final = Path(__file__).parents[1] / "acceptance" / "socketio_js"


async def install_client() -> None:
    """Its locked packages, beside the driver. Skips the test without Node or npm; in CI, where they have to be, fails.

    Blocking, but for npm.
    """
    try:
        await install(_SOURCE)
    except MissingError as missing:
        words = f"the official JavaScript client was not tried: {missing}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)


def octets(value: bytes) -> Json:
    """Bytes in what is sent: JavaScript has them as a Buffer."""
    return {"$bytes": base64.b64encode(value).decode()}


class JavaScriptClient(Listener):
    """One `io(...)`. It hears `connect`, `connect_error`, `disconnect` and `upgrade`, too."""

    def __init__(self, node: "Node", name: str) -> None:
        super().__init__()
        self._node = node
        self._name = name

    async def open(self, url: str, options: Json) -> None:
        """Begins to connect. options: those of `io`."""
        self.identify((options.get("auth") or {}).get("token"))
        await self._node.does("open", socket=self._name, url=url, options=options)

    async def ask(self, event: str, *arguments: object) -> Any:  # noqa: ANN401 - any JSON
        return await self._node.does("ask", socket=self._name, event=event, args=arguments)

    async def tell(self, event: str, *arguments: object) -> None:
        """Sends an event without asking for an ack."""
        await self._node.does("tell", socket=self._name, event=event, args=arguments)

    async def close(self) -> None:
        await self._node.does("close", socket=self._name)

    async def take(self, event: str, data: object) -> None:
        """What the driver tells of it."""
        await self._hear(event, data)


class Node:
    """The process, with any number of clients."""

    def __init__(self, process: Child) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._clients: dict[str, JavaScriptClient] = {}
        self._listening = asyncio.create_task(self._listen())

    async def open(self, url: str, **options: Any) -> JavaScriptClient:  # noqa: ANN401 - those of `io`
        """A client that has begun to connect."""
        name = f"socket{len(self._clients)}"
        client = self._clients[name] = JavaScriptClient(self, name)
        await client.open(url, options)
        return client

    async def does(self, what: str, **fields: Any) -> Any:  # noqa: ANN401 - any JSON
        """The driver's answer. Raises RuntimeError with the words of its error."""
        assert not self._listening.done(), "Node has ended"
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._process.tell(orjson.dumps({"id": number, "do": what, **fields}))
        return await answer

    async def _listen(self) -> None:
        while True:
            line = orjson.loads(await self._process.hear())
            if "socket" in line:
                await self._clients[line["socket"]].take(line["event"], line["data"])
            elif "problem" in line:
                self._asked.pop(line["id"]).set_exception(RuntimeError(line["problem"]))
            else:
                self._asked.pop(line["id"]).set_result(line["answer"])

    async def end(self) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)


@asynccontextmanager
async def node_process() -> AsyncIterator[Node]:
    """Started; ended with everything that it opened."""
    async with child("node", _SOURCE / "driver.js") as process:
        node = Node(process)
        try:
            yield node
        finally:
            await node.end()
