"""What the log tells of an exception: where it happened, and nothing of anybody."""

import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
import asyncpg, structlog
from barberpro.server.logs import configure_logs

def fail(token):
    refused = asyncpg.CheckViolationError('violates check constraint "bookings_name"')
    refused.detail = "Failing row contains (bk_1, ZEBULON, +919876543210)."
    try:
        raise refused
    except asyncpg.PostgresError as error:
        raise RuntimeError("it broke") from error

configure_logs("info", sys.argv[1])
try:
    fail("eyJ" + "SECRET")
except RuntimeError:
    structlog.get_logger("ours").exception("request_failed")
    logging.getLogger("theirs").exception("task_failed")
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_neither_local_variables_nor_rows(form: str) -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    for event in ("request_failed", "task_failed", "RuntimeError: it broke", "bookings_name", "in fail"):
        assert event in ended.stderr
    for private in ("SECRET", "ZEBULON", "9876543210"):
        assert private not in ended.stderr
    assert ended.stderr.count("DETAIL: (not shown)") == 2
