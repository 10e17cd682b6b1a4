"""Many light clients come in to a server together, from this process, and leave it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.sockets import LightClient

_AT_ONCE: Final = 50
_SECONDS: Final = 60.0


async def let_in(clients: Sequence[LightClient]) -> None:
    """Connects them all. Raises ConnectionError, or a group of them, when the server refuses one."""
    many_descriptors()
    gate, loop = asyncio.Semaphore(_AT_ONCE), asyncio.get_running_loop()
    reached: list[LightClient] = []

    async def come_in(client: LightClient) -> None:
        async with gate, asyncio.timeout(_SECONDS):
            await loop.create_connection(lambda: client, "127.0.0.1", client.port)
            reached.append(client)
            await client.ready

    try:
        await come_in(clients[0])  # one alone is told that nobody is let in
        async with asyncio.TaskGroup() as group:
            for client in clients[1:]:
                group.create_task(come_in(client))
    except BaseException:
        await hang_up(reached)
        raise


async def hang_up(clients: Sequence[LightClient]) -> None:
    for client in clients:
        client.abort()
    await asyncio.sleep(0)


def nobody() -> None:
    """For clients whose loss shows in another way."""
