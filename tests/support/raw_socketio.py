"""python-socketio's own client, as an app would use it, that remembers what it hears. None of our SDK is in it."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import socketio

from tests.support.public_states import FORMS, WATCH
from tests.support.shops import Json

SECONDS = 20.0
TRANSPORTS = ("websocket", "polling")
EVENTS = (
    "queue_updated", "booking_updated", "display_updated", "session_expiring", "session_expired", "server_restarting",
)  # fmt: skip

_PUBLIC = frozenset({"customer", "guest", "display", "kiosk"})


class Listener(ABC):
    """A client of whatever make, that asks and remembers. `heard`: every event so far, by name, in order.

    What it is shown is looked at, too, when its token is none of staff's.
    """

    def __init__(self) -> None:
        self.public = False
        self.heard: dict[str, list[Any]] = defaultdict(list)
        self._news = asyncio.Condition()

    @abstractmethod
    async def ask(self, event: str, *arguments: object) -> Any:  # noqa: ANN401 - any JSON
        """The ack of an event sent with these arguments."""

    async def command(self, **document: object) -> Json:
        """The ack of a command."""
        ack: Json = await self.ask("command", document)
        return ack

    async def subscribe(self, room: str, **fields: object) -> Json:
        """The ack of a subscription."""
        ack: Json = await self.ask("subscribe", {"room": room, **fields})
        if ack.get("state") is not None:
            self._look(f"{room.partition(':')[0]}_updated", ack["state"])
        return ack

    def identify(self, token: object) -> None:
        """Whose eyes it has: told by its token, which nobody checks here."""
        with contextlib.suppress(jwt.InvalidTokenError):
            claims = jwt.decode(str(token), options={"verify_signature": False})
            self.public = claims.get("userType") in _PUBLIC

    def _look(self, event: str, data: Any) -> None:  # noqa: ANN401 - any JSON
        if self.public and event in FORMS:
            WATCH.look(event, data)

    async def _hear(self, event: str, data: object) -> None:
        self._look(event, data)
        async with self._news:
            self.heard[event].append(data)
            self._news.notify_all()

    async def hears(self, event: str, where: Callable[[Any], bool] = lambda _: True, times: int = 1) -> Any:  # noqa: ANN401 - any JSON
        """The last of so many of these events that are so, once there are as many."""
        async with asyncio.timeout(SECONDS), self._news:
            while len(found := [data for data in self.heard[event] if where(data)]) < times:
                await self._news.wait()
            return found[times - 1]


class RawClient(Listener):
    """`gone`: set when the connection has ended."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        super().__init__()
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=http)
        self.refusal: Json | None = None
        self._decided = asyncio.Event()
        self.gone = asyncio.Event()
        for event in EVENTS:
            self.socket.on(event, self._listener(event))
        self.socket.on("connect", self._let_in)
        self.socket.on("connect_error", self._refuse)
        self.socket.on("disconnect", lambda _reason: self.gone.set())

    def _listener(self, event: str) -> Callable[..., Any]:
        async def listen(data: object = None) -> None:
            await self._hear(event, data)

        return listen

    async def _let_in(self) -> None:
        self._decided.set()

    async def _refuse(self, error: object = None) -> None:
        self.refusal = error if isinstance(error, dict) else {"data": error}
        self._decided.set()

    async def connect(self, url: str, auth: object, transport: str) -> None:
        """Comes back when it was let in, or refused."""
        self.identify(auth.get("token") if isinstance(auth, dict) else None)
        # Told to wait, the library would wait half a minute more after a refusal, for a poll that nobody answers.
        await self.socket.connect(url, auth=auth, transports=[transport], wait=False)
        async with asyncio.timeout(SECONDS):
            await self._decided.wait()

    async def close(self) -> None:
        """Hangs up, and ends whatever the library left running."""
        await self.socket.eio.disconnect(abort=True)
        tasks = [task for task in (self.socket.eio.read_loop_task, self.socket.eio.write_loop_task) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, event: str, *arguments: object) -> Any:  # noqa: ANN401 - any JSON
        return await self.socket.call(event, arguments, timeout=SECONDS)

    async def ends(self) -> None:
        """Waits until the connection has ended."""
        async with asyncio.timeout(SECONDS):
            await self.gone.wait()


@asynccontextmanager
async def raw_client(url: str, auth: object, transport: str = "websocket") -> AsyncIterator[RawClient]:
    """A connected client, or one that was refused and has a `refusal`."""
    async with aiohttp.ClientSession() as http:
        client = RawClient(http)
        try:
            await client.connect(url, auth, transport)
            yield client
        finally:
            await client.close()


async def refusal_of(url: str, auth: object, transport: str) -> Json:
    """The data of the connect_error that a handshake gets; it must get one."""
    async with raw_client(url, auth, transport) as client:
        assert client.refusal is not None, "was let in"
        data: Json = client.refusal["data"]
        return data
