"""`python -m loadtests.everything`: runs the suites, keeps each one's JSON, and writes their tables into the docs.

The exit status is 0 when every suite ran, whatever its figures; a figure that falls short is told, not hidden. A short
run (--quick) leaves the docs alone: its results, and the page that they would make, go to .bench/.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from loadtests.bench.tables import tables, written

Json = dict[str, Any]

DAY: Final = "day"
SUITES: Final = (
    "engine", "commands", "delivery", "memory", "stalled", "restart", "year", "waits", "find", "pages", "lighthouse",
    "import", DAY,
)  # fmt: skip
LONG: Final = ("soak",)
"""Suites that run for half an hour: when they are named, and in a short run."""
_ROOT: Final = Path(__file__).parents[1]
_PAGE: Final = _ROOT / "docs" / "benchmarks.md"
_RESULTS: Final = _ROOT / "docs" / "benchmarks"
_SHORT: Final = _ROOT / ".bench"
_SUITES_HELP: Final = f"of {', '.join(SUITES)}, all if none is named; or {', '.join(LONG)}, if it is named"
_QUICK_DAY: Final = ("--users", "42", "--minutes", "0.05", "--pace", "0.5")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.everything", description="Run the suites, write docs.")
    parser.add_argument("suites", nargs="*", metavar="suite", help=_SUITES_HELP)
    parser.add_argument("--quick", action="store_true", help="a short run that only shows that it works")
    arguments = parser.parse_args(given)
    if unknown := set(arguments.suites) - {*SUITES, *LONG}:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    return arguments


def run(suite: str, quick: bool) -> Json:
    """The suite's JSON object. Raises CalledProcessError when it could not be run."""
    if suite == DAY:
        return _day(quick)
    command = [sys.executable, "-m", "loadtests.bench", suite, "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - a command of our own
    report: Json = orjson.loads(done.stdout)
    return report


def _day(quick: bool) -> Json:
    _SHORT.mkdir(exist_ok=True)
    results = _SHORT / "day.results.json"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "loadtests.day", "--results", str(results), *(_QUICK_DAY if quick else ())]
    done = subprocess.run(command, cwd=_ROOT, check=False)  # noqa: S603 - a command of our own
    if not results.exists():
        raise subprocess.CalledProcessError(done.returncode or 1, command)
    report: Json = orjson.loads(results.read_bytes())
    return report


def main(given: Sequence[str] | None = None) -> int:
    """Runs the suites one after the other; the exit status."""
    arguments = _arguments(given)
    results, page = (_SHORT, _SHORT / _PAGE.name) if arguments.quick else (_RESULTS, _PAGE)
    results.mkdir(exist_ok=True)
    if arguments.quick:
        shutil.copy(_PAGE, page)
    failed = []
    for suite in arguments.suites or (*SUITES, *(LONG if arguments.quick else ())):
        print(f"{suite}:", file=sys.stderr, flush=True)
        try:
            report = run(suite, arguments.quick)
        except subprocess.CalledProcessError as error:
            failed.append(f"{suite} could not be run: exit status {error.returncode}")
            continue
        except KeyboardInterrupt:
            return 130
        report["machine"]["quick"] = arguments.quick
        (results / f"{suite}.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2) + b"\n")
        page.write_text(written(page.read_text(), suite, tables(report)))
    for words in failed:
        print(words, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
