"""Commands that need neither stores nor a server start without the libraries of both."""

import re
from pathlib import Path

import pytest

from tests.support.programs import run

HEAVY = {"aiohttp", "alembic", "asyncpg", "redis", "rich", "socketio", "sqlalchemy", "structlog", "uvloop"}


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["token", "--role", "admin"]])
async def test_help_and_token_load_no_library_of_the_server(tmp_path: Path, arguments: list[str]) -> None:
    end = await run(tmp_path, *arguments, PYTHONPROFILEIMPORTTIME="1")
    loaded = set(re.findall(r"^import time:.*\| +(\w+)", end.err, re.MULTILINE))
    assert end.code == 0
    assert "click" in loaded
    assert not loaded & HEAVY
