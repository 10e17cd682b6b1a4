"""The stores of a run: a Postgres whose disk can be full, and a Valkey with a replica that can take its place."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from redis.asyncio import Redis

from barberpro.server.embedded.postgres import DATABASE, PORT, USER, PostgresProcess
from barberpro.server.embedded.postgres_binaries import unprivileged_user
from barberpro.server.embedded.process import Command
from barberpro.server.embedded.valkey import ValkeyProcess
from loadtests.bench.served import free_port
from loadtests.faults.network import Network
from loadtests.faults.processes import cut_power

_DISK_BYTES: Final = 6 * 1024**3
_ROOM_BYTES: Final = 128 * 1024
_PAGE: Final = 4096
_TIMES: Final = 20
_SYNC_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.02


class Disk:
    """A small file system of its own, in memory, that can be full. Only root can make one: see `there`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.there = False

    def make(self) -> None:
        """Blocking."""
        self.directory.mkdir()
        made = self._run("mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "barberpro-faults", str(self.directory))
        self.there = made.returncode == 0

    def fill(self) -> None:
        """No more than a little can be written from now on. Blocking.

        The system refuses a size below what is used, and Postgres may have written more since that was looked at.
        """
        for _ in range(_TIMES):
            now = os.statvfs(self.directory)
            used = (now.f_blocks - now.f_bfree) * now.f_frsize
            resized = self._resize((used + _ROOM_BYTES) // _PAGE * _PAGE)
            if resized.returncode == 0:
                return
        resized.check_returncode()

    def clear(self) -> None:
        """Blocking."""
        self._resize(_DISK_BYTES).check_returncode()

    def remove(self) -> None:
        """Blocking."""
        if self.there:
            self._run("umount", "--lazy", str(self.directory)).check_returncode()

    def _resize(self, size: int) -> "subprocess.CompletedProcess[bytes]":
        return self._run("mount", "-o", f"remount,size={size}", str(self.directory))

    @staticmethod
    def _run(*command: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - our own words, and no shell


class _Postgres(PostgresProcess):
    """Remembers when each transaction was committed."""

    def prepare(self) -> Command:
        command = super().prepare()
        command.arguments.extend(("-c", "track_commit_timestamp=on"))
        return command

    @property
    def socket(self) -> str:
        return os.fspath(self.directory / f".s.PGSQL.{PORT}")

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}@/{database}?host={self.directory}&port={PORT}"


class Valkey(ValkeyProcess):
    """One with a port, so that another can be its replica."""

    def __init__(self, directory: Path, run: Path) -> None:
        super().__init__(directory, run, run / f"{directory.name}.log")
        self.port = free_port()

    def prepare(self) -> Command:
        command = super().prepare()
        for name, value in (("port", self.port), ("bind", "127.0.0.1"), ("repl-diskless-sync-delay", 0)):
            command.arguments.extend((f"--{name}", str(value)))
        return command

    async def tell(self, *words: str | int) -> Any:  # noqa: ANN401 - whatever it answers
        path = os.fspath(self.socket)
        redis: Any = Redis(unix_socket_path=path, decode_responses=True, socket_timeout=5)
        async with redis:
            return await redis.execute_command(*words)

    def forget(self) -> None:
        """Removes its file; it must not be running. Blocking."""
        shutil.rmtree(self.append_only_directory, ignore_errors=True)

    def copy(self, to: Path) -> None:
        """Copies its file as it is now. Blocking."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.append_only_directory, to)

    def put_back(self, copy: Path) -> None:
        """Puts an old copy in the place of its file; it must not be running. Blocking."""
        self.forget()
        shutil.copytree(copy, self.append_only_directory)

    def tear(self, size: int) -> None:
        """Cuts so many bytes off the end of its file, as a crash in the middle of a write. Blocking."""
        files = [file for file in self.append_only_directory.glob("*.incr.aof") if file.stat().st_size]
        if files:
            newest = max(files, key=lambda file: file.stat().st_mtime)
            os.truncate(newest, max(0, newest.stat().st_size - size))


class Stores:
    """`valkey` is the primary, `spare` its replica, or stopped."""

    def __init__(self, directory: Path) -> None:
        run = directory / "run"
        self.disk = Disk(directory / "disk")
        self.postgres = _Postgres(directory / "postgres", run, run / "postgres.log")
        self.valkey, self.spare = (Valkey(directory / f"valkey-{name}", run) for name in ("a", "b"))
        self.copy = directory / "valkey-copy"
        self.replication = Network(self.valkey.port)
        self.promoted: list[Callable[[Valkey], Awaitable[None]]] = []
        """Told when another one has become the primary."""
        self._run = run

    async def replicate(self) -> None:
        """The spare becomes a replica in step with the primary. Raises TimeoutError, RedisError, OSError."""
        self.replication.aim(self.valkey.port)
        await self.spare.start()
        await self.spare.tell("REPLICAOF", "127.0.0.1", self.replication.port)
        async with asyncio.timeout(_SYNC_SECONDS):
            while (await self.spare.tell("INFO", "replication")).get("master_link_status") != "up":  # noqa: ASYNC110 - nor does it
                await asyncio.sleep(_LOOK_SECONDS)

    async def promote(self) -> None:
        """The replica takes the primary's place, which ends at once, and whose memory is not wanted any more."""
        old, new = self.valkey, self.spare
        await new.tell("REPLICAOF", "NO", "ONE")
        self.valkey, self.spare = new, old
        for listener in self.promoted:
            await listener(new)
        await cut_power(old)
        await asyncio.to_thread(old.forget)

    async def _prepare_database(self) -> None:
        """On the small disk, if there is one."""
        if not self.disk.there:
            return
        user = unprivileged_user(self.postgres.directory)
        if user is not None:
            os.chown(self.disk.directory, *user)
        connection = await asyncpg.connect(self.postgres.url("postgres"))
        try:
            await connection.execute(f"CREATE TABLESPACE small LOCATION '{self.disk.directory}'")
            await connection.execute(f"ALTER DATABASE {DATABASE} SET TABLESPACE small")
        finally:
            await connection.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self._run.mkdir()
            self._run.parent.chmod(0o711)  # Postgres, which may be another user, goes to the disk by its whole path
            await asyncio.to_thread(self.disk.make)
            stack.push_async_callback(asyncio.to_thread, self.disk.remove)
            for store in (self.postgres, self.valkey, self.spare):
                stack.push_async_callback(store.stop)
            await asyncio.gather(self.postgres.start(), self.valkey.start())
            await self._prepare_database()
            await stack.enter_async_context(self.replication)
            yield
