"""Counting while commands run: plain numbers, which take Prometheus's form only when somebody asks.

prometheus_client's own counters lock and look up their labels each time, which costs a microsecond and more. All that
counts here runs on one event loop, so numbers in a list will do, at a tenth of that.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of all times: from a call to a near store to the patience of a caller."""


class Bins:
    """How many values fell between the bounds, and their sum."""

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def timed(self) -> "Stopwatch":
        """Around what is timed, however it ends."""
        return Stopwatch(self)

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each upper bound with the number of values up to it."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self.counts)), strict=True))


class Stopwatch:
    """Adds the seconds of a block to some bins."""

    __slots__ = ("_bins", "_started")

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = perf_counter()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _problem: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bins.observe(perf_counter() - self._started)


class Histogram:
    """Bins for each combination of labels. Keep what `of` gives where it is often asked for."""

    def __init__(self, name: str, words: str, bounds: Sequence[float], labels: Sequence[str]) -> None:
        self._name = name
        self._words = words
        self._bounds = bounds
        self._labels = labels
        self._bins: dict[tuple[str, ...], Bins] = {}

    def of(self, *labels: str) -> Bins:
        bins = self._bins.get(labels)
        if bins is None:
            bins = self._bins[labels] = Bins(self._bounds)
        return bins

    def family(self) -> Metric:
        family = HistogramMetricFamily(self._name, self._words, labels=self._labels)
        for labels, bins in self._bins.items():
            family.add_metric(labels, bins.buckets, bins.sum)
        return family


class Tallies(Collector):
    """The figures of a layer. They are the process's: of all nodes in it, where there are more than one (in tests)."""

    def __init__(self) -> None:
        self._counters: list[tuple[str, str, Sequence[str], Counter[tuple[str, ...]]]] = []
        self._histograms: list[Histogram] = []

    def counter(self, name: str, words: str, *labels: str) -> Counter[tuple[str, ...]]:
        """Counts by the values of the labels. The name is without its `_total`."""
        counts: Counter[tuple[str, ...]] = Counter()
        self._counters.append((name, words, labels, counts))
        return counts

    def histogram(self, name: str, words: str, bounds: Sequence[float], *labels: str) -> Histogram:
        made = Histogram(name, words, bounds, labels)
        self._histograms.append(made)
        return made

    def collect(self) -> Iterator[Metric]:
        for name, words, labels, counts in self._counters:
            family = CounterMetricFamily(name, words, labels=labels)
            for values, count in counts.items():
                family.add_metric(values, count)
            yield family
        for histogram in self._histograms:
            yield histogram.family()
