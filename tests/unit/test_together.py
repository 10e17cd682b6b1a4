"""One reading for all who ask at once."""

import asyncio

import pytest

from barberpro.storage.together import Together


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
