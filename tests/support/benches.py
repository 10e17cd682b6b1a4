"""Runs a suite of benchmarks as its user does. Holds no tests itself."""

import asyncio
import sys
from typing import Any

import orjson


async def quick_results(suite: str, *arguments: str) -> list[dict[str, Any]]:
    """The results of a quick run, each of the shape that was agreed on."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench", suite, "--json", "--quick", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip  # a line for the words, a line for the pipes
    out, progress = await process.communicate()
    assert process.returncode == 0, progress.decode()
    report: dict[str, Any] = orjson.loads(out)
    assert report["machine"]["cores"] >= 1
    for result in report["results"]:
        # P3 is a difference: in a run as short as this, beside other tests, it may be less than what else was done.
        assert result["value"] > 0 or result["asked"] == "<= 0" or result["id"].startswith("P3-"), result
        assert isinstance(result["holds"], bool)
        assert result["unit"]
        assert result["asked"]
        assert result["peers"].keys() == result["ratios"].keys()
    results: list[dict[str, Any]] = report["results"]
    return results
