"""A load test's day in the small: its exit status says whether the limits were kept."""

import subprocess
import sys
from pathlib import Path

import orjson

SLOW_MACHINE = "60000"


def day(directory: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output of a day with a handful of users."""
    command = [
        sys.executable, "-m", "loadtests.day", "--users", "12", "--minutes", "0.08", "--pace", "0.2",
        "--html", str(directory / "day.html"), "--booking-p99", SLOW_MACHINE, *arguments,
    ]  # fmt: skip  # a few words of the command a line
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # noqa: S603 - ours
    return done.returncode, done.stdout.decode()


def test_a_day_within_its_limits_ends_with_0_and_a_report(tmp_path: Path) -> None:
    status, out = day(tmp_path, "--seen-p99", SLOW_MACHINE, "--results", str(tmp_path / "results"))
    assert status == 0, out
    assert "BROKEN" not in out
    assert "update seen: screen" in (tmp_path / "day.html").read_text()
    report = orjson.loads((tmp_path / "results").read_bytes())
    assert [result["id"] for result in report["results"]] == ["P5-booking", "P5-seen", "P5-errors"]
    assert all(result["holds"] for result in report["results"])


def test_a_day_that_breaks_a_limit_ends_with_1_and_says_which(tmp_path: Path) -> None:
    status, out = day(tmp_path, "--seen-p99", "0")
    assert status == 1, out
    assert "BROKEN: update seen: customer: p99" in out
    assert "holds:  booking: customer" in out
