"""`barberpro serve`: ready when it says so, down when it is told to, and more than one process on one port."""

import asyncio
import re
import signal
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from barberpro.protocol.actors import Role
from tests.support.programs import program
from tests.support.raw_socketio import TRANSPORTS, RawClient, raw_client
from tests.support.shops import Json, new_id
from tests.support.sites import STOP_SECONDS, Site, free_port, free_ports, kill

CROWD = 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_server_cleanly_with_its_clients_and_its_stores(
    site: Site, number: signal.Signals
) -> None:
    async with site.serving() as server:
        status, ready = await site.get("/health/ready")
        assert (status, ready["data"]["ready"]) == (200, True)
        token = await site.mint(Role.CUSTOMER)
        socket, polling = [raw_client(site.url, {"token": token}, transport) for transport in TRANSPORTS]
        async with socket as first, polling as second:
            end = await server.end(number, STOP_SECONDS)
            await first.ends()
            await second.ends()
            for client in (first, second):
                [notice] = client.heard["server_restarting"]
                assert 500 <= notice["reconnectAfterMs"] <= 3000
        assert end.code == 0, end.err
        assert "Traceback" not in end.err
        assert not await site.stores_run()


async def test_a_crowd_is_told_to_come_back_when_the_server_ends(site: Site) -> None:
    """On the loop that serves, which is another than that of most tests."""
    await asyncio.to_thread((site.home / ".env").write_text, "BARBERPRO_CONNECTIONS_PER_USER=1000\n")
    async with site.serving() as server:
        shop = await site.seed()
        barber = shop["barbers"][0]["barberId"]
        headers = {"Authorization": f"Bearer {await site.mint(Role.CUSTOMER)}"}
        unbounded = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(site.url, headers=headers, connector=unbounded) as http:
            sockets = await asyncio.gather(*(http.ws_connect(f"/ws/queue/{barber}") for _ in range(CROWD)))
            stream = await http.get(f"/api/v1/queue/stream?barberId={barber}")
            for socket in sockets:
                assert (await socket.receive_json())["event"] == "subscribed"
            ending = asyncio.create_task(server.end(signal.SIGTERM, STOP_SECONDS))
            for socket in sockets:
                assert (await socket.receive_json())["event"] == "server_restarting"
                await socket.receive()
                assert socket.close_code == 1012
            assert b"event: server_restarting" in await stream.content.read()
            end = await ending
        assert end.code == 0, end.err
        assert "Traceback" not in end.err


async def test_a_signal_in_the_middle_of_starting_ends_it_too(bare_site: Site) -> None:
    site = bare_site
    async with program(site.home, *site.embedded("serve", "--port", str(site.port))) as server:
        await server.says('"event": "migrated"')
        end = await server.end(signal.SIGTERM, STOP_SECONDS)
        assert "Traceback" not in end.err
        assert not await site.stores_run()


async def test_a_server_keeps_its_stores_when_the_one_that_started_them_ends(site: Site) -> None:
    async with site.serving() as first:
        words = site.embedded("serve", "--port", str(free_port()))
        async with program(site.home, *words) as second:
            url = re.findall(r"http://[^\"]+", (await second.says('"event": "listening"'))[0])[0]
            assert (await first.end(signal.SIGINT, STOP_SECONDS)).code == 0
            async with aiohttp.ClientSession(url) as session, session.get("/health/ready") as answer:
                assert answer.status == 200, await answer.text()
            assert (await second.end(signal.SIGINT, STOP_SECONDS)).code == 0
    assert not await site.stores_run()


def pids(lines: list[str]) -> list[int]:
    return [int(re.findall(r'"pid": (\d+)', line)[0]) for line in lines]


async def test_two_workers_share_a_port_and_a_killed_one_comes_back(site: Site) -> None:
    async with site.serving(workers=2) as server:
        shop = await site.seed()
        barber = shop["barbers"][0]
        token = await site.mint(Role.ADMIN)
        async with AsyncExitStack() as stack:
            # The kernel deals the connections out: sixteen of them are never all at one worker.
            clients = await connected(stack, site, token, 16)
            await everybody_sees_everybody(clients, barber)
            kill(pids(await server.says('"event": "listening"', 2))[0])
            await server.says('"event": "worker_died"')
            await server.says('"event": "listening"', 3)
            left = [client for client in clients if not client.gone.is_set()]
            assert 0 < len(left) < len(clients)
            again = await connected(stack, site, token, len(clients) - len(left))
            await everybody_sees_everybody([*left, *again], barber)
        end = await server.end(signal.SIGTERM, STOP_SECONDS)
        assert end.code == 0, end.err
        assert not await site.stores_run()
    check = await site.run("check")
    assert check.code == 0, check


async def test_each_worker_answers_for_itself_on_a_port_of_its_own(site: Site) -> None:
    first, second = free_ports(2)
    words = site.embedded("serve", "--port", str(site.port), "--workers", "2")
    async with program(site.home, *words, BARBERPRO_METRICS_PORT=str(first)) as server:
        await server.says('"event": "listening"', 2)
        async with aiohttp.ClientSession() as session:
            for port in (first, second):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    assert "barberpro_connections" in await answer.text()
                async with session.get(f"http://127.0.0.1:{port}/health/ready") as answer:
                    assert answer.status == 200


async def test_traces_go_to_the_collector_that_is_named(site: Site) -> None:
    came = asyncio.Event()

    async def collect(request: aiohttp.web.Request) -> aiohttp.web.Response:
        if b"GET /api/v1/queue/{barberId}" in await request.read():
            came.set()
        return aiohttp.web.Response(content_type="application/x-protobuf")

    app = aiohttp.web.Application()
    app.router.add_post("/v1/traces", collect)
    async with TestServer(app) as collector:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": str(collector.make_url("")), "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        words = site.embedded("serve", "--port", str(site.port))
        async with program(site.home, *words, OTEL_BSP_SCHEDULE_DELAY="100", **told) as server:
            await server.says('"event": "listening"')
            await site.get("/api/v1/queue/bb_nobody")
            async with asyncio.timeout(STOP_SECONDS):
                await came.wait()
            end = await server.end(signal.SIGTERM, STOP_SECONDS)
        assert end.code == 0, end.err
        assert "Traceback" not in end.err


async def connected(stack: AsyncExitStack, site: Site, token: str, count: int) -> list[RawClient]:
    clients = [await stack.enter_async_context(raw_client(site.url, {"token": token})) for _ in range(count)]
    assert all(client.refusal is None for client in clients)
    return clients


async def everybody_sees_everybody(clients: list[RawClient], barber: Json) -> None:
    """Each sends a command, and each sees the state after the last."""
    for client in clients:
        await client.subscribe(f"queue:{barber['barberId']}")
    await clients[0].command(commandId=new_id(), type="open", barberId=barber["barberId"])
    service = barber["services"][0]["serviceId"]
    join = {"type": "join", "barberId": barber["barberId"], "serviceIds": [service], "customer": {"name": "Ann"}}
    acks = await asyncio.gather(*(client.command(commandId=new_id(), **join) for client in clients))
    assert all(ack["ok"] for ack in acks), acks
    last = max(ack["data"]["queue"]["seq"] for ack in acks)
    states = [await client.hears("queue_updated", lambda state: state["seq"] == last) for client in clients]
    assert all(state == states[0] for state in states)
