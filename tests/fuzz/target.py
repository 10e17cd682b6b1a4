"""A live server to throw things at. Holds no tests itself."""

import asyncio
from typing import Any, Final

import aiohttp
import orjson

from barberpro.protocol.actors import Actor, Role
from tests.support.live_server import LiveServer
from tests.support.raw_socketio import SECONDS, raw_client
from tests.support.shops import Json, TestShop, customer, new_id, send
from tests.support.socket_door import display_of

_TIMERS: Final = frozenset(
    {"GuardedServer._come_in_or_go", "AsyncSocket._send_ping", "AsyncServer._service_task", "Event.wait"}
)
"""Of Socket.IO: each connection is looked at once more after some seconds, whether it is still there or not; and its
library looks at all of them now and then."""


class Target:
    """A server with a shop of two open lines, in which three people wait.

    tokens: of everybody who may come in, of whatever role; one of them is nobody's.
    """

    def __init__(self, live: LiveServer, shop: TestShop, bookings: list[str]) -> None:
        self.live = live
        self.shop = shop
        self._ids = {b"bb_1": shop.barbers[0], b"bb_2": shop.barbers[1], b"sv_1": shop.service}
        self._ids |= {b"bk_1_1": bookings[1], b"sh_1": shop.shop_id}
        guest = Actor("gt_1", Role.GUEST, booking_id=bookings[2])
        people = [customer(1), customer(9), shop.staff[0], guest, display_of(shop)]
        self.tokens = [*map(live.tokens.mint, people), "nobody's"]
        self._tasks: set[asyncio.Task[Any]] = asyncio.all_tasks()

    @classmethod
    async def stand(cls, live: LiveServer) -> "Target":
        shop = await TestShop.create(live.node)
        await shop.open(live.node)
        return cls(live, shop, await shop.fill(live.node, 3))

    def placed(self, sent: bytes) -> bytes:
        """What is sent, with ids that there are for those of `whole`."""
        for name, real in self._ids.items():
            sent = sent.replace(name, real.encode())
        return sent

    async def serves_as_ever(self) -> None:
        """A client of another shop comes in, joins, and sees it."""
        shop = await TestShop.create(self.live.node)
        await shop.open(self.live.node)
        room = f"queue:{shop.barbers[0]}"
        async with raw_client(self.live.url, {"token": self.tokens[0]}) as client:
            assert (await client.subscribe(room))["ok"]
            assert (await client.command(commandId=new_id(), **shop.join()))["ok"]
            await client.hears("queue_updated", lambda state: state["next"] is not None)
        headers = {"Authorization": f"Bearer {self.tokens[0]}"}
        async with (
            aiohttp.ClientSession(self.live.url, headers=headers) as http,
            http.ws_connect(f"/ws/queue/{shop.barbers[0]}") as socket,
        ):
            told: Json = orjson.loads(await socket.receive_str(timeout=SECONDS))
            assert told["state"]["next"]["tokenNumber"] == 1
        await send(self.live.node, shop.staff[0], type="advance", barberId=shop.barbers[0])

    async def holds_nothing(self) -> None:
        """Waits until nothing is left of any connection: no session, no room, no view, no task."""
        try:
            async with asyncio.timeout(SECONDS):
                while self._left():  # noqa: ASYNC110 - the doors tell nobody
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"left behind: {self._left()}") from None

    def _left(self) -> list[object]:
        doors = self.live.running.doors
        tasks = asyncio.all_tasks() - self._tasks - {asyncio.current_task()}
        return [
            *doors.connections._live,
            # Those that are over are swept up once a minute.
            *(each.sid for each in doors.socketio.server.eio.sockets.values() if not each.closed),
            *doors.hub._watched,
            *(+self.live.node.views._holders),
            *doors._websocket._wires._open,
            *(task for task in tasks if not _goes_on(task)),
        ]


def _goes_on(task: "asyncio.Task[Any]") -> bool:
    """Whether it is no connection's: a timer of Socket.IO, or of the library of jobs, which waits in new tasks."""
    coroutine: Any = task.get_coro()
    frame = coroutine.cr_frame
    own = type(frame.f_locals.get("self")).__module__ if frame is not None else ""
    jobs = own.startswith("pgqueuer") or coroutine.cr_code.co_filename.endswith("pgqueuer/core/listeners.py")
    return jobs or coroutine.__qualname__ in _TIMERS
