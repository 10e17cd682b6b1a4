"""A short run with faults keeps every promise; and one on an engine that was broken on purpose is found out."""

import asyncio
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from loadtests.faults.checks import acknowledged, no_trace
from loadtests.faults.invariants import INVARIANTS
from tests.support.programs import module

SECONDS = 400
GENEROUS_SECONDS = "60"
"""To be well again: other tests run beside this one."""
_AS_IT_HAPPENS: Final = frozenset({no_trace.ONE_ANSWER})
"""Looked at only when an attempt without an answer was followed by a refusal."""

BUGS = {
    "acknowledges-before-commit": (("Postgres killed", "server killed", "Valkey killed"), acknowledged.NAME),
    "no-fence": (("FLUSHALL", "Valkey killed", "lagging replica promoted"), acknowledged.NAME),
    "no-idempotency": (("clients cut off",), acknowledged.NAME),
    "reads-then-writes": (("clients cut off",), INVARIANTS[0]),
}


async def judged(directory: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, verdict and what was printed of `python -m loadtests.faults`."""
    async with module("loadtests.faults", *arguments, "--keep", str(directory)) as running:
        ended = await running.finished(SECONDS)
    told = ended.out + ended.err
    assert "the report is" in told, told
    verdict = await asyncio.to_thread((directory / "verdict.json").read_bytes)
    return ended.code, orjson.loads(verdict), told


async def test_a_run_with_faults_keeps_every_promise(tmp_path: Path) -> None:
    code, verdict, told = await judged(tmp_path, "--minutes", "0.9", "--recovery", GENEROUS_SECONDS, "--patience", "60")
    assert (code, verdict["kept"]) == (0, True), told
    overlooked = {name for name, check in verdict["checks"].items() if not check["looked"]} - _AS_IT_HAPPENS
    assert overlooked == set(), told
    totals = verdict["totals"]
    assert sum(totals["faults"].values()) > 20, told
    assert totals["commands"] > 1000, told


@pytest.mark.parametrize("bug", BUGS)
async def test_a_broken_engine_is_found_out(bug: str, tmp_path: Path) -> None:
    faults, check = BUGS[bug]
    only = [word for fault in faults for word in ("--only", fault)]
    code, verdict, told = await judged(tmp_path, "--minutes", "0.1", "--patience", "5", "--bug", bug, *only)
    assert (code, verdict["kept"]) == (1, False), told
    assert verdict["checks"][check]["found"] > 0, told
