"""Both stores of one directory: started once, however many processes ask."""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.files import in_thread, reachable_by_socket, socket_link, try_lock
from barberpro.server.embedded.postgres import DATABASE, PORT, USER, PostgresProcess
from barberpro.server.embedded.process import POLL_SECONDS, START_SECONDS, StoreProcess
from barberpro.server.embedded.valkey import SOCKET, ValkeyProcess


@dataclass(frozen=True)
class StoreUrls:
    """Where the stores are: `postgresql://` as asyncpg takes it, `unix://` as redis-py takes it."""

    database_url: str
    redis_url: str


class EmbeddedServices:
    """Real Postgres and Valkey in a directory, for trying BarberPro, for small shops, and for tests.

    The first to start owns them: it holds DIR/run/owner.lock as long as it lives and stops them in the end.
    Whoever comes while it lives attaches: same URLs, and stopping is not theirs. When an owner dies without
    stopping, the stores live on, and the next to start adopts them.

    `postgres` and `valkey` are the processes, with `pid`, `start()`, `stop()` and `kill()` for fault tests.
    """

    def __init__(self, directory: Path) -> None:
        """Take the directory, which need not exist yet. Nothing is touched before `start`."""
        self._directory = directory.absolute()
        run, logs = self._directory / "run", self._directory / "logs"
        self.postgres = PostgresProcess(self._directory / "postgres", run, logs / "postgres.log")
        self.valkey = ValkeyProcess(self._directory / "valkey", run, logs / "valkey.log")
        self._owner_lock = run / "owner.lock"
        self._ownership: int | None = None
        self._urls: StoreUrls | None = None

    @property
    def urls(self) -> StoreUrls:
        """What `start` returned; EmbeddedServicesError before it."""
        if self._urls is None:
            raise EmbeddedServicesError(f"The stores in {self._directory} are not started.")
        return self._urls

    @property
    def owned(self) -> bool:
        """Whether this object started (or adopted) the stores, and so stops them."""
        return self._ownership is not None

    async def start(self) -> StoreUrls:
        """Start the stores, or find them running, and return their URLs once both answer.

        Raises EmbeddedServicesError, whose words name the directory and say what to do.
        """
        self._urls = await in_thread(self._prepare_directory)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._ownership = await in_thread(try_lock, self._owner_lock)
            if self._ownership is not None:
                await self._start_as_owner()
                return self._urls
            if await self._attach():
                return self._urls
            await asyncio.sleep(POLL_SECONDS)
        raise EmbeddedServicesError(
            f"Another process holds {self._owner_lock}, and its stores did not answer within "
            f"{START_SECONDS:.0f} seconds. See {self._directory / 'logs'}, end that process, and start again."
        )

    async def stop(self) -> None:
        """Stop both stores if they are ours to stop, and wait until they are gone. May be called twice."""
        if self._ownership is None:
            for store in self._stores():
                store.forget()
            return
        try:
            await self._stop_all()
        finally:
            await in_thread(self._release)

    async def __aenter__(self) -> StoreUrls:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _stores(self) -> tuple[StoreProcess, StoreProcess]:
        return self.postgres, self.valkey

    def _prepare_directory(self) -> StoreUrls:
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
        return self._point_at(reachable_by_socket(directory))

    def _point_at(self, base: Path) -> StoreUrls:
        self.postgres.socket_directory = base / self.postgres.directory.name
        self.valkey.socket = base / self.valkey.directory.name / SOCKET
        # The port is said, for asyncpg would take it from PGPORT otherwise.
        host = quote(os.fspath(self.postgres.socket_directory))
        return StoreUrls(
            database_url=f"postgresql://{USER}@/{DATABASE}?host={host}&port={PORT}",
            redis_url=f"unix://{quote(os.fspath(self.valkey.socket))}?db=0",
        )

    async def _attach(self) -> bool:
        return all(await asyncio.gather(*(store.attach() for store in self._stores())))

    async def _start_as_owner(self) -> None:
        try:
            # In parallel; and each to its end, so that no start goes on behind a failure of the other.
            results = await asyncio.gather(*(store.start() for store in self._stores()), return_exceptions=True)
            for failure in results:
                if isinstance(failure, BaseException):
                    raise failure
        except BaseException:
            await self.stop()
            raise

    async def _stop_all(self) -> None:
        results = await asyncio.gather(*(store.stop() for store in self._stores()), return_exceptions=True)
        for failure in results:
            if isinstance(failure, BaseException):
                raise failure

    def _release(self) -> None:
        if self._ownership is None:
            return
        if self.valkey.socket.parent.parent != self._directory:
            socket_link(self._directory).unlink(missing_ok=True)
        os.close(self._ownership)
        self._ownership = None
