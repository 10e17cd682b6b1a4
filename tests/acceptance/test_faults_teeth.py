"""A run with faults finds out each way in which the engine is broken on purpose (docs/reliability.md)."""

from pathlib import Path

import pytest

from loadtests.faults.checks import acknowledged
from loadtests.faults.invariants import INVARIANTS
from tests.support.fault_runs import judged

BUGS = {
    "acknowledges-before-commit": (("Postgres killed", "server killed", "Valkey killed"), acknowledged.NAME),
    "no-fence": (("FLUSHALL", "Valkey killed", "lagging replica promoted"), acknowledged.NAME),
    "no-idempotency": (("clients cut off",), acknowledged.NAME),
    "reads-then-writes": (("clients cut off",), INVARIANTS[0]),
}


@pytest.mark.parametrize("bug", BUGS)
async def test_a_broken_engine_is_found_out(bug: str, tmp_path: Path) -> None:
    faults, check = BUGS[bug]
    only = [word for fault in faults for word in ("--only", fault)]
    code, verdict, told = await judged(tmp_path, "--minutes", "0.1", "--patience", "5", "--bug", bug, *only)
    assert (code, verdict["kept"]) == (1, False), told
    assert verdict["checks"][check]["found"] > 0, told
