"""`barberpro serve`: ready when it says so, down when it is told to, and more than one process on one port."""

import asyncio
import re
import signal
from contextlib import AsyncExitStack

import pytest

from barberpro.protocol.actors import Role
from tests.support.programs import program
from tests.support.raw_socketio import TRANSPORTS, RawClient, raw_client
from tests.support.shops import Json, new_id
from tests.support.sites import STOP_SECONDS, Site, kill


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
                assert client.heard["server_restarting"] == [{"reconnectAfterMs": 1000}]
        assert end.code == 0, end.err
        assert "Traceback" not in end.err
        assert not await site.stores_run()


async def test_a_signal_in_the_middle_of_starting_ends_it_too(site: Site) -> None:
    async with program(site.home, *site.embedded("serve", "--port", str(site.port))) as server:
        await server.says('"event": "migrated"')
        end = await server.end(signal.SIGTERM, STOP_SECONDS)
        assert "Traceback" not in end.err
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
