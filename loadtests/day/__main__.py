"""`python -m loadtests.day`: P5. A thousand customers and fifty barbers at work, by Locust over real sockets.

Starts `barberpro serve` on embedded stores, unless there is a --host with a --town. Ends with 0 when every limit is
kept, with 1 when one is broken (the last lines say which), and with 130 when it was stopped.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import orjson
import uvloop

from barberpro.server.seed import describe_shop
from barberpro.server.simulate.shop import Shop
from loadtests.bench.cpu import own_cpu_seconds
from loadtests.bench.descriptors import many_descriptors
from loadtests.bench.ours import shop_of
from loadtests.bench.report import machine
from loadtests.bench.served import deployment
from loadtests.bench.stores import bench_stores
from loadtests.day.limits import Limits
from loadtests.day.town import Town

_LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
_BARBERS_A_SHOP: Final = 5


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.day", description="A day under load, with limits.")
    parser.add_argument("--users", type=int, default=1050, help="one in 21 is a barber, one in 21 a guest (1050)")
    parser.add_argument("--screens", type=int, help="on top of the users; one a shop if not given")
    parser.add_argument("--minutes", type=float, default=1.0, help="with everybody there (1)")
    parser.add_argument("--spawn-rate", type=float, default=50.0, help="users that come a second (50)")
    parser.add_argument("--pace", type=float, default=2.0, help="mean seconds that a customer sits in the chair (2)")
    parser.add_argument("--booking-p99", type=float, default=Limits().booking_p99, help="limit in ms (100)")
    parser.add_argument("--seen-p99", type=float, default=Limits().seen_p99, help="limit in ms (100)")
    parser.add_argument("--html", type=Path, default=Path(".bench/day.html"), help="the report (.bench/day.html)")
    parser.add_argument("--results", type=Path, help="a file for the figures, as the benchmarks print them")
    parser.add_argument("--host", help="a running server, such as http://127.0.0.1:8000; needs --town")
    parser.add_argument("--town", type=Path, help="a file {keys_dir, shops: [what `barberpro seed --json` prints]}")
    arguments = parser.parse_args(given)
    if (arguments.host is None) != (arguments.town is None):
        parser.error("give both --host and --town, or neither")
    if arguments.users < 3:
        parser.error("--users is at least 3: a barber, a guest and a customer")
    return arguments


def _roles(arguments: argparse.Namespace) -> dict[str, int]:
    few = max(1, arguments.users // 21)
    screens = arguments.screens if arguments.screens is not None else max(1, few // _BARBERS_A_SHOP)
    return {"barbers": few, "guests": few, "customers": arguments.users - 2 * few, "screens": screens}


@asynccontextmanager
async def _started(barbers: int, directory: Path) -> AsyncIterator[tuple[str, Path, int]]:
    """A server of our own with as many barbers: its address, the file of its town, its pid."""
    async with bench_stores(None, None) as stores, deployment(stores) as deployed, deployed.server() as served:
        size = min(barbers, _BARBERS_A_SHOP)
        count, patient = -(-barbers // size), shop_of(size, {"grace_seconds": 3600})
        shops = [Shop.model_validate(each) for each in await deployed.shops(count, patient, describe_shop)]
        town = directory / "town.json"
        town.write_text(Town(keys_dir=deployed.keys_dir, shops=shops).model_dump_json(by_alias=True))
        yield f"http://127.0.0.1:{served.port}", town, served.process.pid


async def _locust(arguments: argparse.Namespace, host: str, town: Path) -> int:
    roles = _roles(arguments)
    users = sum(roles.values())
    arguments.html.parent.mkdir(parents=True, exist_ok=True)
    seconds = round(users / arguments.spawn_rate + 60 * arguments.minutes)
    command: list[object] = [
        sys.executable, "-m", "locust", "-f", _LOCUSTFILE, "--headless", "--only-summary", "--reset-stats",
        "--host", host, "--town", town, "--users", users, "--spawn-rate", arguments.spawn_rate,
        "--run-time", f"{seconds}s", "--pace", arguments.pace,
        "--booking-p99", arguments.booking_p99, "--seen-p99", arguments.seen_p99,
        "--html", arguments.html, "--loglevel", "WARNING",
    ]  # fmt: skip  # a few words of the command a line
    for role, count in roles.items():
        command += [f"--{role}", count]
    if arguments.results is not None:
        command += ["--results", arguments.results]
    print(", ".join(f"{count} {role}" for role, count in roles.items()), f"at {host} for {seconds} s", flush=True)
    about = machine()
    process = await asyncio.create_subprocess_exec(*map(str, command))
    try:
        status = await process.wait()
        if arguments.results is not None and arguments.results.exists():
            figures = orjson.loads(arguments.results.read_bytes())
            arguments.results.write_bytes(orjson.dumps({"machine": about, "results": figures}))
        return status
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _run(arguments: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    # Like Ctrl-C: the server and the stores are stopped before this process ends.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    many_descriptors()
    if arguments.host is not None:
        return await _locust(arguments, arguments.host, arguments.town)
    with tempfile.TemporaryDirectory(prefix="barberpro-day-") as directory:
        async with _started(_roles(arguments)["barbers"], Path(directory)) as (host, town, pid):
            began, loop = own_cpu_seconds(pid), asyncio.get_running_loop()
            at = loop.time()
            status = await _locust(arguments, host, town)
            busy = (own_cpu_seconds(pid) - began) / (loop.time() - at)
            print(f"the server took {busy:.0%} of a core; report: {arguments.html}")
            return status


def main(given: Sequence[str] | None = None) -> int:
    """Plays the day; the exit status."""
    try:
        return uvloop.run(_run(_arguments(given)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
