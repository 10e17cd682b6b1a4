"""A day in a shop, drawn from one seed before it begins: who comes, when, for what, and how they behave.

No I/O and no clock. Times are seconds since the shop opened.
"""

import math
import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

from barberpro.server.simulate.shop import Barber, Service, Shop

HOUR: Final = 3600.0
MINUTE: Final = 60.0

_PEAKS: Final = ((0.9, 0.39, 0.08), (1.1, 0.88, 0.09))
"""Height, place and width, in parts of the day: from 9:00 to 18:00, lunch at 12:30 and 17:00 after work."""

_QUIET: Final = 0.55
_SPREAD: Final = 0.3
"""Sigma of the log-normal that a service's true time follows around its minutes."""

_NAMES: Final = (
    "Aarav", "Amara", "Asha", "Bilal", "Chen", "Dev", "Elif", "Farid", "Grace", "Hana", "Imran", "Jonas",
    "Kofi", "Lena", "Mateo", "Meera", "Nadia", "Noor", "Omar", "Priya", "Rohan", "Sana", "Tomas", "Vikram",
    "Yusuf", "Zoya",
)  # fmt: skip


class Manner(Enum):
    """Whether a customer is there when called."""

    PRESENT = "present"
    LATE = "late"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class CustomerPlan:
    """One customer.

    arrives_at: when the token is taken. present_at: from when they stand in the shop; infinite for a no-show.
    walk_in: entered by a barber; otherwise from a phone.
    favourite: which barber they insist on, by index; None for the shortest line.
    taste: where in the services their choice lies, 0 up to 1. haste: their true time as a part of the usual.
    patience: seconds they wait before they cancel. steps_back: places they give up when called too early.
    """

    number: int
    name: str
    arrives_at: float
    present_at: float
    walk_in: bool
    manner: Manner
    favourite: int | None
    taste: float
    haste: float
    patience: float
    steps_back: int


@dataclass(frozen=True, slots=True)
class Break:
    at: float
    lasts: float


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Customers in the order they come; breaks by barber id."""

    length: float
    customers: tuple[CustomerPlan, ...]
    breaks: dict[str, tuple[Break, ...]]


def dice(seed: int, name: str) -> random.Random:
    """A generator of its own for each part of the scenario: how one part runs cannot shift another's luck."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 - a scenario, not a secret


@dataclass(frozen=True, slots=True)
class ArrivalCurve:
    """How many customers an hour come, over the day: quiet, a peak at lunch and one after work.

    length: of the day, in seconds. hourly: the day's mean.
    """

    length: float
    hourly: float

    def rate(self, at: float) -> float:
        """Arrivals per hour at a moment; 0 while the shop is shut."""
        if not 0 <= at <= self.length:
            return 0.0
        return self.hourly * _shape(at / self.length) / _mean_shape()

    @property
    def highest(self) -> float:
        """No rate of the day is above it."""
        return self.hourly * (_QUIET + sum(height for height, _, _ in _PEAKS)) / _mean_shape()

    def expected(self, start: float, end: float, steps: int = 1000) -> float:
        """The mean number of arrivals between two moments (midpoint rule)."""
        width = (end - start) / steps
        return sum(self.rate(start + (step + 0.5) * width) for step in range(steps)) * width / HOUR


def _shape(part: float) -> float:
    bumps = (height * math.exp(-(((part - place) / width) ** 2) / 2) for height, place, width in _PEAKS)
    return _QUIET + sum(bumps)


def _mean_shape() -> float:
    """The integral of the shape over the day, in closed form."""
    root = math.sqrt(2)
    return _QUIET + sum(
        height
        * width
        * math.sqrt(math.pi / 2)
        * (math.erf((1 - place) / (width * root)) + math.erf(place / (width * root)))
        for height, place, width in _PEAKS
    )


def arrivals(curve: ArrivalCurve, luck: random.Random) -> list[float]:
    """Moments of a Poisson process whose rate follows the curve, by thinning (Lewis and Shedler, 1979)."""
    moments: list[float] = []
    at = 0.0
    while True:
        at += luck.expovariate(curve.highest) * HOUR
        if at > curve.length:
            return moments
        if luck.random() * curve.highest < curve.rate(at):
            moments.append(at)


def plan_day(shop: Shop, day_hours: float, seed: int, busy: float = 0.8) -> DayPlan:
    """The day of a shop. `busy`: customers who come, as a part of those that could be served."""
    curve = ArrivalCurve(day_hours * HOUR, shop.customers_per_hour * busy)
    moments = arrivals(curve, dice(seed, "arrivals"))
    return DayPlan(
        length=curve.length,
        customers=tuple(
            plan_customer(number, at, len(shop.barbers), dice(seed, f"customer {number}"))
            for number, at in enumerate(moments, start=1)
        ),
        breaks={
            barber.barber_id: plan_breaks(curve.length, dice(seed, f"breaks {barber.barber_id}"))
            for barber in shop.barbers
        },
    )


def plan_customer(number: int, at: float, barbers: int, luck: random.Random) -> CustomerPlan:
    walk_in = luck.random() < 0.4
    manner = Manner.PRESENT
    if not walk_in:  # who stands in the shop is there
        manner = luck.choices(list(Manner), weights=(0.84, 0.08, 0.08))[0]
    travel = 0.0 if walk_in else luck.uniform(2, 15) * MINUTE
    delay = luck.uniform(15, 45) * MINUTE if manner is Manner.LATE else 0.0
    return CustomerPlan(
        number=number,
        name=luck.choice(_NAMES),
        arrives_at=at,
        present_at=math.inf if manner is Manner.NO_SHOW else at + travel + delay,
        walk_in=walk_in,
        manner=manner,
        favourite=luck.randrange(barbers) if luck.random() < 0.35 else None,
        taste=luck.random(),
        haste=luck.lognormvariate(-(_SPREAD**2) / 2, _SPREAD),
        patience=luck.lognormvariate(math.log(70 * MINUTE), 0.5),
        steps_back=luck.randint(1, 3) if luck.random() < 0.25 else 0,
    )


def plan_breaks(length: float, luck: random.Random) -> tuple[Break, ...]:
    """One long break around the middle of the day and a short one in the afternoon, off the peaks."""
    return (
        Break(luck.uniform(0.5, 0.58) * length, luck.uniform(20, 35) * MINUTE),
        Break(luck.uniform(0.66, 0.74) * length, luck.uniform(5, 12) * MINUTE),
    )


def chosen_service(barber: Barber, taste: float) -> Service:
    """What a taste means at this barber: the first services of a list are asked for more often."""
    return barber.services[int(taste**1.7 * len(barber.services))]
