"""The benchmark command prints what performance.md says, whatever the figures are."""

import asyncio
import sys
from typing import Any

import orjson


async def test_a_quick_run_prints_one_json_object_of_the_agreed_shape() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench", "engine", "--json", "--quick",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, progress = await process.communicate()

    assert process.returncode == 0, progress.decode()
    report: dict[str, Any] = orjson.loads(out)
    assert report["machine"]["cores"] >= 1
    assert [result["id"] for result in report["results"]] == ["P1", "P2", "P8-length", "P8-queues"]
    for result in report["results"]:
        assert result["value"] > 0
        assert isinstance(result["holds"], bool)
        assert result["unit"]
        assert result["asked"]
        assert result["peers"].keys() == result["ratios"].keys()
