"""Views: the state of the shops that somebody on this node looks at, folded from committed events.

A view begins with what Postgres holds and is fed by this node's journal and by other nodes' news, in the order of
shopSeq; what it has it drops, and where it misses something it reads that from Postgres. As only committed events are
folded in, and those are never undone, a rebuilt shard changes nothing in a view but its epoch.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from asyncpg import Pool

from barberpro.queue.bus import Bus
from barberpro.queue.fold import Json, ShopState, called_in
from barberpro.queue.scripts import Event
from barberpro.queue.tasks import end
from barberpro.storage.postgres import Away
from barberpro.storage.snapshot import events_after, last_events, load_shops, tokens_of

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
        self._loading: dict[str, asyncio.Task[ShopState]] = {}
        self._early: dict[str, list[tuple[Json, Json | None]]] = {}
        self._holders: Counter[str] = Counter()
        self._used: dict[str, float] = {}
        self._doubts = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listeners: list[Changed] = []
        self.repairs = 0
        """How often a view had missed something and was mended; a figure for operators."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="views")

    async def close(self) -> None:
        await end(task for task in (self._task, *self._loading.values()) if task is not None)

    # Reading ---------------------------------------------------------------------------------------------------

    async def shop(self, shop_id: str) -> ShopState:
        """The shop's durable state, kept true from now on. Raises what Postgres raises while it is away."""
        self._used[shop_id] = time.monotonic()
        state = self._states.get(shop_id)
        if state is not None:
            return state
        task = self._loading.get(shop_id)
        if task is None:
            task = self._loading[shop_id] = asyncio.create_task(self._load(shop_id))
            task.add_done_callback(lambda _: self._loading.pop(shop_id, None))
        return await asyncio.shield(task)

    def hold(self, shop_id: str) -> None:
        """Keeps the shop's view for somebody who watches; `release` it as often as it was held."""
        self._holders[shop_id] += 1

    def release(self, shop_id: str) -> None:
        self._holders[shop_id] -= 1
        self._used[shop_id] = time.monotonic()

    async def _load(self, shop_id: str) -> ShopState:
        await self._bus.follow(shop_id)
        self._early[shop_id] = []
        try:
            async with (
                self._pool.acquire() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                snapshot = (await load_shops(connection, [shop_id]))[shop_id]
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

    def feed(self, events: Sequence[Event]) -> None:
        """Committed events, of any shops, in each shop's order; from here or from another node."""
        shops = {event.shop_id for event in events}
        watched = (shops & self._states.keys()) | (shops & self._early.keys())
        for shop_id in watched:
            mine = [(event.data, event.born_data) for event in events if event.shop_id == shop_id]
            if shop_id in self._early:
                self._early[shop_id] += mine
            else:
                self._fold(self._states[shop_id], mine)

    def _fold(self, state: ShopState, events: Sequence[tuple[Json, Json | None]]) -> int:
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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._doubts.wait()
            self._doubts.clear()
            self._drop_idle()
            try:
                await self._compare()
            except Away as error:
                # No commit happens without Postgres, so the views stay what is durable.
                log.info("views_unchecked", problem=repr(error))
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

    async def _compare(self) -> None:
        if not self._states:
            return
        rows = await self._pool.fetch(
            "SELECT shop_id, epoch, shop_seq FROM watermarks WHERE shop_id = ANY ($1::text[])", list(self._states)
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
