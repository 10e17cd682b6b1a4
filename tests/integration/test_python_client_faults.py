"""The Python client against a server and a network that fail in a chosen moment."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from barberpro.clients.python import (
    BarberProClient,
    BarberProError,
    ClientClosed,
    CommandUnresolved,
    ErrorCode,
    Expect,
    RetryPolicy,
    ServerUnreachable,
    Watch,
)
from tests.support.faulty_server import FaultyServer, queue_state, refused

QUICK = RetryPolicy(ack_timeout=0.3, deadline=5.0, first_delay=0.01, longest_delay=0.05)
ROOM = "queue:bb_1"


@pytest.fixture
async def server() -> AsyncIterator[FaultyServer]:
    server = FaultyServer()
    server.states[ROOM] = queue_state(1)
    yield server
    await server.stop()


@pytest.fixture
async def client(server: FaultyServer) -> AsyncIterator[BarberProClient]:
    async with BarberProClient(await server.start(), "token", retry=QUICK) as client:
        yield client


async def _seq(watch: Watch) -> int:
    async with asyncio.timeout(5):
        return int((await anext(watch))["seq"])


async def test_a_command_whose_ack_is_lost_is_repeated_with_its_id_and_carried_out_once(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.lost_acks = 1
    result = await client.join("bb_1", ["sv_1"])
    assert result.replayed
    assert result.attempts == 2
    assert server.carried_out == 1
    assert len({command["commandId"] for command in server.commands}) == 1
    assert client.stats.repeats == 1


async def test_a_command_cut_off_before_its_ack_is_repeated_on_the_next_connection(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.cut_before_answer = 1
    result = await client.advance("bb_1", expect=Expect(servingBookingId=None))
    assert result.replayed
    assert server.carried_out == 1
    assert client.stats.connects == 2
    assert server.commands[0]["expect"] == {"servingBookingId": None}


async def test_a_temporary_refusal_is_repeated_and_a_lasting_one_is_raised(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.answers = [
        refused("PERSISTENCE_UNAVAILABLE", temporary=True),
        refused("A_CODE_FROM_THE_FUTURE", temporary=True),
        refused("QUEUE_CLOSED"),
    ]
    with pytest.raises(BarberProError) as caught:
        await client.join("bb_1", ["sv_1"])
    assert caught.value.code is ErrorCode.QUEUE_CLOSED
    assert len(server.commands) == 3


async def test_giving_up_tells_the_command_id_and_repeating_it_finds_the_one_result(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.lost_acks = 1
    with pytest.raises(CommandUnresolved) as caught:
        await client.command("join", barberId="bb_1", serviceIds=["sv_1"], deadline=0.1)
    result = await client.repeat(caught.value)
    assert result.replayed
    assert result.command_id == caught.value.command_id
    assert server.carried_out == 1


async def test_an_ill_formed_command_is_refused_before_it_is_sent(
    server: FaultyServer, client: BarberProClient
) -> None:
    with pytest.raises(BarberProError) as caught:
        await client.join("bb_1", [])
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert not server.commands


async def test_a_peer_that_answers_nothing_is_left_for_a_new_connection(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.lost_acks = 2
    result = await client.join("bb_1", ["sv_1"])
    assert result.attempts == 3
    assert client.stats.connects == 2


async def test_commands_answered_out_of_order_find_their_callers(server: FaultyServer, client: BarberProClient) -> None:
    server.lost_acks = 1
    first, second = await asyncio.gather(client.open("bb_1"), client.pause("bb_1"))
    assert [command["type"] for command in server.commands] == ["open", "pause", "open"]
    assert first.queue is not None
    assert second.queue is not None
    assert (first.queue.version.seq, second.queue.version.seq) == (1, 2)


async def test_a_watch_gives_the_first_state_and_every_newer_one_but_never_an_older(
    server: FaultyServer, client: BarberProClient
) -> None:
    async with client.watch(ROOM) as states:
        assert await _seq(states) == 1
        await server.publish(queue_state(3))
        assert await _seq(states) == 3
        await server.publish(queue_state(2))
        await server.publish(queue_state(3))
        await server.publish(queue_state(1, epoch=2))
        state = await anext(states)
        assert (state["epoch"], state["seq"]) == (2, 1)
        assert client.stats.outdated == 2


async def test_new_waits_come_with_the_same_version(server: FaultyServer, client: BarberProClient) -> None:
    async with client.watch(ROOM) as states:
        assert await _seq(states) == 1
        await server.publish(queue_state(1) | {"waiting": [{"estimatedWait": {"p50Minutes": 4, "p90Minutes": 9}}]})
        assert (await anext(states))["waiting"][0]["estimatedWait"]["p50Minutes"] == 4


async def test_a_state_that_arrives_before_the_ack_of_its_subscription_is_not_lost(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.before_ack = queue_state(7)
    states = client.watch(ROOM)
    assert await _seq(states) == 7
    await server.publish(queue_state(8))
    assert await _seq(states) == 8


async def test_a_slow_consumer_gets_only_the_newest_state(server: FaultyServer, client: BarberProClient) -> None:
    fast, slow = client.watch(ROOM), client.watch(ROOM)
    assert await _seq(fast) == await _seq(slow) == 1
    for seq in range(2, 50):
        await server.publish(queue_state(seq))
    while await _seq(fast) < 49:
        pass
    assert await _seq(slow) == 49
    assert len(server.subscriptions) == 1


async def test_after_a_cut_rooms_resume_from_where_they_stood(server: FaultyServer, client: BarberProClient) -> None:
    states = client.watch(ROOM)
    assert await _seq(states) == 1
    server.states[ROOM] = queue_state(5)  # changes while nobody is told
    server.cut()
    assert await _seq(states) == 5
    assert server.subscriptions[-1]["since"] == {"epoch": 1, "seq": 1}
    assert client.stats.cuts == 1


async def test_a_server_that_never_had_what_the_client_knows_is_believed(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.states[ROOM] = queue_state(7)
    states = client.watch(ROOM)
    assert await _seq(states) == 7
    server.states[ROOM] = queue_state(5)
    server.cut()
    assert await _seq(states) == 5
    await server.publish(queue_state(6))
    assert await _seq(states) == 6


async def test_the_last_watcher_to_leave_leaves_the_room(server: FaultyServer, client: BarberProClient) -> None:
    async with client.watch(ROOM) as states:
        assert await _seq(states) == 1
    async with client.watch(ROOM) as states:
        assert await _seq(states) == 1
        assert [kind for request in server.subscriptions for kind in request] == ["room", "left", "room"]


async def test_a_room_that_is_refused_raises_to_its_watcher_only(server: FaultyServer, client: BarberProClient) -> None:
    allowed, refused_room = client.watch(ROOM), client.watch("queue:bb_other")
    with pytest.raises(BarberProError) as caught:
        await _seq(refused_room)
    assert caught.value.code is ErrorCode.NOT_FOUND
    assert await _seq(allowed) == 1


async def test_a_refused_token_raises_instead_of_trying_for_ever(server: FaultyServer) -> None:
    server.refuse = lambda _token: {"code": "UNAUTHORIZED", "message": "no", "temporary": False}
    with pytest.raises(BarberProError) as caught:
        async with BarberProClient(await server.start(), "bad", retry=QUICK):
            raise AssertionError("it was let in")
    assert caught.value.code is ErrorCode.UNAUTHORIZED
    assert server.tokens == ["bad"]


async def test_a_token_refused_after_a_cut_ends_watches_and_commands_until_a_new_one_comes(
    server: FaultyServer, client: BarberProClient
) -> None:
    states = client.watch(ROOM)
    assert await _seq(states) == 1
    server.refuse = _expired_when("token")
    server.cut()
    with pytest.raises(BarberProError):
        await _seq(states)
    with pytest.raises(BarberProError) as caught:
        await client.open("bb_1")
    assert caught.value.code is ErrorCode.TOKEN_EXPIRED
    await client.authenticate("fresh")
    assert (await client.open("bb_1")).attempts == 1
    assert await _seq(client.watch(ROOM)) == 1


async def test_a_temporary_refusal_at_the_door_is_tried_again(server: FaultyServer) -> None:
    answers: list[dict[str, Any] | None] = [{"code": "SHUTTING_DOWN", "temporary": True}, None]
    server.refuse = lambda _token: answers.pop(0)
    async with BarberProClient(await server.start(), "token", retry=QUICK) as client:
        assert client.connected
    assert len(server.tokens) == 2


async def test_a_provider_is_asked_for_a_fresh_token_when_the_old_one_expires(server: FaultyServer) -> None:
    given: list[str] = []

    async def provider() -> str:
        given.append(f"token-{len(given)}")
        return given[-1]

    server.refuse = _expired_when("token-0")
    async with BarberProClient(await server.start(), provider, retry=QUICK) as client:
        await server.emit("session_expiring", {"expiresAt": "2026-11-21T09:30:00.000Z"})
        async with asyncio.timeout(5):
            while server.tokens != ["token-0", "token-1", "token-2"]:
                await client.open("bb_1")
    assert given == server.tokens


async def test_a_restart_that_was_announced_is_waited_for(server: FaultyServer) -> None:
    loop = asyncio.get_running_loop()
    async with BarberProClient(await server.start(), "token", retry=QUICK) as client:
        await server.emit("server_restarting", {"reconnectAfterMs": 400})
        announced = loop.time()
        await client.open("bb_1")
        server.cut()
        while client.stats.connects < 2:
            await client.open("bb_1")
        assert loop.time() - announced >= 0.4


async def test_no_server_is_told_after_the_deadline() -> None:
    impatient = RetryPolicy(deadline=0.2, first_delay=0.01, longest_delay=0.05)
    with pytest.raises(ServerUnreachable):
        async with BarberProClient("http://127.0.0.1:9", "token", retry=impatient):
            raise AssertionError("nobody listens there")


async def test_closing_ends_watches_and_leaves_no_task_behind(server: FaultyServer) -> None:
    url = await server.start()
    before = asyncio.all_tasks()
    client = BarberProClient(url, "token", retry=QUICK)
    async with client:
        states = client.watch(ROOM)
        assert await _seq(states) == 1
        server.lost_acks = 1
        pending = asyncio.create_task(client.join("bb_1", ["sv_1"]))
        await server.command_came.wait()
    with pytest.raises(CommandUnresolved):
        await pending
    assert [state async for state in states] == []
    with pytest.raises(ClientClosed):
        client.watch(ROOM)
    assert not _ours(before)


async def test_a_client_that_is_cancelled_while_it_closes_is_closed_all_the_same(server: FaultyServer) -> None:
    url = await server.start()
    before = asyncio.all_tasks()
    client = BarberProClient(url, "token", retry=QUICK)
    await client.__aenter__()
    closing = asyncio.create_task(client.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert not client.connected
    assert not _ours(before)


async def test_a_read_opens_the_envelope_and_repeats_while_the_server_cannot_answer(
    server: FaultyServer, client: BarberProClient
) -> None:
    server.pages = [
        web.Response(status=502, text="a proxy's page"),
        _failed(503, "PERSISTENCE_UNAVAILABLE", temporary=True),
        _succeeded([{"seq": 8}], nextCursor="c1"),
    ]
    page = await client.get_events("bb_1", after=7)
    assert ([row["seq"] for row in page.rows], page.next_cursor) == ([8], "c1")
    assert server.requests == [("/api/v1/queue/bb_1/events?after=7", "Bearer token")] * 3


async def test_a_read_that_is_refused_raises_the_servers_error(server: FaultyServer, client: BarberProClient) -> None:
    server.pages = [_failed(404, "NOT_FOUND")]
    with pytest.raises(BarberProError) as caught:
        await client.get_booking("../admin")
    assert caught.value.code is ErrorCode.NOT_FOUND
    assert server.requests == [("/api/v1/bookings/..%2Fadmin", "Bearer token")]


async def test_a_read_waits_as_long_as_the_server_asks(server: FaultyServer, client: BarberProClient) -> None:
    server.pages = [
        _failed(429, "RATE_LIMIT_EXCEEDED", temporary=True, retry_after="1"),
        _succeeded({"bookingId": "bk_1_1"}),
    ]
    asked = asyncio.get_running_loop().time()
    assert (await client.get_booking("bk_1_1"))["bookingId"] == "bk_1_1"
    assert asyncio.get_running_loop().time() - asked >= 1.0


def _ours(before: set[asyncio.Task[object]]) -> set[asyncio.Task[object]]:
    """The client's tasks that are still there, and were not before."""
    return {task for task in asyncio.all_tasks() - before if "barberpro/clients" in repr(task)}


def _succeeded(data: object, **meta: object) -> web.Response:
    return web.json_response({"success": True, "data": data, "meta": meta})


def _failed(status: int, code: str, *, temporary: bool = False, retry_after: str = "") -> web.Response:
    error = {"code": code, "message": code, "temporary": temporary, "details": {}}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response({"success": False, "error": error, "meta": {}}, status=status, headers=headers)


def _expired_when(old: str) -> Callable[[str], dict[str, Any] | None]:
    refusal = {"code": "TOKEN_EXPIRED", "message": "expired", "temporary": False}
    return lambda token: refusal if token == old else None
