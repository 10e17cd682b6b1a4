"""The types of barberpro.js, as TypeScript sees them."""

import asyncio
import os
from pathlib import Path
from typing import Final

import pytest

from loadtests.bench.build import MissingError, install

_DIRECTORY: Final = Path(__file__).with_name("types")
_COMPILER: Final = _DIRECTORY / "node_modules" / "typescript" / "bin" / "tsc"


async def test_an_app_in_typescript_can_be_written_against_it() -> None:
    try:
        await install(_DIRECTORY)
    except MissingError as missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"the types were not checked: {missing}")
    process = await asyncio.create_subprocess_exec(
        "node", _COMPILER, "--project", _DIRECTORY, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
