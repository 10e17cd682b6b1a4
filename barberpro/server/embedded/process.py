"""A store as a child process that outlives its parent's death and is found again."""

import asyncio
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from barberpro.server.embedded.errors import EmbeddedServicesError
from barberpro.server.embedded.files import FileLock, in_thread, is_locked

START_SECONDS = 60.0  # a crash recovery or a long append-only file takes its time
STOP_SECONDS = 30.0
POLL_SECONDS = 0.01
LARGEST_LOG = 16 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run: the program and its arguments, and as whom (uid, gid) if not as ourselves."""

    arguments: list[str]
    user: tuple[int, int] | None = None


class StoreProcess(ABC):
    """One store: the files in its directory and the process that serves them, started by us or found running.

    The process inherits a lock on `lock_file` and holds it until it, and every child of it, is gone. So
    'is it alive?' has one answer that needs no pid file and cannot take a stranger for ours.
    """

    title: str
    stop_signal: signal.Signals
    force_signal: signal.Signals

    def __init__(self, directory: Path, run_directory: Path, log_file: Path) -> None:
        """Take the data directory, the directory of the locks, and the log's path. Nothing happens yet."""
        self.directory = directory
        self.lock_file = run_directory / f"{directory.name}.lock"
        self.log_file = log_file
        self.pid: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> Command:
        """Make the data directory if it is missing; return the command. Blocking; EmbeddedServicesError."""

    @abstractmethod
    async def answering_pid(self) -> int | None:
        """Return the pid of the process that answers on this directory's socket; None if none is ready."""

    async def start(self) -> None:
        """Start the process, or find the one that runs on this directory, and wait until it answers.

        Raises EmbeddedServicesError when it exits or does not answer in time; what was started here is gone then.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._start()
        except TimeoutError:
            await self._withdraw()
            raise EmbeddedServicesError(
                f"{self.title} in {self.directory} (process {self.lock_file.read_text()}) did not answer "
                f"within {START_SECONDS:.0f} seconds. See {self.log_file}; if it hangs since an earlier run, "
                "kill it and start again."
            ) from None
        except BaseException:
            await self._withdraw()
            raise

    async def _withdraw(self) -> None:
        """End what a start that failed has started; what it found running may be in use."""
        if self._child is not None:
            await self.stop()

    async def _start(self) -> None:
        while True:
            if self._child is not None and self._child.poll() is not None:
                raise await in_thread(self._exited, self._child.returncode)
            if self._child is None:
                # Busy means alive, or on its way out: then it either answers or lets go of the lock.
                await in_thread(self._spawn_if_free)
            self.pid = await self.answering_pid()
            if self.pid is not None:
                return
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Ask the process to finish, wait until it is gone, and force it when it takes too long."""
        await self._end(self.stop_signal)

    async def kill(self) -> None:
        """End the process as a power cut would (SIGKILL), and wait until it is gone. For fault tests."""
        await self._end(signal.SIGKILL)

    def leave(self) -> None:
        """Let go of the process and let it run: others use it."""
        if self._child is not None:
            # Whoever stops it cannot reap it; we can, if we live to see its end.
            threading.Thread(target=self._child.wait, daemon=True).start()
        self.pid = self._child = None

    async def _end(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        if self._child is None:
            # The one that we knew may have died, and another user of the directory may have started the next.
            self.pid = await self.answering_pid() or self.pid
        for attempt in (number, self.force_signal, signal.SIGKILL):
            await in_thread(self._signal, attempt)
            if await self._gone_within(STOP_SECONDS):
                self.pid = self._child = None
                return
        raise EmbeddedServicesError(f"{self.title} in {self.directory} (process {self.pid}) does not end.")

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send_signal(number)
        elif self.pid is not None and is_locked(self.lock_file):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # the last of its children are still letting go of the lock

    async def _gone_within(self, seconds: float) -> bool:
        if self._child is None and self.pid is None:
            return True
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            reaped = self._child is None or self._child.poll() is not None
            if reaped and not await in_thread(is_locked, self.lock_file):
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    def _spawn_if_free(self) -> None:
        lock = FileLock(self.lock_file)
        if not lock.try_alone():
            return
        try:
            self._child = self._spawn(self.prepare(), lock.fileno())
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), str(self._child.pid).encode())  # for people who look for it
        finally:
            lock.release()

    def _spawn(self, command: Command, lock: int) -> subprocess.Popen[bytes]:
        self._turn_log()
        uid, gid = command.user or (None, None)
        with self.log_file.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own arguments, and no shell)
                command.arguments,
                cwd=self.directory,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                # The terminal's Ctrl-C is for the server: it drains first, and stops the stores last.
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=None if gid is None else [],
            )

    def _turn_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > LARGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))

    def _exited(self, status: int) -> EmbeddedServicesError:
        last = self.log_file.read_text(errors="replace").splitlines()[-5:]
        return EmbeddedServicesError(
            f"{self.title} in {self.directory} exited with status {status} while starting. "
            f"The end of {self.log_file}:\n" + "\n".join(last)
        )


def child_environment() -> dict[str, str]:
    """Return the environment for the stores: none of ours, since PGPORT and the like would change them."""
    return {"LC_ALL": "C", "PATH": os.defpath}
