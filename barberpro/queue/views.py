"""Views: the state of the shops that somebody on this node looks at, folded from committed events.

A view begins with what Postgres holds and is fed by this node's journal and by other nodes' news, in the order of
shopSeq; what it has it drops, and where it misses something it reads that from Postgres. As only committed events are
folded in, and those are never undone, a rebuilt shard changes nothing in a view but its epoch.
"""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.queue.bus import Bus
from barberpro.queue.fold import Json, ShopState, called_in
from barberpro.queue.pulse import Pulse
from barberpro.queue.scripts import Event, Told
from barberpro.storage.postgres import Away, renew
from barberpro.storage.snapshot import events_after, last_events, load_shops, load_visits, tokens_of
from barberpro.storage.together import Together
from barberpro.tasks import end

log = structlog.get_logger(__name__)

_CHECK_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = 60.0
_CALLS_WINDOW: Final = 300
"""How many of a shop's last events are looked through for its last calls."""

Changed = Callable[[ShopState, set[str], Sequence[Json]], None]
"""Told of a view's change: the state, the barbers whose queues changed, and the events; none after a rebuild."""


class Views:
    """The views of one node."""

    def __init__(self, pool: "Pool[Any]", bus: Bus) -> None:
        self._pool = pool
        self._bus = bus
        self._states: dict[str, ShopState] = {}
        self._loads: Together[ShopState] = Together()
        self._early: dict[str, list[Told]] = {}
        self._holders: Counter[str] = Counter()
        self._used: dict[str, float] = {}
        self._doubts = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.pulse = Pulse()
        """Each look is a sign of life, even one that Postgres's absence cut short."""
        self.listeners: list[Changed] = []
        self.repairs = 0
        """How often a view had missed something and was mended; a figure for operators."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="views")
        self.pulse.carried_by(self._task)

    async def close(self) -> None:
        await end([self._task])
        await self._loads.close()

    def __len__(self) -> int:
        """How many shops' states are kept."""
        return len(self._states)

    # Reading ---------------------------------------------------------------------------------------------------

    async def shop(self, shop_id: str) -> ShopState:
        """The shop's durable state, kept true from now on. Raises what Postgres raises while it is away."""
        self._used[shop_id] = time.monotonic()
        state = self._states.get(shop_id)
        if state is not None:
            return state
        return await self._loads(shop_id, self._load)

    def hold(self, shop_id: str) -> None:
        """Keeps the shop's view for somebody who watches; `release` it as often as it was held."""
        self._holders[shop_id] += 1

    def release(self, shop_id: str) -> None:
        self._holders[shop_id] -= 1
        self._used[shop_id] = time.monotonic()

    async def refresh(self, shop_id: str) -> None:
        """Brings the view up to what is in Postgres now. Raises what Postgres raises while it is away."""
        await self._compare([shop_id])

    async def _load(self, shop_id: str) -> ShopState:
        await self._bus.follow(shop_id)
        self._early[shop_id] = []
        try:
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                snapshot = (await load_shops(connection, [shop_id]))[shop_id]
                await load_visits(connection, snapshot)
                events = await last_events(connection, shop_id, snapshot.shop_seq - _CALLS_WINDOW)
                called = {called_in(event["queue"]) for event in events} - {None}
                tokens = await tokens_of(connection, [booking_id for booking_id in called if booking_id])
            state = ShopState.of_snapshot(snapshot)
            state.remember(events, tokens)
            for event, born in self._early[shop_id]:
                if event["shopSeq"] == state.shop_seq + 1:
                    state.apply(event, born)
                elif event["shopSeq"] > state.shop_seq:
                    self.doubt()
        finally:
            del self._early[shop_id]
        self._states[shop_id] = state
        return state

    # Feeding ---------------------------------------------------------------------------------------------------

    def committed(self, events: Sequence[Event]) -> None:
        """What this node committed, of any shops, in each shop's order."""
        self.feed([event.told for event in events if event.shop_id in self._states or event.shop_id in self._early])

    def feed(self, events: Sequence[Told]) -> None:
        """Committed events, of any shops, in each shop's order; from here or from another node."""
        by_shop: defaultdict[str, list[Told]] = defaultdict(list)
        for told in events:
            by_shop[told[0]["shopId"]].append(told)
        for shop_id, mine in by_shop.items():
            if shop_id in self._early:
                self._early[shop_id] += mine
            elif shop_id in self._states:
                self._fold(self._states[shop_id], mine)

    def _fold(self, state: ShopState, events: Sequence[Told]) -> int:
        """Folds in what is next; returns how many were. Doubts the view when something before is missing."""
        changed: set[str] = set()
        applied: list[Json] = []
        for event, born in events:
            if event["shopSeq"] <= state.shop_seq:
                continue
            if event["shopSeq"] > state.shop_seq + 1:
                self.doubt()
                break
            changed.add(state.apply(event, born).barber_id)
            applied.append(event)
        if applied:
            for listener in self.listeners:
                listener(state, changed, applied)
        return len(applied)

    def doubt(self) -> None:
        """Something may have been missed: compare with Postgres now."""
        self._doubts.set()

    async def _watch(self) -> None:
        while True:
            self.pulse.beat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._doubts.wait()
            self._doubts.clear()
            self._drop_idle()
            try:
                await self._compare(list(self._states))
            except Away as error:
                # No commit happens without Postgres, so the views stay what is durable.
                log.info("views_unchecked", problem=repr(error))
                await renew(self._pool)
                await asyncio.sleep(0.2)
            except Exception:
                log.exception("views_check_failed")

    def _drop_idle(self) -> None:
        before = time.monotonic() - _IDLE_SECONDS
        for shop_id in list(self._states):
            if not self._holders[shop_id] and self._used[shop_id] < before:
                del self._states[shop_id]
                self._holders.pop(shop_id, None)
                self._used.pop(shop_id, None)

    async def _compare(self, shop_ids: list[str]) -> None:
        """Asks even when there is nothing to compare: so that silent connections are found before they are needed."""
        rows = await self._pool.fetch(
            "SELECT shop_id, epoch, shop_seq FROM watermarks WHERE shop_id = ANY ($1::text[])", shop_ids
        )
        for row in rows:
            state = self._states.get(row["shop_id"])
            if state is None:
                continue
            while state.shop_seq < row["shop_seq"] and await self._catch_up(state):
                pass
            if state.epoch < row["epoch"] and state.shop_seq >= row["shop_seq"]:
                state.epoch = row["epoch"]
                for listener in self.listeners:
                    listener(state, set(state.queues), [])

    async def _catch_up(self, state: ShopState) -> int:
        async with self._pool.acquire() as connection:
            missed = await events_after(connection, state.shop_id, state.shop_seq)
        folded = self._fold(state, missed)
        self.repairs += bool(folded)
        return folded
