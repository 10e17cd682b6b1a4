"""REST, and the beginning of every other door: any request at all is answered as the contract says."""

import asyncio
import itertools
from dataclasses import dataclass
from urllib.parse import quote

import orjson
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from barberpro.handlers.rest.routes import ROUTES
from barberpro.protocol.codes import HTTP_STATUS, ErrorCode
from tests.fuzz.documents import Flips, anything, commands, flipped, flips, spoil, texts, written
from tests.fuzz.effort import examples
from tests.fuzz.target import Target
from tests.fuzz.verdict import is_refusal, tells_nothing
from tests.support.shops import Json

STREAM = "/api/v1/queue/stream"
PATHS = [
    *sorted({route.path for route in ROUTES}), STREAM, "/socket.io/", "/ws/queue/{barberId}",
    "/ws/booking/{bookingId}", "/display/{shopId}", "/display/{shopId}/token", "/join/{shopId}",
    "/static/{name}", "/static/0/{name}", "/asyncapi.json", "/{name}",
]  # fmt: skip
OWN = {
    "barberId": "bb_1", "bookingId": "bk_1_1", "shopId": "sh_1", "deviceId": "dv_1",
    "name": "display.js", "sessionId": "ss_1", "paymentId": "pm_1_1", "exportId": "ex_1",
    "serviceId": "sv_1", "staffId": "us_1", "invitationId": "ch_1", "reviewId": "rt_1", "flagName": "beta",
}  # fmt: skip
_NUMBERS = itertools.count()
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"]
PARAMETERS = [
    "limit", "after", "cursor", *OWN, "format", "EIO", "transport", "sid", "j", "epoch", "seq", "x", "from", "to",
    "period", "date", "kind", "method", "status", "problem", "serviceIds", "lat", "lng", "radiusKm", "q", "service",
    "openNow", "freeAt", "freeMinutes", "minRating", "sort", "userId", "userType", "email", "phone", "active",
]  # fmt: skip
VALUES = st.sampled_from(
    ["bb_1", "bk_1_1", "sh_1", "1", "0", "500", "10000000000000000", "polling", "websocket", "4"]
) | st.sampled_from(
    [
        "day",
        "month",
        "2026-11-21",
        "2999-12-31",
        "2026-11-21T09:30:00Z",
        "9999-12-31T23:59:59-12:00",
        "0.a",
        "tip",
        "12.97",
        "-1e308",
        "nan",
        "true",
        "wait",
        "distance",
        "sv_1,sv_1",
        "cut",
        "राजेश",
        "%",
        "a@example.com",
    ]
)
HEADERS = [
    "Idempotency-Key", "X-Request-Id", "Last-Event-ID", "Accept", "Origin", "Authorization", "Range", "Cookie",
    "Expect", "Content-Type", "Content-Encoding", "If-None-Match", "Upgrade", "Sec-WebSocket-Key", "traceparent",
]  # fmt: skip
HEADER_VALUES = st.sampled_from(
    [b"1:2", b"999999999999999999:1", b"Bearer", b"Bearer \xff", b"gzip", b"deflate", b"bytes=5-1", b"100-continue",
     b"websocket", b"application/openmetrics-text;version=x", b"text/event-stream", b"*/*;q=x"]
) | st.binary(max_size=40)  # fmt: skip
WHEN = {"bookingDate": "2026-11-21", "preferredTime": "09:30"}
BODIES: list[Json] = [
    {"barberId": "bb_1", "serviceIds": ["sv_1"], "customer": {"name": "Asha", "phone": "12345"}, "notes": "short"},
    {"barberId": "bb_1", "serviceIds": ["sv_1"], **WHEN},
    {"status": "cancelled", "reason": "late"},
    {"status": "waiting", "to": "front"},
    {"status": "serving", "expect": {"seq": 1}},
    WHEN,
    {"email": "a@example.com", "password": "correct horse", "name": "Asha", "userType": "barber", "language": "en"},
    {"phone": "+919876543210", "password": "correct horse"},
    {"challengeId": "ch_1", "code": "123456"},
    {"token": "ch_1.x", "password": "correct horse"},
    {"refreshToken": "ss_1.0.x"},
    {"idToken": "a.b.c"},
    {"code": "BCDF-GHJK", "name": "By the till"},
    {"code": "0123456789ab", "ticket": "none"},
    {"kind": "display"},
    {"method": "cash", "amount": "1.00", "tip": "0.50"},
    {"amount": "1.00", "reason": "so it was"},
    {"report": "bookings", "format": "pdf", "from": "2026-11-01", "to": "2026-11-30", "shopId": "sh_1"},
    {
        "name": "Corner",
        "timeZone": "Asia/Kolkata",
        "currency": "JPY",
        "latitude": 12.9,
        "longitude": 77.6,
        "openingHours": {"mon": [["09:00", "24:00"]]},
        "settings": {"graceMinutes": 2.5, "slotMinutes": 15},
    },
    {"name": "Cut", "price": "250.005", "durationMinutes": 25, "active": False},
    {"offered": True, "price": "9.90", "durationMinutes": None},
    {"email": "ben@example.com", "role": "owner", "name": "Ben", "language": "hi"},
    {"invitationId": "ch_1", "code": "123456", "name": "Ben"},
    {"name": "Asha", "photoUrl": "https://pictures.example/asha.jpg"},
    {
        "shifts": {"mon": [["09:00", "13:00"]]},
        "breaks": {},
        "exceptions": [{"date": "2026-12-24", "shifts": []}],
        "daysOff": ["2026-12-25"],
        "revision": 1,
    },
    {"rating": 5, "review": "Neat."},
    {"text": None},
    {"hidden": True, "reason": "rude"},
    {"percentage": 50, "targetUsers": ["us_1"], "description": "new"},
    {"secret": "0123456789012345678901234567890123456789012"},
]
bodies = (
    st.just(b"")
    | (commands | st.sampled_from(BODIES).flatmap(spoil).map(lambda spoiled: spoiled[0]) | anything).map(written)
    | st.binary(max_size=60)
)


@dataclass(frozen=True)
class Request:
    """who: which of the target's tokens. odd: headers beside the usual ones."""

    method: str
    path: str
    ids: dict[str, str]
    query: dict[str, str]
    odd: dict[str, bytes]
    body: bytes
    who: int

    def raw(self, target: Target) -> bytes:
        path = self.path
        for name, own in OWN.items():
            path = path.replace(f"{{{name}}}", _quoted(self.ids.get(name, own)))
        query = "&".join(f"{name}={_quoted(value)}" for name, value in self.query.items())
        headers = {"Host": b"x", "Content-Type": b"application/json"}
        # From another address each time: what guards secrets would soon refuse all but the first.
        headers["X-Forwarded-For"] = b"10.%d.%d.1" % divmod(next(_NUMBERS) % 65_536, 256)
        headers["Authorization"] = f"Bearer {target.tokens[self.who]}".encode()
        headers |= {name: value.translate(None, b"\r\n\0") for name, value in self.odd.items()}
        body = target.placed(self.body)
        headers |= {"Content-Length": b"%d" % len(body), "Connection": b"close"}
        lines = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in headers.items())
        return target.placed(f"{self.method} {path}?{query} HTTP/1.1\r\n".encode()) + lines + b"\r\n" + body


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


requests = st.builds(
    Request,
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.dictionaries(st.sampled_from(list(OWN)), texts, max_size=1),
    st.dictionaries(st.sampled_from(PARAMETERS), VALUES | texts, max_size=3),
    st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES, max_size=2),
    bodies,
    st.integers(0, 5),
)


async def said(target: Target, raw: bytes, *, more: bool) -> bytes:
    """All that the server says to these bytes; of a stream, how it begins. more: whether the client may go on."""
    url = URL(target.live.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    answer = b""
    try:
        writer.write(raw)
        if not more:
            writer.write_eof()
        async with asyncio.timeout(20):
            while b"\ndata: " not in answer and (piece := await reader.read(65_536)):
                answer += piece
    except ConnectionResetError:
        pass  # bytes that nobody wanted to read
    finally:
        writer.transport.abort()
    return answer


def judge(answer: bytes) -> None:
    """Fails unless it is an answer of the contract, and no defect of ours."""
    head, _, body = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status < 500 or status == HTTP_STATUS[ErrorCode.PERSISTENCE_UNAVAILABLE], answer
    assert b"x-request-id: " in head.lower(), head
    if status < 400 or not body:  # a HEAD's answer has none
        return
    told = orjson.loads(body)
    if isinstance(told, str):
        assert b"text/plain" in head, "Engine.IO's own words for what is no session of it"
        tells_nothing(told)
        return
    assert told.keys() == {"success", "error", "meta"}
    assert told["success"] is False
    is_refusal(told["error"])


@examples(250, shrunk=False)
@given(request=requests)
async def test_any_request_is_answered_as_the_contract_says(target: Target, request: Request) -> None:
    judge(await said(target, request.raw(target), more=True))


@examples(120, shrunk=False)
@given(request=requests, turned=flips, size=st.integers(0, 3000))
async def test_any_bytes_do_no_harm(target: Target, request: Request, turned: Flips, size: int) -> None:
    answer = await said(target, flipped(request.raw(target)[:size], turned), more=False)
    assert not answer or answer.startswith(b"HTTP/1."), answer
