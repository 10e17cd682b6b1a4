"""What a node knows of one shop's way into Postgres: what is pending, and who waits for an answer."""

import asyncio
from collections.abc import Container, Iterable
from dataclasses import dataclass

from barberpro.queue.scripts import Event


class ImpossibleEvent(Exception):
    """Postgres will never take what the command made: a defect. The shard was rebuilt without it."""


class Fenced(Exception):
    """What the answer rests on never happened: the shard was rebuilt without it. Try the command again."""


@dataclass(slots=True)
class Waiter:
    """Somebody whose answer rests on the event (shop_seq, link); (0, '') is the state before all events.

    strict: the answer is a judgement of the present (a refusal, a repetition), made in `epoch`: it may only be
    given while that epoch stands. An event that is in Postgres stays, whatever comes after.
    deadline: on the loop's clock.
    """

    shop_seq: int
    link: str
    epoch: int
    strict: bool
    deadline: float
    future: "asyncio.Future[int]"

    def answer(self, watermark: int) -> None:
        if not self.future.done():
            self.future.set_result(watermark)

    def fence(self, reason: Exception | None = None) -> None:
        if not self.future.done():
            self.future.set_exception(reason or Fenced())

    def expire(self, now: float) -> None:
        if self.deadline <= now and not self.future.done():
            self.future.set_exception(TimeoutError("Postgres has not confirmed it in time"))


class ShopLog:
    """One shop, as this node knows it."""

    __slots__ = ("committed", "forked_in", "pending", "rested", "stuck", "waiters")

    def __init__(self) -> None:
        self.committed = -1
        """The highest watermark that this node has seen; -1 before it has asked."""
        self.pending: dict[int, Event] = {}
        self.waiters: list[Waiter] = []
        self.forked_in: int | None = None
        """The epoch in which two different events claimed one shopSeq: proof that Redis lost memory."""
        self.stuck = 0
        """How many rounds in a row an earlier event could not be found."""
        self.rested = 0.0
        """When its last round ended, on the loop's clock."""

    @property
    def busy(self) -> bool:
        return bool(self.pending or self.waiters or self.forked_in is not None)

    def add(self, event: Event) -> None:
        other = self.pending.setdefault(event.shop_seq, event)
        if other.link != event.link:
            self.forked_in = max(other.epoch, event.epoch)

    def run(self, most: int) -> list[Event]:
        """The pending events that can commit next: an unbroken chain of about `most`, no command's events parted."""
        if not self.pending:
            return []
        seq = min(self.pending)
        epoch = self.pending[seq].epoch
        chain: list[Event] = []
        whole = 0
        while (event := self.pending.get(seq)) is not None and event.epoch == epoch:
            if (len(chain) >= most and whole == len(chain)) or (chain and event.upon != chain[-1].link):
                break
            chain.append(event)
            if event.through <= seq:
                whole = len(chain)
            seq += 1
        return chain[:whole]

    def settled(self, events: Iterable[Event]) -> None:
        for event in events:
            self.pending.pop(event.shop_seq, None)

    def fence(self, epoch: int, claims: Iterable[Waiter] = (), culprits: Container[str] = ()) -> None:
        """Drops what was made in `epoch` or before, and tells who waited for it.

        culprits: the links of events that Postgres will never take.
        """
        self.pending = {seq: event for seq, event in self.pending.items() if event.epoch > epoch}
        waiters, self.waiters = [*self.waiters, *claims], []
        for waiter in waiters:
            if waiter.epoch <= epoch:
                waiter.fence(ImpossibleEvent() if waiter.link in culprits else None)
            else:
                self.waiters.append(waiter)
        self.forked_in, self.stuck, self.committed = None, 0, -1
