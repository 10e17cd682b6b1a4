"""Socket.IO, on both transports: whatever packets come, each request is answered, or the connection is ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.documents import anything, commands, flipped, flips, texts, written
from tests.fuzz.effort import examples
from tests.fuzz.target import Target
from tests.fuzz.verdict import is_ack, is_refusal
from tests.support.raw_socketio import SECONDS

PATH = "/socket.io/?EIO=4&transport="
NAMES = ["command", "command", "subscribe", "unsubscribe", "request_queue_stream", "authenticate"]
EVENTS = st.sampled_from(NAMES) | texts
ROOMS = st.sampled_from(["queue:bb_1", "queue:bb_2", "booking:bk_1_1", "display:sh_1"]) | texts
DOCUMENTS = (
    commands
    | st.fixed_dictionaries({"room": ROOMS}, optional={"since": anything})
    | st.fixed_dictionaries({}, optional={"barberId": st.just("bb_1") | texts, "token": texts})
    | anything
)
REQUESTS = st.builds(lambda event, document: b"42#" + written([event, document]), EVENTS, DOCUMENTS)
OTHERS = st.builds(
    lambda head, document: head + written(document),
    st.sampled_from([b"42/x,#", b"42", b"451-#", b"43#", b"40", b"46#", b"44", b"4"]),
    st.tuples(EVENTS, DOCUMENTS) | anything,
).filter(lambda packet: not packet.startswith(b"41"))
"""Both with a # where the number belongs. None says goodbye, as 4 and 1 would: then nothing would be answered."""
SPOILED = st.builds(flipped, REQUESTS | OTHERS | st.just(b"41"), flips) | st.binary(max_size=30)
HEARD = {"queue_updated", "booking_updated", "display_updated"}


def numbered(packets: list[bytes]) -> list[bytes]:
    return [packet.replace(b"#", b"%d" % number, 1) for number, packet in enumerate(packets)]


class Judge:
    """Looks at what the server says. waiting: the requests that it has not answered."""

    def __init__(self, packets: list[bytes]) -> None:
        self.waiting = {number for number, packet in enumerate(packets) if packet.startswith(b"42#")}
        self.let_in = False

    def look(self, packet: bytes) -> None:
        """Fails unless it is a packet of the contract."""
        head, told = packet[:2], packet[2:]
        if head == b"43":
            number, _, answer = told.partition(b"[")
            is_ack(orjson.loads(b"[" + answer)[0])
            self.waiting.discard(int(number))
        elif head == b"44":
            refusal = orjson.loads(told[told.index(b"{") :])
            is_refusal({"details": {}, **refusal["data"]})
        elif head == b"42":
            assert orjson.loads(told)[0] in HEARD, packet
        else:
            self.let_in = self.let_in or head == b"40"
            assert head == b"40" or packet[:1] in {b"0", b"2", b"6"}, packet


async def hear(socket: aiohttp.ClientWebSocketResponse, judge: Judge) -> bool:
    """Whether there was another packet; else the connection has ended, as it may."""
    message = await socket.receive(timeout=SECONDS)
    if message.type is not aiohttp.WSMsgType.TEXT:
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        assert socket.close_code in {1000, 1002, 1007, 1009}, message
        return False
    judge.look(message.data.encode())
    return True


def greeting(target: Target, who: int) -> bytes:
    return b'40{"token":"%b"}' % target.tokens[who].encode()


@asynccontextmanager
async def websocket(target: Target) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession(target.live.url) as http, http.ws_connect(f"{PATH}websocket") as socket:
        yield socket


@examples(150, shrunk=False)
@given(packets=st.lists(REQUESTS | OTHERS, min_size=1, max_size=6), who=st.integers(0, 4))
async def test_each_request_on_a_websocket_is_answered_or_ends_it(
    target: Target, packets: list[bytes], who: int
) -> None:
    judge = Judge(packets)
    async with websocket(target) as socket:
        for packet in [greeting(target, who), *numbered(packets)]:
            await socket.send_frame(target.placed(packet), aiohttp.WSMsgType.TEXT)
        while judge.waiting and await hear(socket, judge):
            pass


@examples(60, shrunk=False)
@given(auth=anything | st.builds(lambda token: {"token": token}, texts | anything))
async def test_a_handshake_without_a_good_token_is_refused_and_may_be_repeated(target: Target, auth: object) -> None:
    judge = Judge([])
    async with websocket(target) as socket:
        for packet in (b"40" + written(auth), greeting(target, 0)):
            await socket.send_frame(packet, aiohttp.WSMsgType.TEXT)
        while not judge.let_in and await hear(socket, judge):
            pass


@examples(80, shrunk=False)
@given(packets=st.lists(SPOILED, max_size=6))
async def test_any_packets_do_no_harm(target: Target, packets: list[bytes]) -> None:
    async with websocket(target) as socket:
        try:
            for packet in [greeting(target, 0), *numbered(packets)]:
                await socket.send_frame(target.placed(packet), aiohttp.WSMsgType.TEXT)
        except ConnectionResetError:
            return  # it has had enough


class Poller:
    """A polling session."""

    def __init__(self, http: aiohttp.ClientSession, opened: bytes) -> None:
        self._http = http
        self._url = f"{PATH}polling&sid={orjson.loads(opened[1:])['sid']}"

    async def post(self, body: bytes) -> bool:
        """Whether the session goes on; else it was refused as the contract says."""
        async with self._http.post(self._url, data=body) as answer:
            if answer.status == 200:
                return True
            is_refusal(orjson.loads(await answer.read())["error"])
            return False

    async def poll(self) -> list[bytes]:
        async with self._http.get(self._url, timeout=aiohttp.ClientTimeout(SECONDS)) as answer:
            assert answer.status == 200
            return (await answer.read()).split(b"\x1e")


@examples(60, shrunk=False)
@given(packets=st.lists(REQUESTS | OTHERS, min_size=1, max_size=6), who=st.integers(0, 4))
async def test_each_request_of_a_poller_is_answered_or_ends_it(target: Target, packets: list[bytes], who: int) -> None:
    judge = Judge(packets)
    async with aiohttp.ClientSession(target.live.url) as http:
        async with http.get(f"{PATH}polling") as answer:
            poller = Poller(http, await answer.read())
        bodies = [greeting(target, who), b"\x1e".join(map(target.placed, numbered(packets)))]
        if all([await poller.post(body) for body in bodies]):
            while judge.waiting:
                for packet in await poller.poll():
                    judge.look(packet)
            assert await poller.post(b"1")
