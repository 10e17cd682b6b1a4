"""Load for a bounded time: so many callers with one command under way each, or so many arrivals a second."""

import asyncio
import gc
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Final

from loadtests.bench.floor import Floor, NobodyFreeError, Refusal, Step


@dataclass(slots=True)
class Tally:
    """What was acknowledged in the measured time. seconds: how long that was.

    cpu: processor seconds in it, by process; "server" is this one. latencies: in seconds.
    generator: seconds that drawing steps and keeping the model took. late: how many seconds after its time each step of
    an open load was sent. unsent: steps that could not be drawn, because so many others had not been answered yet.
    """

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    generator: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    unsent: int = 0

    @property
    def count(self) -> int:
        return self.done.total()

    @property
    def rate(self) -> float:
        """Acknowledged transitions per second."""
        return self.count / self.seconds

    @property
    def p99_ms(self) -> float:
        return percentile_ms(self.latencies, 99)

    def busy(self) -> dict[str, int]:
        """What each process took, in percent of one core."""
        return {name: round(100 * seconds / self.seconds) for name, seconds in self.cpu.items()}

    def cpu_us(self) -> dict[str, float]:
        """Processor time per transition in microseconds, by process."""
        return {name: round(seconds / max(self.count, 1) * 1e6, 1) for name, seconds in self.cpu.items()}


def percentile_ms(seconds: list[float], percent: int) -> float:
    """In milliseconds; 0 of fewer than two."""
    return quantiles(seconds, n=100)[percent - 1] * 1000 if len(seconds) > 1 else 0.0


_clock: Final = time.perf_counter
_BREATH_SECONDS: Final = 0.001

Run = Callable[[Step], Awaitable[tuple[str, str]]]
"""Makes a step: the booking's id and its status afterwards. Raises Refusal."""


class Loading:
    """Makes steps; what is acknowledged counts in the tally of the moment."""

    def __init__(self, floor: Floor, run: Run) -> None:
        self._floor = floor
        self._run = run
        self.tally = Tally()

    async def step(self, due: float | None = None) -> None:
        """One step. due: when it ought to be sent, from which its latency is counted; None: as soon as it is drawn."""
        began = _clock()
        try:
            step = self._floor.draw()
        except NobodyFreeError:
            self.tally.unsent += 1
            await asyncio.sleep(_BREATH_SECONDS)
            return
        sent = _clock()
        self.tally.generator += sent - began
        if due is not None:
            self.tally.late.append(sent - due)
        try:
            booking_id, status = await self._run(step)
        except Refusal as refusal:
            began = _clock()
            self._floor.refused(step, refusal)
            self.tally.refused[f"{step.kind} {refusal.code}"] += 1
        else:
            began = _clock()
            self._floor.done(step, booking_id, status)
            self.tally.done[step.kind] += 1
            self.tally.latencies.append(began - (sent if due is None else due))
        self.tally.generator += _clock() - began

    async def measure(self, warm_up: float, seconds: float, cpu: Callable[[], dict[str, float]]) -> Tally:
        """What is acknowledged in so many seconds after so many of warm-up."""
        await asyncio.sleep(warm_up)
        before = {"server": time.process_time(), **cpu()}
        self.tally, began = Tally(), _clock()
        await asyncio.sleep(seconds)
        measured, self.tally = self.tally, Tally()
        measured.seconds = _clock() - began
        after = {"server": time.process_time(), **cpu()}
        measured.cpu = {name: after[name] - before[name] for name in before}
        return measured


async def closed_loop(
    floor: Floor, run: Run, callers: int, warm_up: float, seconds: float, cpu: Callable[[], dict[str, float]]
) -> Tally:
    """Loads `run` with `callers` for warm_up + seconds; what is acknowledged after the warm-up counts.

    cpu: processor seconds so far, of each store and of whatever else; "server" is this process if it is not among them.
    """
    gc.collect()
    loading, running = Loading(floor, run), True

    async def caller() -> None:
        while running:
            await loading.step()

    tasks = [asyncio.create_task(caller()) for _ in range(callers)]
    try:
        measured = await loading.measure(warm_up, seconds, cpu)
    finally:
        running = False
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    _raise_first(outcomes)
    return measured


async def open_load(
    floor: Floor, run: Run, rate: float, warm_up: float, seconds: float, cpu: Callable[[], dict[str, float]]
) -> Tally:
    """Loads `run` with `rate` steps a second at random moments (a Poisson process), whether answers come or not.

    Latencies are counted from when a step was due, so one that could not be sent in time is not flattered.
    """
    async with arriving(floor, run, rate) as loading:
        return await loading.measure(warm_up, seconds, cpu)


@asynccontextmanager
async def arriving(floor: Floor, run: Run, rate: float) -> AsyncIterator[Loading]:
    """An open load until the block ends, and until all steps under way then are answered."""
    gc.collect()
    loading = Loading(floor, run)
    async with arrivals(loading.step, rate):
        yield loading


@asynccontextmanager
async def arrivals(begin: Callable[[float], Coroutine[Any, Any, None]], rate: float) -> AsyncIterator[None]:
    """Begins so many a second at random moments until the block ends, and waits until all of them are over.

    begin: is given when it was due. Raises, in the end, what the first of those raised that failed.
    """
    tasks: set[asyncio.Task[None]] = set()
    luck = random.Random(1)

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            tasks.discard(task)  # those that failed are kept: they are raised in the end

    async def arrive() -> None:
        due = _clock()
        while True:
            due += luck.expovariate(rate)
            if (early := due - _clock()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(begin(due))
            tasks.add(task)
            task.add_done_callback(ended)

    arrival = asyncio.create_task(arrive())
    try:
        yield
    finally:
        arrival.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    _raise_first(outcomes)


def _raise_first(outcomes: list[BaseException | None]) -> None:
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
