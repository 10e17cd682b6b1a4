"""A process that a benchmark starts, talks to by lines, and ends: by its pid, whatever happened."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_LONGEST_LINE: Final = 1024 * 1024
_SECONDS: Final = 15.0
_ROOT: Final = Path(__file__).parents[2]


class Child:
    """A running process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    def tell(self, line: bytes) -> None:
        """line: without its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")

    async def hear(self) -> bytes:
        """Its next line. Raises ConnectionError when it has ended."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise ConnectionError(f"process {self.pid} ended with {await self._process.wait()}")
        return line.rstrip(b"\n")


@asynccontextmanager
async def child(
    *command: str | Path, environment: Mapping[str, str] | None = None, directory: Path = _ROOT
) -> AsyncIterator[Child]:
    """`command` until the end of the block. Ctrl-C does not reach it: it is ended in order when the block is."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
        cwd=directory,
        limit=_LONGEST_LINE,
        start_new_session=True,
    )
    try:
        yield Child(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_SECONDS):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
