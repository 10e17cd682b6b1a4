"""What the engine shows of itself to Prometheus. docs/observability.md says what each figure means."""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from asyncpg import Pool
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.queue.tally import SECONDS, Tallies
from barberpro.storage.postgres import pool_use

if TYPE_CHECKING:  # they count by means of this module
    from barberpro.queue.keeper import Keeper
    from barberpro.queue.recovery import Recovery
    from barberpro.queue.trim import Trimmer
    from barberpro.queue.views import Views

TALLIES: Final = Tallies()

_COMMANDS: Final = TALLIES.counter(
    "barberpro_commands", "Commands that the engine was given, by type and outcome.", "type", "code"
)
_ACK_SECONDS: Final = TALLIES.histogram(
    "barberpro_ack_latency_seconds", "From a command's coming to its durable answer.", SECONDS
).of()
COMMIT_EVENTS: Final = TALLIES.histogram(
    "barberpro_commit_batch_events",
    "Events in a commit; none when it only asked.",
    (0, 1, 2, 4, 8, 16, 32, 64, 128, 256),
).of()
COMMIT_SECONDS: Final = TALLIES.histogram("barberpro_commit_seconds", "What a commit took.", SECONDS).of()
_REDIS_SECONDS: Final = TALLIES.histogram(
    "barberpro_redis_call_seconds", "What a pipeline of calls to Redis took.", SECONDS, "call"
)
SCRIPTS_SECONDS: Final = _REDIS_SECONDS.of("scripts")
PUBLISH_SECONDS: Final = _REDIS_SECONDS.of("publish")
LOOK_SECONDS: Final = _REDIS_SECONDS.of("look")

_ABANDONED: Final = "abandoned"
"""The outcome of a command whose caller went away before the answer."""


def acknowledged(type_: str, code: str, started: float) -> None:
    """A command has its answer. started: when it came (perf_counter)."""
    _ACK_SECONDS.observe(perf_counter() - started)
    _COMMANDS[type_, code] += 1


def code_of(problem: BaseException) -> str:
    """The outcome of a command that ended with this."""
    if isinstance(problem, BarberProError):
        return problem.code.value
    return _ABANDONED if isinstance(problem, asyncio.CancelledError) else ErrorCode.INTERNAL_ERROR.value


class EngineFigures(Collector):
    """What the parts of a node count, or look at, anyway: read when somebody asks."""

    def __init__(
        self, recovery: "Recovery", views: "Views", keeper: "Keeper", trimmer: "Trimmer", pool: "Pool[Any]"
    ) -> None:
        self._recovery = recovery
        self._views = views
        self._keeper = keeper
        self._trimmer = trimmer
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        backlog, use = self._keeper.backlog, pool_use(self._pool)
        for name, words, count in (
            ("shard_rebuilds", "Shards that this node loaded into Redis from Postgres.", self._recovery.rebuilds),
            ("view_repairs", "Views that had missed events and read them from Postgres.", self._views.repairs),
            ("trimmed_events", "Events that this node has trimmed.", self._trimmer.events),
            ("trimmed_audit_entries", "Audit entries that this node has trimmed.", self._trimmer.audit_entries),
        ):
            yield CounterMetricFamily(f"barberpro_{name}", words, count)
        for name, words, value in (
            ("views", "Shops whose state is kept up to date here.", len(self._views)),
            (
                "redis_primaries_away",
                "Of the Redis servers that have shards, those that did not answer.",
                self._keeper.away,
            ),
            ("backlog_events", "Events in Redis that wait for Postgres, in all shards.", backlog.events),
            ("backlog_shards", "Shards in which events wait.", backlog.shards),
            ("backlog_shard_events_max", "Events that wait in the shard with the most.", backlog.largest),
            ("backlog_age_seconds", "How long the oldest of them has waited.", backlog.age_seconds),
            ("oldest_event_days", "How old the oldest event is that is kept.", self._trimmer.oldest_days),
            ("trim_refused_shops", "Shops that are not trimmed, because something is wrong.", self._trimmer.refused),
            ("postgres_pool_size", "Connections that the pool has.", use.size),
            ("postgres_pool_size_max", "Connections that the pool may have.", use.most),
            ("postgres_pool_in_use", "Connections that are lent out.", use.in_use),
            ("postgres_pool_waiting", "Callers that wait for a connection.", use.waiting),
        ):
            yield GaugeMetricFamily(f"barberpro_{name}", words, value)
