"""The Python client: sockets that resume, commands that are repeated safely, and REST, typed.

    async with BarberProClient("https://shop.example", token) as client:
        result = await client.join("bb_1", ["sv_1"], customer=Customer(name="Asha"))
        async for state in client.watch("queue:bb_1"):
            print(state["serving"], state["next"])

The rules of retry and resume are in docs/client-python.md.
"""

from barberpro.clients.python.api import BarberProApi
from barberpro.clients.python.client import BarberProClient
from barberpro.clients.python.errors import ClientClosed, CommandUnresolved, ServerUnreachable
from barberpro.clients.python.feeds import Watch
from barberpro.clients.python.logic import RetryPolicy, Version
from barberpro.clients.python.rest import OMITTED, Omitted, Page
from barberpro.clients.python.results import ClientStats, CommandResult, QueuePoint
from barberpro.clients.python.tokens import TokenProvider
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Customer, Expect, Payment
from barberpro.protocol.errors import BarberProError

__all__ = [
    "OMITTED",
    "BarberProApi",
    "BarberProClient",
    "BarberProError",
    "ClientClosed",
    "ClientStats",
    "CommandResult",
    "CommandUnresolved",
    "Customer",
    "ErrorCode",
    "Expect",
    "Omitted",
    "Page",
    "Payment",
    "QueuePoint",
    "RetryPolicy",
    "ServerUnreachable",
    "TokenProvider",
    "Version",
    "Watch",
]
