"""One reading for all who ask at once."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from barberpro.storage.together import Gathered, Together
from tests.support.logs import nothing_wrong_is_logged


class Reader:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = asyncio.Event()

    async def read(self, key: str) -> str:
        self.asked.append(key)
        await self.free.wait()
        if key == "bad":
            raise LookupError(key)
        return key.upper()


async def test_a_crowd_is_one_reading_and_later_ones_are_another() -> None:
    reader, together = Reader(), Together[str]()
    crowd = [asyncio.create_task(together("a", reader.read)) for _ in range(100)]
    other = asyncio.create_task(together("b", reader.read))
    await asyncio.sleep(0)
    crowd[0].cancel()
    reader.free.set()
    assert await asyncio.gather(*crowd[1:], other) == ["A"] * 99 + ["B"]
    assert reader.asked == ["a", "b"]
    assert await together("a", reader.read) == "A"
    assert reader.asked == ["a", "b", "a"]


async def test_after_a_renewal_nobody_gets_what_was_being_read_before() -> None:
    reader, together = Reader(), Together[str]()
    before = asyncio.create_task(together("a", reader.read))
    await asyncio.sleep(0)
    together.renew("a")
    after = [asyncio.create_task(together("a", reader.read)) for _ in range(2)]
    await asyncio.sleep(0)
    reader.free.set()
    assert await asyncio.gather(before, *after) == ["A"] * 3
    assert reader.asked == ["a", "a"]


async def test_what_was_being_read_before_a_renewal_is_ended_like_all_else() -> None:
    reader, together = Reader(), Together[str]()
    crowd = [asyncio.create_task(together("a", reader.read))]
    await asyncio.sleep(0)
    together.renew("a")
    crowd.append(asyncio.create_task(together("a", reader.read)))
    await asyncio.sleep(0)
    await together.close()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*crowd, return_exceptions=True)
    )


async def test_what_goes_wrong_goes_wrong_for_all_and_is_tried_again() -> None:
    reader, together = Reader(), Together[str]()
    reader.free.set()
    outcomes = await asyncio.gather(*(together("bad", reader.read) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
    with pytest.raises(LookupError):
        await together("bad", reader.read)
    assert reader.asked == ["bad", "bad"]


async def test_a_failure_that_nobody_waits_for_any_more_is_no_error() -> None:
    together: Together[int] = Together()
    reads = asyncio.Event()

    async def fails(_: str) -> int:
        reads.set()
        await asyncio.sleep(0)
        raise ConnectionError("cut off")

    with nothing_wrong_is_logged():
        caller = asyncio.create_task(together("key", fails))
        await reads.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        while together._under_way:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        del caller
        gc.collect()


class Counter:
    """What Gathered reads from: each key's length; waits until it is let go."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.free = asyncio.Event()

    async def read(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        await self.free.wait()
        if "bad" in keys:
            raise LookupError("bad")
        return {key: len(key) for key in keys}


async def test_who_asks_during_a_reading_goes_with_the_next() -> None:
    counter = Counter()
    gathered = Gathered(counter.read)
    first = asyncio.create_task(gathered("a"))
    while not counter.asked:  # noqa: ASYNC110 - until it is under way
        await asyncio.sleep(0)
    crowd = [asyncio.create_task(gathered("b" * number)) for number in range(1, 301)]
    await asyncio.sleep(0)
    crowd[0].cancel()
    counter.free.set()
    assert await asyncio.gather(first, *crowd[1:]) == [1, *range(2, 301)]
    assert [len(keys) for keys in counter.asked] == [1, 255, 44]
    assert await gathered("again") == 5


async def test_a_reading_that_fails_fails_for_those_who_went_with_it_alone() -> None:
    counter = Counter()
    gathered = Gathered(counter.read)
    bad = [asyncio.create_task(gathered(key)) for key in ("bad", "other")]
    while not counter.asked:  # noqa: ASYNC110 - until it is under way
        await asyncio.sleep(0)
    later = asyncio.create_task(gathered("good"))
    await asyncio.sleep(0)
    counter.free.set()
    outcomes = await asyncio.gather(*bad, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 2
    assert await later == 4
