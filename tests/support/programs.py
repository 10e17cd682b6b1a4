"""BarberPro's command line as real processes: what they print, and how they end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

BARBERPRO = Path(sys.executable).with_name("barberpro")
_REPOSITORY = Path(__file__).parents[2]
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_LONGEST_LINE = 4 * 1024 * 1024
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended; a negative code is the number of the signal that ended it."""

    code: int
    out: str
    err: str


class Program:
    """One running process. Lines of both of its outputs are kept; who waits for one is woken by it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._out: list[str] = []
        self._err: list[str] = []
        self._changed = asyncio.Condition()
        assert process.stdout is not None
        assert process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self._out)),
            asyncio.create_task(self._read(process.stderr, self._err)),
        ]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def err(self) -> str:
        """What it has written to standard error so far."""
        return "".join(self._err)

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        while line := await stream.readline():
            async with self._changed:
                lines.append(line.decode())
                self._changed.notify_all()
        async with self._changed:
            self._changed.notify_all()

    async def says(self, words: str, times: int = 1) -> list[str]:
        """The lines with these words, once there are so many. Fails when the program ends before."""
        async with asyncio.timeout(SECONDS), self._changed:
            while len(found := [line for line in (*self._out, *self._err) if words in line]) < times:
                ended = all(reader.done() for reader in self._readers)
                assert not ended, f"ended before it said {words!r}:\n{''.join(self._out)}{self.err}"
                await self._changed.wait()
            return found

    async def finished(self, seconds: float = SECONDS) -> Finished:
        """Waits for its end. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            code = await self._process.wait()
            await asyncio.gather(*self._readers)
        return Finished(code, "".join(self._out), self.err)

    async def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = SECONDS) -> Finished:
        """Sends it a signal and waits for its end. Raises TimeoutError."""
        self._process.send_signal(number)
        return await self.finished(seconds)

    async def clear_away(self) -> None:
        """Makes sure that it is gone, whatever the test did."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
        await asyncio.gather(*self._readers)


@asynccontextmanager
async def program(directory: Path, *arguments: str, **environment: str) -> AsyncIterator[Program]:
    """`barberpro ARGUMENTS` in `directory`, without this process's own settings; gone at the end of the block."""
    async with _running((os.fspath(BARBERPRO), *arguments), directory, environment) as running:
        yield running


@asynccontextmanager
async def module(name: str, *arguments: str) -> AsyncIterator[Program]:
    """`python -m NAME ARGUMENTS` in the repository, likewise."""
    async with _running((sys.executable, "-m", name, *arguments), _REPOSITORY, {}) as running:
        yield running


@asynccontextmanager
async def _running(words: Sequence[str], directory: Path, more: Mapping[str, str]) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=directory,
        env=plain_environment(more),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LONGEST_LINE,
    )
    running = Program(process)
    try:
        yield running
    finally:
        await running.clear_away()


async def run(directory: Path, *arguments: str, **environment: str) -> Finished:
    """`barberpro ARGUMENTS` to its end."""
    async with program(directory, *arguments, **environment) as running:
        return await running.finished()


async def shell(directory: Path, script: str, **environment: str) -> Finished:
    """A script as people type it, to its end, which is the first line that fails."""
    async with _running(("bash", "-euc", script), directory, environment) as running:
        return await running.finished()


def plain_environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **more}
