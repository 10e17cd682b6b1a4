"""Floods, guesses and forged headers. The door trusts 127.0.0.1 as a proxy, so a test may come from any address."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from barberpro.domain import guests
from barberpro.domain.blocks import Blocks
from barberpro.handlers.display_tokens import DisplayTokens
from barberpro.handlers.services import Limits
from barberpro.protocol.actors import Actor, Role
from barberpro.protocol.closing import CloseCode
from barberpro.protocol.ids import new_guest_id
from barberpro.server.embedded import EmbeddedServices
from barberpro.server.node import NodeOptions
from barberpro.storage.postgres import close_pool, connect_pool
from barberpro.storage.users import SealedContact, add_user
from tests.support.faults import network_to, through
from tests.support.rest import Answer, Door, head_of, rest_door, tokens
from tests.support.shops import ADMIN, VIA, customer, send
from tests.support.socket_door import SocketDoor, socket_door

ATTACKER = "203.0.113.66"
LOGIN = "/auth/login"
NO_SHOWS = 2
RATES = Limits(requests_per_minute=1000, connections_per_user=10_000, commands=100_000)


@pytest.fixture
def options(database_url: str, redis_url: str, redis_prefix: str) -> NodeOptions:
    return NodeOptions(database_url, redis_url, redis_prefix)


@pytest.fixture
async def door(options: NodeOptions) -> AsyncIterator[Door]:
    async with rest_door(options, RATES, no_shows=NO_SHOWS) as door:
        yield door


@pytest.fixture
async def sockets(options: NodeOptions) -> AsyncIterator[SocketDoor]:
    async with socket_door(options, RATES, no_shows=NO_SHOWS) as door:
        yield door


async def guess(door: Door, address: str, path: str = LOGIN) -> Answer:
    return await door.post(path, None, {"email": "a@b.example", "password": "guess"}, X_Forwarded_For=address)


async def flood(door: Door, address: str, most: int = 200) -> Answer:
    """Signs in until the address is blocked; the answer that says so."""
    for _ in range(most):
        answer = await guess(door, address)
        if answer.status == 429 and "blockedUntil" in answer.body["error"]["details"]:
            return answer
    raise AssertionError("was never blocked")


async def test_passwords_and_codes_cannot_be_tried_as_often_as_requests_may_come(door: Door) -> None:
    for n, path in enumerate(("login", "login/google", "verify-otp", "reset-password", "register", "resend-otp")):
        statuses = [(await guess(door, f"203.0.113.{n}", f"/auth/{path}")).status for _ in range(22)]
        assert 429 not in statuses[:20], path
        assert statuses[20:] == [429] * 2, path


async def test_made_up_addresses_before_the_real_one_are_no_new_callers(door: Door) -> None:
    statuses = [(await guess(door, f"198.51.100.{n}, {ATTACKER}")).status for n in range(21)]
    assert statuses[20] == 429


async def test_all_addresses_of_one_household_are_one_caller(door: Door) -> None:
    statuses = [(await guess(door, f"2001:db8:1:2::{n:x}")).status for n in range(1, 22)]
    assert statuses[20] == 429


def at_the_door(door: Door | SocketDoor) -> Actor:
    """Who has just scanned the shop's code; each time somebody else."""
    return Actor(new_guest_id(), Role.GUEST, shop_ids=frozenset({door.shop.shop_id}))


def public_screen(door: Door | SocketDoor) -> Actor:
    """Whom the shop's page gets a token for: always the same."""
    return tokens().verify(DisplayTokens(tokens()).of(door.shop.shop_id)).actor


async def test_who_scans_again_and_again_is_no_new_caller(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=20)) as door:
        shop_id = door.shop.shop_id
        await guests.change_code(door.node.pool, ADMIN, shop_id, VIA)
        code = {"code": (await guests.present_code(door.node.pool, shop_id, ""))["code"]}
        answers = []
        for n in range(200):
            told = await door.post(f"/shops/{shop_id}/scan", None, code, X_Forwarded_For=f"198.51.100.{n}")
            guest = tokens().verify(told.data["door"]["token"]).actor
            answers.append(await door.call("GET", "/queue/bb_none", guest, X_Forwarded_For=ATTACKER))
    assert [answer.status for answer in answers[:20]] == [404] * 20
    assert "blockedUntil" in answers[-1].body["error"]["details"]


async def test_who_asks_with_the_public_screens_token_uses_up_their_own_rate_alone(options: NodeOptions) -> None:
    async with rest_door(options, Limits(requests_per_minute=3)) as door:
        screen = public_screen(door)
        theirs = [await door.call("GET", "/queue/bb_none", screen, X_Forwarded_For=ATTACKER) for _ in range(4)]
        assert [answer.status for answer in theirs] == [404, 404, 404, 429]
        assert (await door.call("GET", "/queue/bb_none", screen)).status == 404


@pytest.mark.parametrize("token_of", [at_the_door, public_screen])
async def test_sockets_with_a_token_that_anybody_can_have_keep_nobody_else_out(
    options: NodeOptions, token_of: Callable[[SocketDoor], Actor]
) -> None:
    limits = Limits(requests_per_minute=0, connections_per_user=2)
    addresses = [ATTACKER, ATTACKER, ATTACKER, "203.0.113.67"]
    async with socket_door(options, limits) as door, AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        words = []
        for address in addresses:
            headers = {"Authorization": f"Bearer {tokens().mint(token_of(door))}", "X-Forwarded-For": address}
            opening = http.ws_connect(f"{door.url}ws/display/{door.shop.shop_id}", headers=headers)
            words.append(await (await stack.enter_async_context(opening)).receive(30))
    text, close = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSE
    assert [word.type for word in words] == [text, text, close, text]
    assert words[2].data == CloseCode.TOO_MANY


async def test_who_goes_on_after_refusals_is_kept_out_everywhere_and_others_are_not(door: Door) -> None:
    refused = await flood(door, ATTACKER)
    assert refused.code == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    path = f"/queue/{door.shop.barbers[0]}"
    for who in (None, customer(1), door.shop.staff[0]):
        assert (await door.call("GET", path, who, X_Forwarded_For=ATTACKER)).status == 429
    assert (await door.call("GET", path, X_Forwarded_For="203.0.113.67")).status == 200
    async with door.client.get("/health/live", headers={"X-Forwarded-For": ATTACKER}) as response:
        assert response.status == 200


async def test_a_block_is_recorded_and_told_to_other_nodes(door: Door, options: NodeOptions) -> None:
    await flood(door, ATTACKER)
    rows = await door.node.pool.fetch("SELECT network, reason, made_by FROM rate_limits")
    assert [tuple(row) for row in rows] == [(ATTACKER, "sign_in", "system")]
    entries = await door.node.pool.fetch("SELECT actor_id, action, object_id FROM audit_entries")
    assert [tuple(entry) for entry in entries] == [("system", "address.blocked", ATTACKER)]
    async with rest_door(options, RATES) as other:
        await other.gate.blocks.start()
        answer = await guess(other, ATTACKER)
        await other.gate.blocks.close()
    assert answer.status == 429
    assert "blockedUntil" in answer.body["error"]["details"]


async def test_a_block_is_lifted_by_an_admin_from_behind_it_and_by_nobody_else(door: Door) -> None:
    await flood(door, ATTACKER)
    (block,) = (await door.call("GET", "/admin/blocks?active=true", ADMIN, X_Forwarded_For=ATTACKER)).data
    assert (block["network"], block["reason"], block["liftedAt"]) == (ATTACKER, "sign_in", None)
    path = f"/admin/blocks/{block['blockId']}"
    for who, status in ((None, 401), (customer(1), 403), (door.shop.staff[0], 403)):
        assert (await door.call("DELETE", path, who)).status == status
        assert (await door.get("/admin/blocks", who)).status == status
        assert (await door.post("/admin/blocks", who, {})).status == status
    lifted = await door.call("DELETE", path, ADMIN, X_Forwarded_For=ATTACKER)
    assert lifted.data["liftedBy"] == ADMIN.id
    assert (await door.call("DELETE", path, ADMIN)).data == lifted.data
    assert (await door.call("DELETE", "/admin/blocks/rl_none", ADMIN)).status == 404
    assert (await door.get("/admin/blocks?active=true", ADMIN)).data == []
    assert (await door.call("GET", f"/queue/{door.shop.barbers[0]}", X_Forwarded_For=ATTACKER)).status == 200


async def test_an_admin_blocks_a_whole_household(door: Door) -> None:
    wanted = {"address": "2001:db8:1:2::9", "minutes": 5, "reason": "scraping"}
    made = await door.post("/admin/blocks", ADMIN, wanted)
    again = await door.post("/admin/blocks", ADMIN, wanted)
    assert again.data["blockId"] == made.data["blockId"]
    assert again.data["until"] >= made.data["until"]
    assert (made.status, made.data["network"]) == (201, "2001:db8:1:2::/64")
    path = f"/queue/{door.shop.barbers[0]}"
    assert (await door.call("GET", path, X_Forwarded_For="2001:db8:1:2:ffff::1")).status == 429
    for field, value in (("address", "10.0.0.0/8"), ("minutes", 0), ("reason", "a\nb")):
        assert (await door.post("/admin/blocks", ADMIN, {**wanted, field: value})).refused_fields == [field]


async def test_blocks_are_listed_a_page_at_a_time(door: Door) -> None:
    for n in range(3):
        await door.post("/admin/blocks", ADMIN, {"address": f"192.0.2.{n}", "minutes": 5, "reason": "test"})
    first = await door.get("/admin/blocks?limit=2", ADMIN)
    rest = await door.get(f"/admin/blocks?limit=2&cursor={first.body['meta']['nextCursor']}", ADMIN)
    assert [block["network"] for block in first.data + rest.data] == ["192.0.2.2", "192.0.2.1", "192.0.2.0"]
    assert rest.body["meta"]["nextCursor"] is None


async def test_a_network_that_is_exempt_or_known_already_is_not_blocked(door: Door) -> None:
    blocks = Blocks(door.node.pool, 60, (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))
    for network in ("192.0.2.7", "2001:db8:1:2::/64", "unknown"):
        await blocks.punish(network, "sign_in", "req_test")
        assert blocks.left(network) == 0
    for _ in range(2):
        await blocks.punish(ATTACKER, "sign_in", "req_test")
        assert 0 < blocks.left(ATTACKER) <= 60
    assert await door.node.pool.fetchval("SELECT count(*) FROM rate_limits") == 1
    await Blocks(door.node.pool, 0).punish("198.51.100.1", "sign_in", "req_test")
    assert await door.node.pool.fetchval("SELECT count(*) FROM rate_limits") == 1


async def test_a_block_holds_even_when_it_cannot_be_written(database_url: str) -> None:
    pool = await connect_pool(database_url)
    await close_pool(pool)
    blocks = Blocks(pool, 60)
    with capture_logs() as lines:
        await blocks.punish(ATTACKER, "sign_in", "req_test")
    assert blocks.left(ATTACKER) > 0
    assert [line["event"] for line in lines] == ["address_blocked", "block_unwritten"]


async def test_a_block_made_while_postgres_is_away_is_written_when_it_is_back(
    stores: EmbeddedServices, database_url: str
) -> None:
    async with network_to(stores) as network:
        pool = await connect_pool(through(network, database_url))
        blocks = Blocks(pool, 60)
        await network.cut()
        with capture_logs() as lines:
            await blocks.punish(ATTACKER, "sign_in", "req_test")
            await blocks.punish("203.0.113.67", "request", "req_more")
        assert [line["event"] for line in lines] == ["address_blocked", "block_unwritten"] * 2
        await network.mend()
        await blocks.start()
        assert all(0 < blocks.left(each) <= 60 for each in (ATTACKER, "203.0.113.67"))
        rows = await pool.fetch("SELECT network, reason, request_id, until - at <= '60 s' FROM rate_limits ORDER BY 1")
        written = await pool.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'address.blocked'")
        await blocks.close()
        await close_pool(pool)
    assert [tuple(row) for row in rows] == [
        (ATTACKER, "sign_in", "req_test", True),
        ("203.0.113.67", "request", "req_more", True),
    ]
    assert written == 2


async def test_no_key_in_redis_tells_who_came(door: Door, options: NodeOptions) -> None:
    await guess(door, ATTACKER)
    await guess(door, "2001:db8:1:2::9")
    await door.call("GET", "/queue/bb_none", customer(1), X_Forwarded_For=ATTACKER)
    ours = f"{options.prefix}:rate:*"
    keys = [key for redis in door.node.redis.shards() async for key in redis.scan_iter(match=ours, count=1000)]
    assert len(keys) >= 2  # the sign-ins of two callers; what requests are counted by is over within a moment
    for told in (ATTACKER, "2001:db8:1:2", customer(1).id):
        assert not any(told.encode() in key for key in keys)


async def test_a_blocked_address_opens_no_socket(sockets: SocketDoor) -> None:
    await sockets.gate.blocks.punish(ATTACKER, "sign_in", "req_test")
    headers = {"X-Forwarded-For": ATTACKER}
    async with aiohttp.ClientSession(headers=headers) as http:
        for path in (f"ws/queue/{sockets.shop.barbers[0]}", "socket.io/?EIO=4&transport=websocket"):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
                await http.ws_connect(f"{sockets.url}{path}")
        async with http.get(f"{sockets.url}socket.io/?EIO=4&transport=polling") as response:
            assert response.status == 429


async def test_handshakes_are_counted_for_the_address(options: NodeOptions) -> None:
    async with socket_door(options, Limits(requests_per_minute=2)) as door, aiohttp.ClientSession() as http:
        statuses = []
        for _ in range(11):
            async with http.get(f"{door.url}socket.io/?EIO=4&transport=polling") as response:
                statuses.append(response.status)
        assert statuses == [200] * 10 + [429]
        for query in ("", "?sid=made-up"):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
                await http.ws_connect(f"{door.url}ws/queue/{door.shop.barbers[0]}{query}")


@pytest.mark.parametrize("made_up", ["x", ""])
async def test_who_makes_up_a_session_is_counted_and_no_body_of_theirs_is_waited_for(
    options: NodeOptions, made_up: str
) -> None:
    path = f"/socket.io/?EIO=4&transport=polling&sid={made_up}"
    asks = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n".encode()
    async with socket_door(options, Limits(requests_per_minute=2, body_seconds=600)) as door:
        answers = [await head_of(door.client, asks) for _ in range(11)]
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 400 "] * 10 + [b"HTTP/1.1 429 "]


async def test_joins_are_counted_for_the_user_and_over_all_connections(sockets: SocketDoor) -> None:
    clients = [await sockets.connect(customer(1)) for _ in range(2)]
    acks = [await clients[number % 2].command(**sockets.join()) for number in range(11)]
    assert acks[0]["ok"]
    codes = [ack["error"]["code"] for ack in acks[1:]]
    assert codes == ["ALREADY_IN_QUEUE"] * 9 + ["RATE_LIMIT_EXCEEDED"]
    other = await sockets.connect(customer(2))
    assert (await other.command(**sockets.join()))["ok"]
    barber = await sockets.barber()
    assert all([(await barber.command(**sockets.join()))["ok"] for _ in range(12)])


async def test_without_redis_nobody_tries_passwords_and_reads_go_on(own_stores: EmbeddedServices) -> None:
    options = NodeOptions(own_stores.urls.database_url, own_stores.urls.redis_url)
    async with rest_door(options, RATES) as door:
        await door.get(f"/queue/{door.shop.barbers[0]}")
        await own_stores.valkey.kill()
        answer = await guess(door, ATTACKER)
        assert (answer.status, answer.code) == (503, "PERSISTENCE_UNAVAILABLE")
        assert answer.headers["Retry-After"]
        assert (await door.get(f"/queue/{door.shop.barbers[0]}")).status == 200


# Bookings -------------------------------------------------------------------------------------------------------


async def misses(door: Door, who: Actor, times: int) -> None:
    """Joins, is called and does not come, so many times."""
    for _ in range(times):
        joined = await door.post("/bookings", who, door.booking_body())
        booking = joined.data["booking"]["bookingId"]
        assert joined.data["booking"]["status"] == "next"
        await send(door.node, door.shop.staff[0], type="no_show", bookingId=booking)


async def test_who_did_not_come_again_and_again_needs_a_confirmed_telephone(door: Door) -> None:
    await misses(door, customer(1), NO_SHOWS)
    refused = await door.post("/bookings", customer(1), door.booking_body())
    assert (refused.status, refused.code) == (403, "PHONE_CONFIRMATION_REQUIRED")
    assert refused.body["error"]["details"] == {"noShows": NO_SHOWS, "days": 30}
    assert refused.body["error"]["temporary"] is False
    assert (await door.post("/bookings", customer(2), door.booking_body())).status == 201
    async with door.node.pool.acquire() as connection:
        phone = SealedContact("sms", "sealed", "hash")
        await add_user(connection, customer(1).id, "customer", None, "en", None, [phone])
    assert (await door.post("/bookings", customer(1), door.booking_body())).status == 201


async def test_who_did_not_come_is_refused_an_appointment_too(door: Door) -> None:
    await misses(door, customer(1), NO_SHOWS)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    body = door.booking_body(bookingDate=tomorrow, preferredTime="12:00")
    assert (await door.post("/bookings", customer(1), body)).code == "PHONE_CONFIRMATION_REQUIRED"
    assert (await door.post("/bookings", customer(2), body)).status == 201


async def test_who_did_not_come_is_refused_on_a_socket_too(sockets: SocketDoor) -> None:
    for _ in range(NO_SHOWS):
        (booking,) = await sockets.shop.fill(sockets.node, 1, first=1)
        await send(sockets.node, sockets.shop.staff[0], type="no_show", bookingId=booking)
    client = await sockets.connect(customer(1))
    ack = await client.command(**sockets.join())
    assert ack["error"]["code"] == "PHONE_CONFIRMATION_REQUIRED"


async def test_who_came_after_all_did_not_miss_it(door: Door) -> None:
    await misses(door, customer(1), NO_SHOWS - 1)
    (booking,) = await door.shop.fill(door.node, 1, first=1)
    await send(door.node, door.shop.staff[0], type="no_show", bookingId=booking)
    await send(door.node, door.shop.staff[0], type="recall", bookingId=booking, to="front")
    for type_ in ("start", "complete"):
        await send(door.node, door.shop.staff[0], type=type_, bookingId=booking)
    assert (await door.post("/bookings", customer(1), door.booking_body())).status == 201


async def test_a_guest_has_one_live_booking_for_a_telephone_however_it_is_written(door: Door) -> None:
    def guest(number: int) -> Actor:
        return Actor(f"gu_{number}", Role.GUEST, shop_ids=frozenset({door.shop.shop_id}))

    def body(phone: str | None) -> dict[str, Any]:
        named = {"name": "Guest"} if phone is None else {"name": "Guest", "phone": phone}
        return door.booking_body(customer=named)

    assert (await door.post("/bookings", guest(1), body("+91 98765 43210"))).status == 201
    again = await door.post("/bookings", guest(2), body("+91-98765-43210"))
    assert (again.status, again.code, again.body["error"]["details"]) == (409, "ALREADY_IN_QUEUE", {})
    assert (await door.post("/bookings", guest(2), body("+91 98765 43211"))).status == 201
    # Who gives none has the code that they scanned; and staff enter whom they see.
    assert [(await door.post("/bookings", guest(3), body(None))).status for _ in range(2)] == [201, 409]
    assert (await door.post("/bookings", guest(4), body(None))).status == 201
    for _ in range(2):
        assert (await door.post("/bookings", door.shop.staff[0], body("+91 98765 43210"))).status == 201
    stored = await door.node.pool.fetch("SELECT data::text FROM queue_events")
    assert not any("98765" in row[0] for row in stored)
