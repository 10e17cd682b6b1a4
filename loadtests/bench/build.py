"""What has to be built or installed before it runs, for benchmarks and tests: by programs that may not be there."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SECONDS: Final = 300.0


class MissingError(Exception):
    """What is needed is not on this machine; the message says what."""


async def install(directory: Path) -> None:
    """The locked npm packages of a directory, in its node_modules; only when they are not there yet.

    Raises MissingError without Node or npm, or when npm fails.
    """
    if shutil.which("node") is None:
        raise MissingError("node is not installed")
    # npm writes this one last.
    installed, locked = directory / "node_modules" / ".package-lock.json", directory / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not installed")
    await run(npm, "ci", "--omit=dev", "--no-audit", "--no-fund", "--fetch-retries=0", directory=directory)


async def run(*command: str | Path, directory: Path) -> None:
    """Raises MissingError with the program's last words when it fails."""
    await output(*command, directory=directory)


async def output(*command: str | Path, directory: Path, environment: Mapping[str, str] | None = None) -> bytes:
    """As `run`; what the program wrote."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            told, words = await process.communicate()
    except TimeoutError:
        raise MissingError(f"{command[0]} took too long") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise MissingError(f"{command[0]} failed: {words.decode(errors='replace').strip()[-300:]}")
    return told
