"""A shop's history: its events folded one by one, from the first on or from a checkpoint, and what no event may break.

A checkpoint stands for the events up to it, which are no longer kept. It has what the fold of the others needs: queues,
live bookings, and the commands that are still remembered; of the bookings that ended a digest, for their rows stay.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import orjson
from asyncpg.pool import PoolConnectionProxy

from barberpro.queue.fold import QueueState, ShopState
from barberpro.storage.checkpoints import Checkpoint
from barberpro.storage.digests import Digest, LastState
from barberpro.storage.snapshot import ShopSnapshot

Json = dict[str, Any]

_EVENTS: Final = """
    SELECT shop_seq, barber_id, seq, epoch, type, to_char(business_date, 'YYYY-MM-DD') AS day, booking_id,
           token_allocated, data
    FROM queue_events WHERE shop_id = $1 AND shop_seq > $2 ORDER BY shop_seq
"""
_COLUMNS: Final = {
    "shop_seq": "shopSeq", "barber_id": "barberId", "seq": "seq", "epoch": "epoch", "type": "type", "day": "day",
    "booking_id": "bookingId", "token_allocated": "tokenAllocated",
}  # fmt: skip
_REMEMBERED_MS: Final = 24 * 3600 * 1000
_ENDED: Final = frozenset({"completed", "cancelled"})


@dataclass(slots=True)
class History:
    """What is known after some of a shop's events."""

    state: ShopState
    link: str = ""
    """Of the last event."""
    gone: Digest = field(default_factory=Digest)
    """The bookings that ended at or below the checkpoint."""
    last: dict[str, LastState] = field(default_factory=dict)
    """Every other booking that ever was."""
    commands: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By its id, the newest event that a command ended with: its shopSeq, and when it was, in ms."""
    found: list[str] = field(default_factory=list)
    """What is wrong."""
    torn: bool = False
    """Whether an event fitted together with nothing: the fold ends before it."""

    @classmethod
    def after(cls, shop_id: str, checkpoint: Checkpoint) -> Self:
        """At the checkpoint, from which `read` goes on."""
        if not checkpoint.shop_seq:
            return cls(ShopState(shop_id))
        known = checkpoint.state
        snapshot = ShopSnapshot(
            shop_id,
            checkpoint.epoch,
            checkpoint.shop_seq,
            checkpoint.link,
            queues={barber: doc for barber, (doc, *_) in known["queues"].items()},
            touched={barber: (shop_seq, at) for barber, (_, shop_seq, at) in known["queues"].items()},
            bookings={booking["bookingId"]: booking for booking, _ in known["bookings"]},
        )
        return cls(
            ShopState.of_snapshot(snapshot),
            checkpoint.link,
            Digest(known["ended"]["count"], int(known["ended"]["digest"], 16)),
            {booking["bookingId"]: (booking, shop_seq) for booking, shop_seq in known["bookings"]},
            {name: (shop_seq, at) for name, shop_seq, at in known["commands"]},
        )

    def checkpoint(self) -> Json:
        """What `after` needs to begin here: all before is told by it."""
        ended = Digest(self.gone.count, self.gone.total)
        for last in self.ended():
            ended.add(last)
        newest = max((at for _, at in self.commands.values()), default=0)
        return {
            "queues": {name: (queue.doc, queue.shop_seq, queue.at) for name, queue in self.state.queues.items()},
            "bookings": [last for last in self.last.values() if "endedAt" not in last[0]],
            "commands": [
                (name, shop_seq, at) for name, (shop_seq, at) in self.commands.items() if newest - at < _REMEMBERED_MS
            ],
            "ended": {"count": ended.count, "digest": f"{ended.total:x}"},
        }

    def ended(self) -> Iterable[LastState]:
        """The bookings that ended since the checkpoint."""
        return (last for last in self.last.values() if "endedAt" in last[0])

    async def read(
        self,
        connection: "PoolConnectionProxy[Any]",
        rows_at_once: int,
        until: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        """Folds the events that follow, up to the first row of which `until` is true. Call it in a transaction."""
        async for row in connection.cursor(_EVENTS, self.state.shop_id, self.state.shop_seq, prefetch=rows_at_once):
            if self.torn or until(row):
                return
            self._take_row(row)

    def _take_row(self, row: Any) -> None:  # noqa: ANN401 - asyncpg's Record
        event = orjson.loads(row["data"])
        wrong = [column for column, key in _COLUMNS.items() if row[column] != event.get(key)]
        if wrong:
            self.found.append(f"event {row['shop_seq']}: its data differ from its columns {', '.join(wrong)}")
        try:
            self._take(event)
        except (KeyError, ValueError) as error:
            self.torn = True
            self.found.append(f"event {row['shop_seq']} ({row['type']}) does not fit what was before: {error!r}")

    def _take(self, event: Json) -> None:
        """The next event. Raises what the fold raises for events that fit together with nothing."""
        before = self.state.queues.get(event["barberId"])
        doc = before.doc if before is not None else None
        problems = [*_order_problems(event, doc, self.state), *self._ended_again(event), *self._done_again(event)]
        queue = self.state.apply(event)
        problems += _invariant_problems(event, doc, queue, self.state)
        self.link = event["link"]
        for booking in event["changes"]:
            self.last[booking["bookingId"]] = (booking, event["shopSeq"])
        if "command" in event:
            self.commands[event["command"]["id"]] = (event["shopSeq"], event["at"])
        self.found += [f"event {event['shopSeq']} ({event['type']}): {problem}" for problem in problems]

    def _ended_again(self, event: Json) -> list[str]:
        """Completed and cancelled never change again."""
        return [
            f"booking {booking['bookingId']} was {self.last[booking['bookingId']][0]['status']} already"
            for booking in event["changes"]
            if booking["bookingId"] in self.last and self.last[booking["bookingId"]][0]["status"] in _ENDED
        ]

    def _done_again(self, event: Json) -> list[str]:
        """A command has its effect once, as long as its id is remembered."""
        name = event["command"]["id"] if "command" in event else ""
        shop_seq, at = self.commands.get(name, (0, -_REMEMBERED_MS))
        if event["at"] - at >= _REMEMBERED_MS:
            return []
        return [f"command {name} had its effect already, with event {shop_seq}"]


def booking_difference(name: str, expected: LastState | None, row: LastState | None) -> list[str]:
    """How a booking's row differs from what the events made of it."""
    return [] if expected == row else [f"booking {name}: the events give {expected}, the row {row}"]


def _order_problems(event: Json, before: Json | None, state: ShopState) -> list[str]:
    """seq rises by exactly 1; days and epochs do not go back; tokens count from 1 each day."""
    problems = []
    seq = before["seq"] if before is not None else 0
    if event["seq"] != seq + 1 or event["queue"]["seq"] != event["seq"]:
        problems.append(f"seq {event['seq']} follows {seq}")
    if event["epoch"] < state.epoch:
        problems.append(f"epoch {event['epoch']} follows {state.epoch}")
    if before is not None and event["day"] < before["day"]:
        problems.append(f"day {event['day']} follows {before['day']}")
    same_day = before is not None and event["day"] == before["day"]
    last = before["lastToken"] if before is not None and same_day else 0
    token = event.get("tokenAllocated")
    expected = last if token is None else last + 1
    if event["queue"]["lastToken"] != expected or token not in {None, expected}:
        problems.append(f"token {token} (last {event['queue']['lastToken']}) follows token {last}")
    return problems


def _invariant_problems(event: Json, before: Json | None, queue: QueueState, state: ShopState) -> list[str]:
    """One serving and one next at most, and nobody waits while nobody is next."""
    problems = []
    for role in ("serving", "next"):
        holder, former = queue.doc.get(role), (before or {}).get(role)
        standing = state.bookings.get(holder or "")
        if holder is not None and (
            standing is None or standing["status"] != role or standing["barberId"] != queue.barber_id
        ):
            problems.append(f"{role} is {holder}, whose booking is {standing}")
        left = state.bookings.get(former or "")
        if former != holder and left is not None and left["status"] == role and left["barberId"] == queue.barber_id:
            problems.append(f"{former} was {role} and still says so")
        problems += [
            f"{booking['bookingId']} is {role}, and the queue says {holder}"
            for booking in event["changes"]
            if booking["barberId"] == queue.barber_id and booking["status"] == role and booking["bookingId"] != holder
        ]
    if queue.waiting and queue.next is None:
        problems.append(f"nobody is next, and {len(queue.waiting)} wait")
    if len(set(queue.waiting.values())) < len(queue.waiting):
        problems.append(f"two have one rank: {queue.waiting}")
    return problems
