"""The end of a shop's day: what a join is judged by, so that nobody waits for a chair that is no longer free.

Python knows how long it takes, and the script how many are ahead and what time it is (decision 23).
"""

from dataclasses import dataclass
from typing import Any, Final

from barberpro.protocol.times import now_millis, rfc3339
from barberpro.queue.fold import ShopState
from barberpro.queue.states import StateBuilder, unused_queue
from barberpro.storage.catalogue import Shop

_SLACK_MINUTES: Final = 60
"""So much more than what is left of the day is worked out: the script goes by Redis's clock, which may be behind."""


@dataclass(frozen=True, slots=True)
class LastCall:
    """closes_at: in ms; None: the shop is closed all day. p90_minutes: until whoever joins is done, nine times out of
    ten, by how many are ahead: behind nobody, behind one, and so on. Where it ends, it is too late.
    """

    closes_at: int | None
    p90_minutes: tuple[int, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """As join.lua takes it."""
        if self.closes_at is None:
            return {"p90Minutes": []}
        return {"at": self.closes_at, "closesAt": rfc3339(self.closes_at), "p90Minutes": self.p90_minutes}


def last_call(
    states: StateBuilder, view: ShopState, shop: Shop, barber_id: str, service_ids: list[str], closes_at: int | None
) -> LastCall:
    """For whoever would join this barber's line now. closes_at: as in LastCall."""
    if closes_at is None:
        return LastCall(None)
    offered = shop.barbers[barber_id].services
    own = sum(offered[each].duration_minutes for each in service_ids if each in offered)
    queue = view.queues.get(barber_id) or unused_queue(shop, barber_id)
    enough = (closes_at - now_millis()) / 60_000 + _SLACK_MINUTES
    finishes = states.finishes(view, queue, own)
    minutes: list[int] = []
    while len(minutes) < shop.rules.queue_capacity and (not minutes or minutes[-1] <= enough):
        minutes.append(next(finishes))
    return LastCall(closes_at, tuple(minutes))
