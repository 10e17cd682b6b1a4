"""Runs people and faults as their user does. Holds no tests itself."""

import asyncio
from pathlib import Path
from typing import Any

import orjson

from tests.support.programs import module

SECONDS = 400


async def judged(directory: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, verdict and what was printed of `python -m loadtests.faults`."""
    async with module("loadtests.faults", *arguments, "--keep", str(directory)) as running:
        ended = await running.finished(SECONDS)
    told = ended.out + ended.err
    assert "the report is" in told, told
    verdict = await asyncio.to_thread((directory / "verdict.json").read_bytes)
    return ended.code, orjson.loads(verdict), told
