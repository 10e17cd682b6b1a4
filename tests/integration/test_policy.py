"""Who may do what: every endpoint, command and room, tried by everybody, against a table that is only read here.

In a row, a caller's column says what they are told: `+` let in (whatever comes of it), `1` to say who they are (401),
`3` that their role may not (403), `4` that there is no such thing (404).
"""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
import pytest

from barberpro.domain import devices, guests, tickets
from barberpro.domain.policy import TABLE, Action
from barberpro.handlers import pages
from barberpro.handlers.services import ACCOUNTS
from barberpro.protocol.accounts import Contact
from barberpro.protocol.commands import COMMAND_TYPES
from barberpro.server.node import NodeOptions
from tests.support.callers import WITH_ACCOUNT, Scene, scene
from tests.support.commands import WHOLE
from tests.support.raw_socketio import raw_client
from tests.support.rest import tokens
from tests.support.shops import ADMIN, VIA, Json, new_id
from tests.support.things import EXPORT, THINGS, pairing

CALLERS: Final = (  # noqa: SIM905 - above the columns that it heads
    "nobody owner customer ticket ticket2 door door2 barber barber2 staff admin display display2 kiosk kiosk2"
).split()

#                     n o c t t d d b b s a d d k k
#                     o w u i 2 o 2 a 2 t d i 2 i 2
_EVERYBODY: Final = " + + + + + + + + + + + + + + +"
_STAFF_SEE: Final = " 1 4 4 4 4 4 4 + 4 + + 4 4 4 4"
_STAFF_ACT: Final = " 1 3 3 3 3 3 3 + 4 + + 3 3 3 3"
_RUNNERS: Final = "   1 3 3 3 3 3 3 + 4 4 + 3 3 3 3"
_HOLDERS: Final = "   1 + 4 + 4 3 3 + 4 + + 3 3 3 3"
_SEE_IT: Final = "    1 + 4 + 4 4 4 + 4 + + 4 4 4 4"
_JOIN: Final = "      1 + + 3 3 + 4 + 4 + + 3 3 + 4"
_LIST: Final = "      1 + + + + 3 3 + 4 + + 3 3 3 3"
_RATE: Final = "      1 + 4 3 3 3 3 3 3 3 3 3 3 3 3"
_QR: Final = "        1 4 4 4 4 4 4 + 4 + + + 4 + 4"

_ACCOUNTS: Final = "  1 + + 3 3 3 3 + + + + 3 3 3 3"
_OWN: Final = "       1 3 3 3 3 3 3 + + 4 3 3 3 3 3"
_ADMINS: Final = "    1 3 3 3 3 3 3 3 3 3 + 3 3 3 3"


OPEN: Final = {
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /asyncapi.json",
    "GET /openapi.json",
    "GET /static/{name}",
    "GET /static/{build}/{name}",
    "GET /api/v1/queue/{barberId}",
    "GET /api/v1/barbers/search",
    "GET /api/v1/barbers/{barberId}",
    "GET /api/v1/barbers/{barberId}/reviews",
    "GET /api/v1/barbers/{barberId}/slots",
    "POST /api/v1/shops/{shopId}/scan",
    "POST /api/v1/devices",
    "POST /api/v1/devices/token",
    "GET /api/v1/shops/{shopId}",
    "POST /api/v1/bookings/{bookingId}/ticket",
    "GET /.well-known/jwks.json",
    # To whoever asks for a display that is public; see below.
    "GET /display/{shopId}/token",
    # The same files for everybody: they ask for what they show.
    "GET /sw.js",
    "GET /app.webmanifest",
    *(f"GET {page.path}" for page in pages.ROUTES if page.files == ("text/html",)),
}
"""For everybody. What each needs to be asked for is in `_body`."""

BY_A_SECRET: Final = {
    "POST /api/v1/auth/register": (202, {"email": "{new}", "password": "correct horse"}),
    "POST /api/v1/auth/login": (401, {"email": "{new}", "password": "correct horse"}),
    "POST /api/v1/auth/login/google": (404, {"idToken": "a.b.c"}),
    "POST /api/v1/auth/login/firebase": (404, {"idToken": "a.b.c"}),
    "POST /api/v1/auth/verify-otp": (400, {"challengeId": "ch_1", "code": "123456"}),
    "POST /api/v1/auth/resend-otp": (404, {"challengeId": "ch_1"}),
    "POST /api/v1/auth/verify-email": (400, {"token": "ch_1.x", "password": "correct horse"}),
    "POST /api/v1/auth/forgot-password": (202, {"email": "{new}"}),
    "POST /api/v1/auth/reset-password": (400, {"token": "ch_1.x", "password": "correct horse"}),
    "POST /api/v1/auth/refresh": (401, {"refreshToken": "ss_1.0.x"}),
}
"""What is in the body says who one is, and whoever sends it makes no difference; what all are told of a wrong one."""

ENDPOINTS: Final = {
    "POST /api/v1/bookings": _JOIN,
    "GET /api/v1/bookings": _LIST,
    "POST /api/v1/bookings/{bookingId}/rate": _RATE,
    "PUT /api/v1/reviews/{reviewId}/answer": _RUNNERS,
    "PATCH /api/v1/admin/reviews/{reviewId}": _ADMINS,
    "PATCH /api/v1/bookings/{bookingId}": _HOLDERS,
    "GET /api/v1/bookings/{bookingId}": _SEE_IT,
    "GET /api/v1/bookings/{bookingId}/token": _SEE_IT,
    "GET /api/v1/bookings/{bookingId}/history": _SEE_IT,
    "GET /api/v1/queue/my-queue": _OWN,
    "GET /api/v1/barbers/me/availability": _OWN,
    "PATCH /api/v1/barbers/me/availability": _OWN,
    "GET /api/v1/bookings/{bookingId}/qr": _SEE_IT,
    "GET /api/v1/queue/{barberId}/events": _STAFF_SEE,
    "PATCH /api/v1/queue/{bookingId}/status": _STAFF_ACT,
    "PATCH /api/v1/queue/{bookingId}/skip": _STAFF_ACT,
    "GET /api/v1/shops/{shopId}/qr": _QR,
    "GET /api/v1/shops/{shopId}/join-code": _STAFF_SEE,
    "POST /api/v1/shops/{shopId}/join-code": _STAFF_ACT,
    "DELETE /api/v1/shops/{shopId}/join-code": _STAFF_ACT,
    "GET /api/v1/shops/{shopId}/devices": _STAFF_SEE,
    "POST /api/v1/shops/{shopId}/displays/pair": _STAFF_ACT,
    "POST /api/v1/shops/{shopId}/kiosks/pair": _STAFF_ACT,
    "DELETE /api/v1/shops/{shopId}/devices/{deviceId}": _STAFF_ACT,
    "POST /api/v1/auth/logout": _ACCOUNTS,
    "GET /api/v1/auth/me": _ACCOUNTS,
    "POST /api/v1/auth/contacts": _ACCOUNTS,
    "POST /api/v1/auth/contacts/verify": _ACCOUNTS,
    "GET /api/v1/auth/sessions": _ACCOUNTS,
    "DELETE /api/v1/auth/sessions/{sessionId}": _ACCOUNTS,
    "GET /api/v1/queue/earnings": _OWN,
    "GET /api/v1/queue/stats": _OWN,
    "GET /api/v1/payments": _STAFF_ACT,
    "GET /api/v1/payments/reconciliation": _STAFF_ACT,
    "POST /api/v1/payments/{bookingId}/record": _STAFF_ACT,
    "POST /api/v1/payments/{paymentId}/refund": _STAFF_ACT,
    "POST /api/v1/payments/{paymentId}/correct": _STAFF_ACT,
    "GET /api/v1/admin/analytics": _ADMINS,
    "GET /api/v1/admin/bookings": _ADMINS,
    "GET /api/v1/admin/payments": _ADMINS,
    "POST /api/v1/admin/reports/export": _ADMINS,
    "GET /api/v1/admin/reports/exports": _ADMINS,
    "GET /api/v1/admin/reports/exports/{exportId}": _ADMINS,
    "GET /api/v1/admin/reports/exports/{exportId}/file": _ADMINS,
    "GET /api/v1/admin/jobs": _ADMINS,
    "GET /api/v1/admin/audit": _ADMINS,
    "GET /api/v1/admin/letters": _ADMINS,
    "GET /api/v1/admin/blocks": _ADMINS,
    "POST /api/v1/admin/blocks": _ADMINS,
    "DELETE /api/v1/admin/blocks/{blockId}": _ADMINS,
    "POST /api/v1/shops": "                   1 3 3 3 3 3 3 + + + + 3 3 3 3",
    "PATCH /api/v1/shops/{shopId}": _RUNNERS,
    "GET /api/v1/shops/{shopId}/services": _STAFF_SEE,
    "POST /api/v1/shops/{shopId}/services": _RUNNERS,
    "PATCH /api/v1/shops/{shopId}/services/{serviceId}": _RUNNERS,
    "PUT /api/v1/shops/{shopId}/barbers/{barberId}/services/{serviceId}": _RUNNERS,
    "GET /api/v1/shops/{shopId}/staff": _STAFF_SEE,
    "DELETE /api/v1/shops/{shopId}/staff/{staffId}": _RUNNERS,
    "GET /api/v1/shops/{shopId}/invitations": "1 4 4 4 4 4 4 + 4 4 + 4 4 4 4",
    "POST /api/v1/shops/{shopId}/invitations": _RUNNERS,
    "DELETE /api/v1/shops/{shopId}/invitations/{invitationId}": _RUNNERS,
    "GET /api/v1/invitations": _ACCOUNTS,
    # There is none for any of them: see tests/integration/test_shops_staff.py.
    "POST /api/v1/invitations/accept": "      1 4 4 3 3 3 3 4 4 4 3 3 3 3 3",
    "PATCH /api/v1/barbers/me": "             1 3 3 3 3 3 3 + + 4 3 3 3 3 3",
    "GET /api/v1/flags": _ACCOUNTS,
    "GET /api/v1/admin/flags": _ADMINS,
    "PUT /api/v1/admin/flags/{flagName}": _ADMINS,
    "DELETE /api/v1/admin/flags/{flagName}": _ADMINS,
    "GET /api/v1/admin/users": _ADMINS,
    "GET /api/v1/admin/barbers": _ADMINS,
    "GET /api/v1/admin/shops": _ADMINS,
    "GET /api/v1/shops/{shopId}/analytics": _RUNNERS,
    # The last one, as it leaves nobody an account.
    "DELETE /api/v1/auth/account": _ACCOUNTS,
}
BY_ANOTHER_BODY: Final = {
    "POST /api/v1/bookings": ({"bookingDate": "", "preferredTime": "12:00"}, "1 + + 3 3 3 3 + 4 + + 3 3 3 3"),
    "PATCH /api/v1/bookings/{bookingId}": (
        {"bookingDate": "", "preferredTime": "12:00"},
        "1 + 4 3 4 3 3 + 4 + + 3 3 3 3",
    ),
    "PATCH /api/v1/queue/{bookingId}/status": ({"status": "cancelled"}, "1 + 4 + 4 3 3 + 4 + + 3 3 3 3"),
}
"""Endpoints where what is asked for depends on the body. A date of "" is the day after tomorrow."""
ELSEWHERE: Final = {
    "POST /api/v1/queue/commands",  # COMMANDS
    "GET /api/v1/queue/stream",  # ROOMS
    "GET /ws/queue/{id}",
    "GET /ws/booking/{id}",
    "GET /ws/display/{id}",
    "GET /socket.io/",
    "POST /socket.io/",
    "OPTIONS /socket.io/",
}

COMMANDS: Final = dict.fromkeys(COMMAND_TYPES, _STAFF_ACT) | {
    "join": _JOIN,
    "check_in": _HOLDERS,
    "step_back": _HOLDERS,
    "cancel": _HOLDERS,
}
ROOMS: Final = {
    "queue": "   1 + + + + + + + 4 + + + 4 + 4",
    "booking": _SEE_IT,
    "display": " 1 + + + + + + + + + + + + + +",
    "hidden": "  1 4 4 4 4 + 4 4 4 + + + 4 + 4",
}
_QUERIES: Final = {
    "GET /api/v1/barbers/{barberId}/slots": "?date=2030-01-01",
    # Of whoever works in two, it has to be told.
    "GET /api/v1/bookings": "?shopId={shopId}",
    "GET /api/v1/payments": "?shopId={shopId}",
    "GET /api/v1/payments/reconciliation": "?shopId={shopId}",
}
_TOLD: Final = {401: "1", 403: "3", 404: "4"}
_TOLD_BY_CODE: Final = {"UNAUTHORIZED": "1", "FORBIDDEN": "3", "NOT_FOUND": "4"}


@pytest.fixture
async def stage(database_url: str, redis_url: str, redis_prefix: str) -> AsyncIterator[Scene]:
    async with scene(NodeOptions(database_url, redis_url, redis_prefix)) as each:
        await guests.change_code(each.door.node.pool, ADMIN, each.door.shop.shop_id, VIA)
        yield each


_PLAIN_BODIES: Final[dict[str, Json]] = {
    "POST /api/v1/shops": {"name": "New", "timeZone": "Etc/UTC", "currency": "INR", "barberName": "Ben"},
    "PATCH /api/v1/shops/{shopId}": {"name": "The Shop"},
    "POST /api/v1/shops/{shopId}/services": {"name": "Shave", "price": "9.90", "durationMinutes": 5},
    "PATCH /api/v1/shops/{shopId}/services/{serviceId}": {"price": "250.00"},
    "PUT /api/v1/shops/{shopId}/barbers/{barberId}/services/{serviceId}": {"offered": True},
    "POST /api/v1/shops/{shopId}/invitations": {"email": "somebody@example.com"},
    "POST /api/v1/invitations/accept": {"token": "ch_1.x"},
    "PATCH /api/v1/barbers/me": {"name": "Asha"},
    "PUT /api/v1/admin/flags/{flagName}": {"percentage": 1},
    "POST /api/v1/bookings/{bookingId}/rate": {"rating": 5},
    "PUT /api/v1/reviews/{reviewId}/answer": {"text": "Thank you."},
    "PATCH /api/v1/admin/reviews/{reviewId}": {"hidden": False},
    "POST /api/v1/admin/blocks": {"address": "192.0.2.1", "minutes": 1, "reason": "a flood"},
    "POST /api/v1/devices": {"kind": "display"},
    "POST /api/v1/payments/{bookingId}/record": {"method": "cash", "amount": "1"},
    "POST /api/v1/payments/{paymentId}/refund": {},
    "POST /api/v1/payments/{paymentId}/correct": {"amount": "1", "reason": "so"},
    "POST /api/v1/admin/reports/export": EXPORT,
}


async def _contact(stage: Scene, caller: str) -> Json:
    """The challenge of a number that is to be the caller's, and its code."""
    who, app = stage.callers[caller], stage.door.client.app
    assert app is not None
    accounts = app[ACCOUNTS]
    if who is None or who.role.value not in WITH_ACCOUNT:
        return {"challengeId": "ch_1", "code": "123456"}
    begun = await accounts.own_contacts.begin(who.id, Contact("sms", _phone()), None)
    query = "SELECT content_sealed FROM letters ORDER BY letter_id DESC LIMIT 1"
    content = accounts.contacts.sealer.unseal(await stage.door.node.pool.fetchval(query))
    return {"challengeId": begun.challenge_id, "code": orjson.loads(content)["fields"]["code"]}


_NUMBERS: Final = itertools.count(10_000)


def _phone() -> str:
    return f"+9198765{next(_NUMBERS)}"


async def _body(stage: Scene, endpoint: str, caller: str) -> Json | None:
    """What an endpoint is to be asked with so that nothing but the caller stands in the way."""
    pool, shop_id = stage.door.node.pool, stage.door.shop.shop_id
    if endpoint == "POST /api/v1/bookings":
        return stage.door.booking_body()
    if endpoint in _PLAIN_BODIES:
        return _PLAIN_BODIES[endpoint]
    if endpoint.endswith("/status"):
        return {"status": "serving"}
    if endpoint.endswith("/bookings/{bookingId}"):
        return {"status": "waiting"} if endpoint.startswith("PATCH") else None
    if endpoint.endswith("/displays/pair"):
        return await pairing(stage, "display")
    if endpoint.endswith("/kiosks/pair"):
        return await pairing(stage, "kiosk")
    if endpoint.endswith("/auth/contacts"):
        return {"phone": _phone()}
    if endpoint.endswith("/contacts/verify"):
        return await _contact(stage, caller)
    if endpoint.endswith("/scan"):
        return {"code": (await guests.present_code(pool, shop_id, ""))["code"]}
    if endpoint.endswith("/ticket"):
        app = stage.door.client.app
        assert app is not None
        return {"code": tickets.code_for(app[ACCOUNTS].contacts.sealer, stage.booking)}
    if endpoint.endswith("/devices/token"):
        return {"secret": (await devices.ask(pool, "kiosk"))["secret"]}
    return None


def _from_elsewhere() -> dict[str, str]:
    """From one address it would soon be too often."""
    number = next(_NUMBERS)
    return {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}


async def _tried(stage: Scene, endpoint: str, caller: str, more: Json | None = None) -> str:
    """What the caller is told there."""
    method, _, template = endpoint.partition(" ")
    names = stage.names
    session_id = names["sessionId"] = await stage.session(caller)
    for name, make in THINGS.items():
        if f"{{{name}}}" in template:
            names[name] = await make(stage)
    if endpoint == "DELETE /api/v1/admin/flags/{flagName}":
        await stage.door.call("PUT", "/admin/flags/beta", ADMIN, {})
    if endpoint == "DELETE /api/v1/shops/{shopId}/join-code":
        await guests.change_code(stage.door.node.pool, ADMIN, stage.door.shop.shop_id, VIA)
    names |= {"serviceId": stage.door.shop.service, "flagName": "beta"}
    template += _QUERIES.get(endpoint, "")
    path = template.format(**names, name="display.js", build="0")
    who, body = stage.callers[caller], await _body(stage, endpoint, caller) if more is None else more
    headers = _from_elsewhere()
    if who is not None:
        headers["Authorization"] = f"Bearer {tokens().mint(who, session_id=session_id)}"
    async with stage.door.client.request(method, path, json=body, headers=headers) as response:
        assert response.status not in {400, 429}, await response.text()
        assert response.status < 500, await response.text()
        return _TOLD.get(response.status, "+")


async def _row(stage: Scene, endpoint: str, more: Json | None = None) -> list[str]:
    return [await _tried(stage, endpoint, caller, more) for caller in CALLERS]


async def test_every_path_of_the_server_is_in_a_table(stage: Scene) -> None:
    app = stage.door.client.app
    assert app is not None
    paths = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert paths == OPEN | BY_A_SECRET.keys() | ENDPOINTS.keys() | ELSEWHERE


def test_every_action_and_every_caller_has_its_place() -> None:
    assert TABLE.keys() == set(Action)
    assert COMMANDS.keys() == set(COMMAND_TYPES) <= {action.value for action in Action}
    rows = [*ENDPOINTS.values(), *COMMANDS.values(), *ROOMS.values(), *(row for _, row in BY_ANOTHER_BODY.values())]
    assert {len(row.split()) for row in rows} == {len(CALLERS)}


async def test_whoever_asks_an_endpoint_is_told_what_the_table_says(stage: Scene) -> None:
    told = {endpoint: await _row(stage, endpoint) for endpoint in (*ENDPOINTS, *sorted(OPEN))}
    expected = {endpoint: row.split() for endpoint, row in ENDPOINTS.items()}
    assert told == expected | {endpoint: _EVERYBODY.split() for endpoint in OPEN}


async def test_where_a_secret_says_who_one_is_the_caller_makes_no_difference(stage: Scene) -> None:
    numbers = itertools.count()
    for endpoint, (status, fields) in BY_A_SECRET.items():
        method, _, path = endpoint.partition(" ")
        for who in stage.callers.values():
            body = {name: value.format(new=f"{next(numbers)}@example.com") for name, value in fields.items()}
            headers = _from_elsewhere()
            if who is not None:
                headers["Authorization"] = f"Bearer {tokens().mint(who)}"
            async with stage.door.client.request(method, path, json=body, headers=headers) as response:
                assert (endpoint, response.status) == (endpoint, status), await response.text()


async def test_where_the_body_says_what_is_asked_for_it_decides_who_may(stage: Scene) -> None:
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    for endpoint, (fields, row) in BY_ANOTHER_BODY.items():
        more = {**fields, "bookingDate": day} if "bookingDate" in fields else dict(fields)
        if endpoint.endswith("/bookings"):
            more |= stage.door.booking_body()
        assert (endpoint, await _row(stage, endpoint, more)) == (endpoint, row.split())


async def test_a_display_that_is_not_public_has_a_page_to_be_paired_on_and_no_token(stage: Scene) -> None:
    for more, status in (("", 200), ("/token", 404)):
        async with stage.door.client.get(f"/display/{stage.hidden.shop_id}{more}") as response:
            assert response.status == status


# Commands ----------------------------------------------------------------------------------------------------------


def _command(stage: Scene, kind: str) -> Json:
    names = stage.names | {"toBarberId": stage.door.shop.barbers[1], "serviceIds": [stage.door.shop.service]}
    fields = {name: names.get(name, value) for name, value in WHOLE[kind].items()}
    return {"commandId": new_id(), "type": kind, **fields}


async def test_whoever_sends_a_command_over_rest_is_told_what_the_table_says(stage: Scene) -> None:
    told = {}
    for kind in COMMANDS:
        told[kind] = [
            await _tried(stage, "POST /api/v1/queue/commands", caller, _command(stage, kind)) for caller in CALLERS
        ]
    assert told == {kind: row.split() for kind, row in COMMANDS.items()}


def _told_by(ack: Json) -> str:
    code = ack.get("error", {}).get("code")
    assert code not in {"BAD_REQUEST", "INTERNAL_ERROR"}, ack
    return _TOLD_BY_CODE.get(code, "+")


async def test_whoever_sends_a_command_over_a_socket_is_told_the_same(stage: Scene) -> None:
    told: dict[str, list[str]] = {kind: [] for kind in COMMANDS}
    url = str(stage.door.client.make_url("/"))
    for caller in CALLERS[1:]:
        who = stage.callers[caller]
        assert who is not None
        async with raw_client(url, {"token": tokens().mint(who)}, "websocket") as client:
            for kind in COMMANDS:
                told[kind].append(_told_by(await client.command(**_command(stage, kind))))
    assert told == {kind: row.split()[1:] for kind, row in COMMANDS.items()}


# Rooms -------------------------------------------------------------------------------------------------------------


def _rooms(stage: Scene) -> dict[str, tuple[str, str]]:
    """By their names in the table: the parameter of the stream, and the id."""
    shop = stage.door.shop
    return {
        "queue": ("barberId", shop.barbers[0]),
        "booking": ("bookingId", stage.booking),
        "display": ("shopId", shop.shop_id),
        "hidden": ("shopId", stage.hidden.shop_id),
    }


async def test_whoever_opens_a_stream_is_told_what_the_table_says(stage: Scene) -> None:
    told = {
        room: [await _tried(stage, f"GET /api/v1/queue/stream?{parameter}={id_}", caller) for caller in CALLERS]
        for room, (parameter, id_) in _rooms(stage).items()
    }
    assert told == {room: row.split() for room, row in ROOMS.items()}


async def test_whoever_subscribes_over_a_socket_is_told_the_same_and_only_staff_see_all(stage: Scene) -> None:
    told: dict[str, list[str]] = {room: [] for room in ROOMS}
    saw_names = set()
    url = str(stage.door.client.make_url("/"))
    for caller in CALLERS[1:]:
        who = stage.callers[caller]
        assert who is not None
        async with raw_client(url, {"token": tokens().mint(who)}, "websocket") as client:
            for room, (_, id_) in _rooms(stage).items():
                ack = await client.subscribe(f"{'display' if room == 'hidden' else room}:{id_}")
                told[room].append(_told_by(ack))
                if "Customer 0" in str(ack):
                    saw_names.add((caller, room))
    assert told == {room: row.split()[1:] for room, row in ROOMS.items()}
    assert saw_names == {("barber", "queue"), ("staff", "queue"), ("admin", "queue")}
