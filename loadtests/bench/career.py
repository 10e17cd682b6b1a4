"""The first weeks of a barber, day after day: what really happens at the chair, and what the queue is told of it.

No I/O and no clock. Who comes and how they behave is drawn as for the simulated day; how long visits last is drawn
here, from mixtures that no estimator assumes. Times are minutes since the midnight before the first day.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from barberpro.server.simulate import Barber, Service, Shop
from barberpro.server.simulate.decisions import GRACE
from barberpro.server.simulate.scenario import MINUTE, DayPlan, chosen_service, dice, plan_day

DAY: Final = 24 * 60.0
_HOURS: Final = 9.0
_GRACE: Final = GRACE / MINUTE
_MENU: Final = (15, 20, 30, 45, 60)
_BUSY: Final = (0.8, 1.6)
"""Customers who would come for each that could be served; those who see too long a line go elsewhere."""
_MISPLANNED: Final = 0.12
"""Sigma by which a service's planned minutes are off."""
_DAYS_DIFFER: Final = 0.08
"""Sigma between a barber's good and bad days."""
_TROUBLE: Final = 0.06
_TROUBLE_TAKES: Final = (1.3, 2.2)
"""How often something comes in between, and how many times as long such a visit lasts."""
_TURNS_UP: Final = 5
"""How many times its grace a barber waits for one who was called when nobody else is in line."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What is true of one barber. speed: real minutes per planned one. sigma: of one visit's length.

    tidies: mean minutes between 'complete' and the next 'start'; 0 for one who presses 'advance'.
    forgets: how often 'complete' is pressed late. off: by which factor each service's planned minutes are off.
    """

    speed: float
    sigma: float
    tidies: float
    forgets: float
    off: dict[int, float]

    @property
    def ratio(self) -> float:
        """Real minutes per planned one, on average, trouble included."""
        return self.speed * (1 + _TROUBLE * (sum(_TROUBLE_TAKES) / 2 - 1))


@dataclass(slots=True, eq=False)
class Customer:
    """turns: when the barber was ready for them, which is what they wait for."""

    minutes: int
    present_at: float
    patience: float
    skipped: bool = False
    turns: list[float] = field(default_factory=list)

    def wait_from(self, moment: float) -> float | None:
        """Minutes until their next turn; None when there was none."""
        return next((turn - moment for turn in self.turns if turn >= moment), None)


@dataclass(frozen=True, slots=True)
class Moment:
    """The queue as it was told, after a change. chair: planned minutes and start. joined: the last has just come.

    day: from 0. completed: the visit that this change ended, as (planned minutes, start, end).
    """

    at: float
    day: int
    chair: tuple[int, float] | None
    line: tuple[Customer, ...]
    paused: bool
    joined: bool
    completed: tuple[int, float, float] | None


def habits_of(seed: int) -> Habits:
    luck = dice(seed, "habits")
    return Habits(
        speed=math.exp(luck.uniform(-0.35, 0.5)),
        sigma=luck.uniform(0.15, 0.35),
        tidies=luck.choice((0.0, 0.0, 1.0, 2.5)),
        forgets=luck.choice((0.0, 0.02, 0.06)),
        off={minutes: luck.lognormvariate(0, _MISPLANNED) for minutes in _MENU},
    )


def career(seed: int, days: int) -> Iterator[Moment]:
    """Every moment of a barber's first days, in order. A day is over before its first moment is told, so all waits in
    it are known.
    """
    habits = habits_of(seed)
    services = [Service(serviceId=str(m), name="", price="0", durationMinutes=m) for m in _MENU]
    shop = Shop(shopId="sh", barbers=[Barber(barberId="bb", name="", services=services)])
    for number in range(days):
        luck = dice(seed, f"day {number}")
        plan = plan_day(shop, _HOURS, seed * 1000 + number, luck.uniform(*_BUSY) / habits.speed)
        yield from _Day(number, plan, shop.barbers[0], habits, luck).play()


class _Day:
    """One day. `_chair`, `_line` and `_paused` are what the queue was told; the barber may be ahead of it."""

    def __init__(self, number: int, plan: DayPlan, barber: Barber, habits: Habits, luck: random.Random) -> None:
        self._number, self._habits, self._luck = number, habits, luck
        self._speed = habits.speed * luck.lognormvariate(0, _DAYS_DIFFER)
        self._now = opening = number * DAY + 9 * 60
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._moments: list[Moment] = []
        self._chair: tuple[Customer, float] | None = None
        self._line: list[Customer] = []
        self._paused = False
        self._idle = True
        self._forgotten = False
        self._breaks = [(opening + each.at / MINUTE, each.lasts / MINUTE) for each in plan.breaks[barber.barber_id]]
        for planned in plan.customers:
            minutes = chosen_service(barber, planned.taste).duration_minutes
            customer = Customer(minutes, opening + planned.present_at / MINUTE, planned.patience / MINUTE)
            self._at(opening + planned.arrives_at / MINUTE, self._come, customer)

    def play(self) -> list[Moment]:
        while self._agenda:
            self._now, _, what = heapq.heappop(self._agenda)
            what()
        if self._chair is not None:  # forgotten, and found in the morning
            self._now = (self._number + 1) * DAY + 9 * 60
            self._tell(self._complete())
        return self._moments

    def _at(self, moment: float, what: Callable[..., None], *values: object) -> None:
        heapq.heappush(self._agenda, (moment, next(self._numbers), lambda: what(*values)))

    def _after(self, minutes: float, what: Callable[..., None], *values: object) -> None:
        self._at(self._now + minutes, what, *values)

    def _tell(self, completed: tuple[int, float, float] | None = None, *, joined: bool = False) -> None:
        chair = (self._chair[0].minutes, self._chair[1]) if self._chair is not None else None
        moment = Moment(self._now, self._number, chair, tuple(self._line), self._paused, joined, completed)
        self._moments.append(moment)

    # Customers -------------------------------------------------------------------------------------------------

    def _come(self, customer: Customer) -> None:
        if self._paused or sum(other.minutes for other in self._line) > customer.patience:
            return
        self._line.append(customer)
        self._tell(joined=True)
        self._after(customer.patience, self._give_up, customer)
        if self._idle:
            self._idle = False
            self._after(self._luck.uniform(0.1, 1), self._take)

    def _give_up(self, customer: Customer) -> None:
        if customer in self._line and not customer.turns:
            self._line.remove(customer)
            self._tell()

    # The barber ------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        """Ready for whoever is next, unless it is time for a break."""
        if self._breaks and self._breaks[0][0] <= self._now:
            self._leave(self._breaks[0][1])
        elif self._line:
            self._line[0].turns.append(self._now)
            self._await(self._line[0], 0)
        else:
            self._idle = True

    def _leave(self, minutes: float) -> None:
        self._remember()
        self._paused = True
        self._tell()
        self._after(minutes, self._return)
        self._breaks = [each for each in self._breaks if each[0] > self._now]

    def _return(self) -> None:
        self._paused = False
        self._tell()
        self._take()

    def _await(self, head: Customer, times: int) -> None:
        """The one who was called sits down when present; is waited for; or is skipped, the second time for good."""
        if head.present_at <= self._now:
            self._serve(head)
            return
        if times > 0:
            self._remember()
        if times > _TURNS_UP or (times > 0 and len(self._line) > 1):
            self._line.remove(head)
            if self._line and not head.skipped:
                head.skipped = True
                self._line.append(head)
            self._tell()
            self._take()
        else:
            self._at(min(head.present_at, self._now + _GRACE), self._await, head, times + 1)

    def _serve(self, head: Customer) -> None:
        """The visit begins and ends in truth; with 'complete' forgotten, the press for both customers comes late."""
        length = head.minutes * self._habits.off[head.minutes] * self._speed * self._noise()
        late = min(self._luck.uniform(1, 12), 0.8 * length) if self._forgotten else 0.0
        self._after(late, self._press, head)
        self._after(length, self._finish)

    def _noise(self) -> float:
        noise = self._luck.gammavariate(self._habits.sigma**-2, self._habits.sigma**2)
        return noise * self._luck.uniform(*_TROUBLE_TAKES) if self._luck.random() < _TROUBLE else noise

    def _press(self, head: Customer) -> None:
        completed = self._complete()
        self._line.remove(head)
        self._chair = (head, self._now)
        self._tell(completed)

    def _finish(self) -> None:
        self._forgotten = self._luck.random() < self._habits.forgets
        if self._forgotten or (self._line and not self._habits.tidies):
            self._take()
        else:
            self._tell(self._complete())
            self._after(self._luck.expovariate(1 / self._habits.tidies) if self._habits.tidies else 0.0, self._take)

    def _remember(self) -> None:
        if self._chair is not None:
            self._tell(self._complete())

    def _complete(self) -> tuple[int, float, float] | None:
        self._forgotten = False
        chair, self._chair = self._chair, None
        return (chair[0].minutes, chair[1], self._now) if chair is not None else None
