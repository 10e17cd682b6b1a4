"""The site of a run: two servers, the stores behind them, and networks in between that can fail."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from barberpro.domain.identity import Tokens
from barberpro.domain.keys import signing_key
from barberpro.protocol.actors import Actor
from loadtests.faults.servers import Server
from loadtests.faults.stores import Stores

_TOKEN_SECONDS: Final = 86_400


class Site:
    """What there is to break. directory: keys, logs and data, for the time of the run."""

    def __init__(self, directory: Path, oddities: Mapping[str, str]) -> None:
        """oddities: what is wrong with the servers' engine, for both."""
        self.stores = Stores(directory)
        self.servers = [Server(name, self.stores, directory, oddities) for name in ("server-a", "server-b")]
        self._tokens = Tokens(signing_key(directory / "keys", create=True))

    @property
    def database_url(self) -> str:
        """Straight to Postgres, past every network."""
        return self.stores.postgres.url()

    @property
    def fronts(self) -> list[int]:
        """Where clients come in."""
        return [server.front.port for server in self.servers]

    def token(self, actor: Actor) -> str:
        return self._tokens.mint(actor, _TOKEN_SECONDS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.stores.running())
            for server in self.servers:  # one after the other: the first one makes the tables
                await stack.enter_async_context(server.running())
            yield
