"""What a simulated day is asked to be, and what came of it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from barberpro.server.simulate.shop import Shop

_KEPT: Final = 100
"""How many violations and error messages are kept word for word; all are counted."""

Mint = Callable[[str, str, str | None, str | None], str]
"""(role, user id, barber id, shop id) -> an access token of the server that is played against."""


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """speed: simulated seconds per real second. busy: customers who come, per customer that could be served.

    live_customers: how many customers hold a connection at once; those beyond it join and close their phone.
    until: set it to stop early.
    """

    base_url: str
    shop: Shop
    mint: Mint
    speed: float = 60.0
    day_hours: float = 9.0
    seed: int = 1
    busy: float = 0.8
    view: Literal["live", "plain", "none"] = "live"
    live_customers: int = 200
    until: asyncio.Event | None = None

    def __post_init__(self) -> None:
        """Raises ValueError naming the option that makes no sense."""
        for name in ("speed", "day_hours", "busy", "live_customers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")


@dataclass(slots=True)
class SimulationSummary:
    """Counters of one run. `violations` is what must make the caller exit with 1.

    refused: refusals by code that a shop's day brings with it (409). repeated: commands sent again.
    errors: what should not happen, but breaks no promise: unknown outcomes, other refusals, no server.
    moves: commands carried out, by type. stopped: the day was ended early.
    """

    joins: int = 0
    served: int = 0
    no_shows: int = 0
    cancelled: int = 0
    left_waiting: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    reconnects: int = 0
    states_seen: int = 0
    error_count: int = 0
    errors: list[str] = field(default_factory=list)
    violation_count: int = 0
    violations: list[str] = field(default_factory=list)
    stopped: bool = False
    simulated_hours: float = 0.0

    def error(self, sentence: str) -> None:
        self.error_count += 1
        if len(self.errors) < _KEPT:
            self.errors.append(sentence)

    def violation(self, sentence: str) -> None:
        self.violation_count += 1
        if len(self.violations) < _KEPT:
            self.violations.append(sentence)

    def to_json(self) -> dict[str, Any]:
        """As JSON; the counters become objects."""
        # dataclasses.asdict cannot copy a Counter (it hands its constructor pairs).
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}
