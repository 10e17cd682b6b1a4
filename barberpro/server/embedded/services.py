"""Both stores of one directory: started once, however many processes ask, and stopped by the last one out."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.files import FileLock, in_thread, reachable_by_socket, socket_link
from barberpro.server.embedded.postgres import DATABASE, PORT, USER, PostgresProcess
from barberpro.server.embedded.process import POLL_SECONDS, START_SECONDS, STOP_SECONDS, StoreProcess
from barberpro.server.embedded.valkey import SOCKET, ValkeyProcess

TURN_SECONDS = START_SECONDS + STOP_SECONDS  # one before us may find out that it cannot start, and stop again


@dataclass(frozen=True)
class StoreUrls:
    """Where the stores are: `postgresql://` as asyncpg takes it, `unix://` as redis-py takes it."""

    database_url: str
    redis_url: str


class EmbeddedServices:
    """Real Postgres and Valkey in a directory, for trying BarberPro, for small shops, and for tests.

    Whoever uses them shares the lock DIR/run/users.lock from `start` to `stop`. The first to come starts them, and
    the last one out, who can have that lock alone, stops them. Users come and go one at a time, with DIR/run/turn.lock
    held, so nobody finds stores that are being stopped. A killed user's locks go with it; when the last one
    is killed, the stores live on, and the next to come finds them.

    `postgres` and `valkey` are the processes, with `pid`, `start()`, `stop()` and `kill()` for fault tests.
    """

    def __init__(self, directory: Path) -> None:
        """Take the directory, which need not exist yet. Nothing is touched before `start`."""
        self._directory = directory.absolute()
        run, logs = self._directory / "run", self._directory / "logs"
        self.postgres = PostgresProcess(self._directory / "postgres", run, logs / "postgres.log")
        self.valkey = ValkeyProcess(self._directory / "valkey", run, logs / "valkey.log")
        self._turn = FileLock(run / "turn.lock")
        self._use = FileLock(run / "users.lock")
        self._urls: StoreUrls | None = None

    @property
    def urls(self) -> StoreUrls:
        """What `start` returned; EmbeddedServicesError before it."""
        if self._urls is None:
            raise EmbeddedServicesError(f"The stores in {self._directory} are not started.")
        return self._urls

    async def start(self) -> StoreUrls:
        """Start the stores, or find them running, and return their URLs once both answer.

        Raises EmbeddedServicesError, whose words name the directory and say what to do.
        """
        await in_thread(self._make_directories)
        async with self._in_turn():
            try:
                self._urls = self._point_at(await in_thread(reachable_by_socket, self._directory))
                await in_thread(self._use.share)
                await _all(store.start() for store in self._stores())
            except BaseException:
                await self._leave()
                raise
        return self._urls

    async def stop(self) -> None:
        """Leave the stores; stop both, and wait until they are gone, when nobody else uses them.

        May be called twice. Raises EmbeddedServicesError when a store does not end.
        """
        if not self._use.held:
            return
        try:
            async with self._in_turn():
                await self._leave()
        finally:
            self._use.release()

    async def __aenter__(self) -> StoreUrls:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _stores(self) -> tuple[StoreProcess, StoreProcess]:
        return self.postgres, self.valkey

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """A block in which no other user of the directory comes or goes."""
        deadline = time.monotonic() + TURN_SECONDS
        try:
            while not await in_thread(self._turn.try_alone):
                if time.monotonic() > deadline:
                    raise EmbeddedServicesError(
                        f"Another process has been starting or stopping the stores in {self._directory} for "
                        f"{TURN_SECONDS:.0f} seconds. See {self._directory / 'logs'}, end that process, and try again."
                    )
                await asyncio.sleep(POLL_SECONDS)
            yield
        finally:
            self._turn.release()

    async def _leave(self) -> None:
        """Stop the stores if nobody else uses them; must be our turn."""
        try:
            if await in_thread(self._use.try_alone):
                await _all(store.stop() for store in self._stores())
                if self.valkey.socket.parent.parent != self._directory:
                    await in_thread(socket_link(self._directory).unlink, missing_ok=True)
            else:
                for store in self._stores():
                    store.leave()
        finally:
            self._use.release()

    def _make_directories(self) -> None:
        directory = self._directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("run", "logs"):
                (directory / name).mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise EmbeddedServicesError(
                f"{directory} is a file, or lies under one; the embedded stores need a directory. Choose another name."
            ) from None
        except OSError as error:
            raise EmbeddedServicesError(
                f"Cannot write in {directory}: {error.strerror}. Choose a directory that you may write to."
            ) from error
        if not os.access(directory, os.W_OK | os.X_OK):
            raise EmbeddedServicesError(f"Cannot write in {directory}. Choose a directory that you may write to.")

    def _point_at(self, base: Path) -> StoreUrls:
        self.postgres.socket_directory = base / self.postgres.directory.name
        self.valkey.socket = base / self.valkey.directory.name / SOCKET
        # The port is said, for asyncpg would take it from PGPORT otherwise.
        host = quote(os.fspath(self.postgres.socket_directory))
        return StoreUrls(
            database_url=f"postgresql://{USER}@/{DATABASE}?host={host}&port={PORT}",
            redis_url=f"unix://{quote(os.fspath(self.valkey.socket))}?db=0",
        )


async def _all(works: Iterable[Awaitable[None]]) -> None:
    """Do them in parallel and each to its end, so that none goes on behind the failure of another."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
