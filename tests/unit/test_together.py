"""One reading for all who ask at once."""

import asyncio
import gc

import pytest

from barberpro.storage.together import Together
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
