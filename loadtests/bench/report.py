"""What a benchmark says, as one JSON object or as a table."""

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Figure:
    """One result. value: the median of the rounds, in `unit`. peers: the same of what it is compared with.

    holds: whether what is `asked` is met. details: figures that explain it, each with its unit in its name.
    """

    id: str
    title: str
    value: float
    unit: str
    asked: str
    holds: bool
    peers: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    details: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "title": self.title,
            "value": _short(self.value),
            "unit": self.unit,
            "asked": self.asked,
            "holds": self.holds,
            "peers": {name: _short(value) for name, value in self.peers.items()},
            "ratios": {name: round(value, 2) for name, value in self.ratios.items()},
            "details": self.details,
        }


def _short(value: float) -> float:
    return round(value) if abs(value) >= 1000 else round(value, 2)


def machine() -> Json:
    """What the figures were measured on. load_before: the machine's load in the last minute, others' included."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def table(figures: list[Figure]) -> str:
    """For people: a paragraph a figure."""
    lines = []
    for figure in figures:
        lines.append(f"{figure.id}  {figure.title}: {_short(figure.value):,} {figure.unit}")
        lines.append(f"    asked {figure.asked}: {'holds' if figure.holds else 'FALLS SHORT'}")
        lines += [
            f"    {name}: {_short(value):,} {figure.unit} (ratio {figure.ratios.get(name, 0):.2f})"
            for name, value in figure.peers.items()
        ]
        lines += [f"    {name}: {value}" for name, value in figure.details.items()]
    return "\n".join(lines)
