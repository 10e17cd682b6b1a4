"""A text/event-stream, as a browser reads it. Holds no tests itself."""

import asyncio

import aiohttp
import orjson

from tests.support.shops import Json


class Stream:
    """A text/event-stream, read as a browser does."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def hear(self) -> dict[str, str]:
        """The next event's fields; what has no data (comments, retry) is passed over but for its own fields."""
        fields: dict[str, str] = {}
        while True:
            async with asyncio.timeout(20):
                line = (await self._response.content.readline()).decode()
            assert line, "the stream ended"
            if line == "\n":
                if fields:
                    return fields
            elif not line.startswith(":"):
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value

    async def state(self) -> tuple[str, str, Json]:
        """The next event with data: its name, id and document."""
        while "data" not in (fields := await self.hear()):
            pass
        return fields["event"], fields.get("id", ""), orjson.loads(fields["data"])

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            return not (await self._response.content.read()).strip(b"\n:")
