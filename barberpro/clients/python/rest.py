"""REST reads: the envelope opened, errors raised, temporary ones repeated."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from barberpro.clients.python.errors import ServerUnreachable, error_from_wire
from barberpro.clients.python.logic import RetryPolicy, Verdict, judge
from barberpro.clients.python.tokens import TokenSource
from barberpro.protocol.errors import BarberProError


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; `next_cursor` asks for the part after it, and is None at the end."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


class Rest:
    def __init__(self, base_url: str, http: aiohttp.ClientSession, tokens: TokenSource, retry: RetryPolicy) -> None:
        self._prefix = f"{base_url}/api/v1"
        self._http = http
        self._tokens = tokens
        self._retry = retry

    async def get(self, *path: str, **params: str | int | None) -> dict[str, Any]:
        """One object. Raises BarberProError, and ServerUnreachable when the deadline passes first."""
        return dict((await self._read(path, params))["data"])

    async def page(self, *path: str, **params: str | int | None) -> Page:
        """One part of a list; raises as `get`."""
        body = await self._read(path, params)
        return Page(list(body["data"]), (body.get("meta") or {}).get("nextCursor"))

    async def _read(self, path: tuple[str, ...], params: Mapping[str, str | int | None]) -> dict[str, Any]:
        url = "/".join([self._prefix, *(quote(part, safe="") for part in path)])
        query = {name: str(value) for name, value in params.items() if value is not None}
        last: Exception | None = None
        try:
            async with asyncio.timeout(self._retry.deadline):
                return await self._repeat(url, query)
        except TimeoutError as error:
            last = error
        raise ServerUnreachable(f"no answer within {self._retry.deadline:.0f} s") from last

    async def _repeat(self, url: str, query: dict[str, str]) -> dict[str, Any]:
        attempt, renewed = 0, False
        while True:
            attempt += 1
            asked: float | None = None
            try:
                return await self._once(url, query)
            except BarberProError as refusal:
                verdict = judge(refusal, may_renew=self._tokens.renewable and not renewed)
                if verdict is Verdict.GIVE_UP:
                    raise
                if verdict is Verdict.RENEW_TOKEN:
                    renewed = self._tokens.expire()
                asked = refusal.retry_after
            except (aiohttp.ClientError, OSError, ValueError):
                pass  # no answer, or a proxy's page instead of one
            await asyncio.sleep(self._retry.delay(attempt, random.random, asked or 0.0))

    async def _once(self, url: str, query: dict[str, str]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._tokens.get()}"}
        timeout = aiohttp.ClientTimeout(total=self._retry.ack_timeout)
        async with self._http.get(url, params=query, headers=headers, timeout=timeout) as response:
            body = orjson.loads(await response.read())
            wait = response.headers.get("Retry-After", "")
        if not isinstance(body, dict):
            raise ValueError("the answer is no JSON object")
        if body.get("success") is True:
            return body
        raise error_from_wire(body.get("error"), float(wait) if wait.isdecimal() else None)
