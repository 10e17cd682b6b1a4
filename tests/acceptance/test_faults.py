"""A short run with faults keeps every promise (docs/reliability.md)."""

from pathlib import Path
from typing import Final

from loadtests.faults.checks import no_trace
from tests.support.fault_runs import judged

GENEROUS_SECONDS = "60"
"""To be well again: other tests run beside this one."""
LEISURELY_SECONDS = "1"
"""People think for so long: other tests have the machine as well."""
_AS_IT_HAPPENS: Final = frozenset({no_trace.ONE_ANSWER})
"""Looked at only when an attempt without an answer was followed by a refusal."""


async def test_a_run_with_faults_keeps_every_promise(tmp_path: Path) -> None:
    arguments = ("--minutes", "0.9", "--recovery", GENEROUS_SECONDS, "--patience", "60", "--think", LEISURELY_SECONDS)
    code, verdict, told = await judged(tmp_path, *arguments)
    assert (code, verdict["kept"]) == (0, True), told
    overlooked = {name for name, check in verdict["checks"].items() if not check["looked"]} - _AS_IT_HAPPENS
    assert overlooked == set(), told
    totals = verdict["totals"]
    assert sum(totals["faults"].values()) > 20, told
    assert totals["commands"] > 1000, told
