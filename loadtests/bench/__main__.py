"""`python -m loadtests.bench engine --json`: one JSON object on stdout, progress on stderr.

The exit status is 0 whatever the figures are, 130 when it was stopped (Ctrl-C, SIGTERM).
"""

import argparse
import asyncio
import logging
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import orjson
import structlog
import uvloop

from barberpro.server.collector import calm_collector
from loadtests.bench.plan import Plan
from loadtests.bench.report import Figure, Json, machine, table
from loadtests.bench.served import BARBERPRO
from loadtests.bench.stores import Stores, bench_stores
from loadtests.bench.suites import ROUNDS, STORELESS, SUITES


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description="Measure BarberPro on this machine.")
    parser.add_argument("suite", choices=sorted(SUITES))
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="a short run that only shows that it works")
    parser.add_argument("--rounds", type=int, metavar="N", help="their median counts (default 3, delivery 5, quick 1)")
    parser.add_argument("--minutes", type=float, metavar="N", help="how long the soak lasts (default 30)")
    parser.add_argument("--program", metavar="COMMAND", help="what the soak has serve instead of barberpro")
    parser.add_argument("--database-url", metavar="URL", help="a Postgres to make scratch databases in")
    parser.add_argument("--redis-url", metavar="URL", help="a Redis to keep keys in for the time of the run")
    arguments = parser.parse_args(given)
    if (arguments.database_url is None) != (arguments.redis_url is None):
        parser.error("give both --database-url and --redis-url, or neither")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds is at least 1")
    return arguments


async def _run(arguments: argparse.Namespace) -> tuple[Json, list[Figure]]:
    task = asyncio.current_task()
    assert task is not None
    # Like Ctrl-C: the stores are stopped before this process ends.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    about = machine()
    figures: list[Figure] = []
    none = arguments.suite in STORELESS
    stores_of = nullcontext(Stores("", "")) if none else bench_stores(arguments.database_url, arguments.redis_url)
    async with stores_of as stores:
        rounds = arguments.rounds or (1 if arguments.quick else ROUNDS.get(arguments.suite, 3))
        program = shlex.split(arguments.program) if arguments.program else BARBERPRO
        plan = Plan(stores, rounds, arguments.quick, arguments.minutes, program)
        for benchmark in SUITES[arguments.suite]:
            figures += await benchmark(plan)
    return about, figures


def main(given: Sequence[str] | None = None) -> int:
    """Runs one suite; the exit status."""
    arguments = _arguments(given)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    calm_collector()  # as `barberpro serve` does
    try:
        about, figures = uvloop.run(_run(arguments))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", file=sys.stderr)
        return 130
    if arguments.json:
        print(orjson.dumps({"machine": about, "results": [figure.to_json() for figure in figures]}).decode())
    else:
        print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
