"""GET /metrics: the figures of this process, for Prometheus."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from aiohttp import web
from prometheus_client import GC_COLLECTOR, PROCESS_COLLECTOR
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from barberpro.handlers.rest.health import READY

FIGURES: Final[web.AppKey[Sequence[Collector]]] = web.AppKey("figures")
"""What is shown beside readiness and the process itself; the composition root sets it."""


class _Families(Collector):
    """Families that were collected already, in the shape that prometheus_client writes out."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: figures for Prometheus."""
    parts = await request.app[READY]()
    # It reads files and counts tasks, and there are some for each connection.
    process = await asyncio.to_thread(_process, asyncio.get_running_loop())
    ours = [family for figures in request.app[FIGURES] for family in figures.collect()]
    encode, content_type = _form(request.headers.get("Accept", ""))
    return web.Response(
        body=encode(_Families([_readiness(parts), *ours, *process])),
        headers={"Content-Type": content_type, "Cache-Control": "no-store"},
    )


def _form(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """How the figures are written, and the name of that form. One that cannot be understood is as good as none."""
    try:
        return choose_encoder(accept)
    except TypeError:  # of a version that is no number; the library compares whatever it is given
        return choose_encoder("")


def _readiness(parts: Mapping[str, bool]) -> Metric:
    family = GaugeMetricFamily("barberpro_ready", "Whether a part works, as in /health/ready.", labels=["part"])
    for part, works in parts.items():
        family.add_metric([part], works)
    return family


def _process(loop: asyncio.AbstractEventLoop) -> list[Metric]:
    """The loop's tasks; memory, processor time, open files, the collector's work. Blocking."""
    tasks = GaugeMetricFamily("barberpro_tasks", "Tasks of the event loop.", len(asyncio.all_tasks(loop)))
    return [tasks, *PROCESS_COLLECTOR.collect(), *GC_COLLECTOR.collect()]
