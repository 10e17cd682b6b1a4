"""A closed loop: so many callers, each with one command under way, for a bounded time."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import quantiles

from loadtests.bench.floor import Floor, Refusal, Step


@dataclass(slots=True)
class Tally:
    """What was acknowledged in the measured time. seconds: how long that was.

    cpu: processor seconds in it, by process; "server" is this one. latencies: in seconds.
    generator: seconds that drawing steps and keeping the model took.
    """

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    generator: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.done.total()

    @property
    def rate(self) -> float:
        """Acknowledged transitions per second."""
        return self.count / self.seconds

    @property
    def p99_ms(self) -> float:
        return quantiles(self.latencies, n=100)[98] * 1000 if len(self.latencies) > 1 else 0.0

    def cpu_us(self) -> dict[str, float]:
        """Processor time per transition in microseconds, by process."""
        return {name: round(seconds / max(self.count, 1) * 1e6, 1) for name, seconds in self.cpu.items()}


Run = Callable[[Step], Awaitable[tuple[str, str]]]
"""Makes a step: the booking's id and its status afterwards. Raises Refusal."""


async def closed_loop(
    floor: Floor, run: Run, callers: int, warm_up: float, seconds: float, stores: Callable[[], dict[str, float]]
) -> Tally:
    """Loads `run` with `callers` for warm_up + seconds; what is acknowledged after the warm-up counts.

    stores: processor seconds that each store has used so far.
    """
    gc.collect()
    running, tally = True, Tally()
    clock = time.perf_counter

    async def caller() -> None:
        began = clock()
        while running:
            step = floor.draw()
            sent = clock()
            tally.generator += sent - began
            try:
                booking_id, status = await run(step)
            except Refusal as refusal:
                began = clock()
                floor.refused(step, refusal)
                tally.refused[f"{step.kind} {refusal.code}"] += 1
                tally.generator += clock() - began
            else:
                began = clock()
                floor.done(step, booking_id, status)
                tally.done[step.kind] += 1
                tally.latencies.append(began - sent)
                tally.generator += clock() - began

    tasks = [asyncio.create_task(caller()) for _ in range(callers)]
    try:
        await asyncio.sleep(warm_up)
        before = {"server": time.process_time(), **stores()}
        tally, began = Tally(), clock()
        await asyncio.sleep(seconds)
        measured, tally = tally, Tally()
        measured.seconds = clock() - began
        after = {"server": time.process_time(), **stores()}
        measured.cpu = {name: after[name] - before[name] for name in before}
    finally:
        running = False
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return measured
