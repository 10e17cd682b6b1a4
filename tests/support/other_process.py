"""Another process that uses embedded stores, for tests of what happens between processes."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict, dataclass
from pathlib import Path

from barberpro.server.embedded import EmbeddedServices, EmbeddedServicesError


@dataclass(frozen=True)
class Report:
    """What the other process found after its start; `error` is the words of its refusal, or empty."""

    database_url: str = ""
    postgres_pid: int = 0
    valkey_pid: int = 0
    error: str = ""


class OtherProcess:
    """A process that has started EmbeddedServices on a directory and keeps them until told to finish."""

    def __init__(self, process: Process, report: Report) -> None:
        """Take the process and its report; see `start`."""
        self._process = process
        self.report = report

    @classmethod
    async def start(cls, directory: Path, prefix: tuple[str, ...] = ()) -> "OtherProcess":
        """Start one on this directory and wait for its report; `prefix` is a command that runs it."""
        process = await asyncio.create_subprocess_exec(
            *prefix, sys.executable, "-m", __spec__.name, str(directory), stdin=PIPE, stdout=PIPE
        )
        assert process.stdout is not None
        return cls(process, Report(**json.loads(await process.stdout.readline())))

    async def finish(self) -> None:
        """Let it leave the stores, and end."""
        await self._process.communicate(b"")

    async def kill(self) -> None:
        """Kill it (SIGKILL), so that it can stop nothing."""
        self._process.send_signal(signal.SIGKILL)
        await self._process.communicate()


async def main(directory: Path) -> None:
    """Start the stores, report in one line, wait for the end of standard input, leave them."""
    services = EmbeddedServices(directory)
    try:
        urls = await services.start()
    except EmbeddedServicesError as error:
        print(json.dumps(asdict(Report(error=str(error)))), flush=True)
        return
    report = Report(urls.database_url, services.postgres.pid or 0, services.valkey.pid or 0)
    print(json.dumps(asdict(report)), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await services.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
