"""Users who watch a queue's room, and come back after every cut as docs/protocol.md tells clients to.

Whoever was told when to come back waits as long; who was cut without a word, or not let in, waits a little longer each
time, with jitter. Each time one of the servers is tried, as a balancer would choose; the next time another.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from loadtests.bench.askers import Asker
from loadtests.bench.entrance import nobody
from loadtests.bench.sockets import Way

Json = dict[str, Any]
Version = tuple[int, int]

NOTHING: Final[Version] = (0, 0)
"""What a queue shows that was never used."""
_VERSION: Final = re.compile(rb'"epoch":(\d+),"seq":(\d+)')
_RESTART: Final = re.compile(rb'"server_restarting".{1,3}"reconnectAfterMs":(\d+)')
ANSWERS: Final = (b"43", b'{"event":"subscribed"')
"""What the answer to a subscription begins with."""
_HEAD: Final = 100
"""A message's name is within so many bytes."""
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_SECONDS: Final = 30.0


@dataclass(slots=True)
class Story:
    """What became of all viewers. acknowledged, refused: the final answers by commandId.

    backwards: messages that were older than what the viewer had. unannounced: cuts without `server_restarting`.
    not_first: messages that came before the answer to a subscription where that has to be the first.
    turned_away: attempts to come in that failed. repeated: commands sent again.
    """

    acknowledged: dict[str, Json] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    backwards: int = 0
    announced: int = 0
    unannounced: int = 0
    not_first: int = 0
    turned_away: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    replayed: int = 0

    @property
    def cuts(self) -> int:
        return self.announced + self.unannounced


class Viewer:
    """One user's place before a queue. version: the (epoch, seq) of what it shows; updates: states it was sent.

    patience: seconds that `ask` takes at most. come_in: seconds until it is let in, before it tries anew.
    longest_pause: between two tries, in seconds.
    """

    patience: float | None = _SECONDS
    come_in: float = _SECONDS
    longest_pause: float = _LONGEST_PAUSE

    def __init__(
        self,
        door: Literal["socketio", "websocket"],
        ports: Sequence[int],
        barber_id: str,
        token: str,
        story: Story,
    ) -> None:
        self.barber_id = barber_id
        self.version = NOTHING
        self.updates = 0
        self.story = story
        self._door: Literal["socketio", "websocket"] = door
        self._ports = ports
        self._token = token
        self._visit: _Visit | None = None
        self._here = asyncio.Event()

    @property
    def here(self) -> bool:
        """Whether a server has let it in and answered its subscription."""
        return self._here.is_set()

    async def run(self) -> None:
        """Comes in, and comes back, until it is cancelled; hangs up then."""
        turn, tries = random.randrange(len(self._ports)), 0
        try:
            while True:
                visit = await self._come_in(self._ports[(turn + tries) % len(self._ports)])
                if visit is None:
                    tries += 1
                    await asyncio.sleep(_backoff(tries, self.longest_pause))
                    continue
                pause = await visit.over
                self.story.announced += pause is not None
                self.story.unannounced += pause is None
                turn, tries = random.randrange(len(self._ports)), 0
                await asyncio.sleep(_backoff(tries, self.longest_pause) if pause is None else pause)
        finally:
            if self._visit is not None:
                self._visit.abort()

    async def _come_in(self, port: int) -> "_Visit | None":
        way = self._way(port)
        visit = _Visit(way, self._token, self)
        try:
            async with asyncio.timeout(self.come_in):
                await asyncio.get_running_loop().create_connection(lambda: visit, way.host, way.port)
                await visit.let_in()
        except OSError as error:
            self.story.turned_away[type(error).__name__] += 1
            return None
        return visit

    def _way(self, port: int) -> Way:
        since = self.version if self.version != NOTHING else None
        if self._door == "socketio":
            return Way("socketio", port, room=f"queue:{self.barber_id}", since=since, greeted=True)
        query = "" if since is None else "?epoch={}&seq={}".format(*since)
        return Way("websocket", port, path=f"/ws/queue/{self.barber_id}{query}", greeted=True)

    async def ask(self, fields: Json) -> Json:
        """The command's final answer; until it has come the same command is sent again, to whichever server.

        Raises TimeoutError when it does not come.
        """
        async with asyncio.timeout(self.patience):
            while True:
                await self._here.wait()
                assert self._visit is not None
                try:
                    answer = await self.attempt(self._visit, fields)
                except ConnectionError:
                    self.story.repeated += 1
                    continue
                if answer["ok"] or not answer["error"]["temporary"]:
                    self._note(fields["commandId"], answer)
                    return answer
                self.story.repeated += 1
                await asyncio.sleep(_backoff(0, self.longest_pause))

    async def attempt(self, visit: Asker, fields: Json) -> Json:
        """Sends the command once. Raises ConnectionError when there is no answer."""
        return await visit.ask(fields)

    def _note(self, command_id: str, answer: Json) -> None:
        if answer["ok"]:
            self.story.acknowledged[command_id] = answer["data"]
            self.story.replayed += answer["replayed"]
        else:
            self.story.refused[command_id] = answer["error"]["code"]

    # What its connection tells -------------------------------------------------------------------------------------

    def shows(self, payload: bytes) -> None:
        """The answer to its subscription, or a state."""
        found = _VERSION.search(payload)
        assert found is not None, payload[:_HEAD]
        version = int(found[1]), int(found[2])
        self.story.backwards += version < self.version
        self.version = max(version, self.version)

    def let_in(self, visit: "_Visit") -> None:
        self._visit = visit
        self._here.set()

    def cut(self) -> None:
        self._here.clear()


class _Visit(Asker):
    """One connection of a viewer. over: done when it has ended, with the seconds that it was told to wait, or None."""

    def __init__(self, way: Way, token: str, viewer: Viewer) -> None:
        super().__init__(way, token, nobody)
        self.over = self._promise()
        self._pause: float | None = None
        self._viewer = viewer

    async def let_in(self) -> None:
        """Comes back when its subscription is answered. Raises ConnectionError; it has hung up then."""
        try:
            await self.ready
        except BaseException:
            self.abort()
            raise

    def connection_lost(self, error: Exception | None) -> None:
        self._viewer.cut()
        if not self.over.done():  # whose watcher may have been cancelled
            self.over.set_result(self._pause)
        super().connection_lost(error)

    def _greeting(self, payload: bytes) -> None:
        if not payload.startswith(ANSWERS):
            self._viewer.story.not_first += not self.packets and b'"server_restarting"' not in payload[:_HEAD]
            self._told(payload)
            return
        super()._greeting(payload)
        if self._let:
            self._viewer.shows(payload)
            self._viewer.let_in(self)

    def _told(self, payload: bytes) -> None:
        if b'"queue_updated"' in payload[:_HEAD]:
            self._viewer.updates += 1
            self._viewer.shows(payload)
        elif restart := _RESTART.search(payload, 0, _HEAD):
            self._pause = int(restart[1]) / 1000
        else:
            super()._told(payload)


def _backoff(tries: int, longest: float) -> float:
    """Seconds before the next try, after so many that failed."""
    return min(longest, _FIRST_PAUSE * 2.0**tries) * random.uniform(0.5, 1.0)
