"""REST requests: the envelope opened, errors raised, what is temporary repeated."""

import asyncio
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import aiohttp
import orjson
from pydantic import BaseModel

from barberpro.clients.python.errors import ServerUnreachable, error_from_wire
from barberpro.clients.python.logic import RetryPolicy, Verdict, judge
from barberpro.clients.python.tokens import TokenSource
from barberpro.protocol.errors import BarberProError

Row = TypeVar("Row")
Told = TypeVar("Told")


class Omitted:
    """Of a field that is left out: another thing than null."""

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final = Omitted()


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A part of a list; `next_cursor` asks for the part after it, and is None at the end. meta: what more is told."""

    rows: list[Row]
    next_cursor: str | None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes | None


class Rest:
    """Sends requests. Each raises BarberProError, and ServerUnreachable when the deadline passes first.

    Every write carries an Idempotency-Key, the caller's, its command's id or a new one: so it may be repeated as a read
    may.
    """

    def __init__(
        self, base_url: str, http: aiohttp.ClientSession, tokens: TokenSource | None, retry: RetryPolicy
    ) -> None:
        """tokens: None for somebody without a token."""
        self._base_url = base_url.rstrip("/")
        self._http = http
        self._tokens = tokens
        self._retry = retry

    async def data(self, method: str, path: str, **given: Any) -> Any:  # noqa: ANN401 - of any endpoint
        """`data` of the answer. given: as `send`."""
        return (await self.send(method, path, _envelope, **given))["data"]

    async def page(self, path: str, query: Mapping[str, object] | None = None) -> Page[Any]:
        """One part of a list."""
        answer = await self.send("GET", path, _envelope, query=query)
        meta = answer.get("meta") or {}
        return Page(list(answer["data"]), meta.get("nextCursor"), meta)

    async def document(self, path: str) -> Any:  # noqa: ANN401 - of any endpoint
        """JSON without an envelope."""
        return await self.send("GET", path, orjson.loads)

    async def raw(self, method: str, path: str, **given: Any) -> bytes:  # noqa: ANN401 - as `send`
        """The bytes of a file. given: as `send`."""
        return await self.send(method, path, bytes, **given)

    async def send(
        self,
        method: str,
        path: str,
        opened: Callable[[bytes], Told],
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> Told:
        """The answer, opened; what cannot be (ValueError) was no answer. query: None leaves a parameter out.

        body: OMITTED leaves a field out.
        """
        key = key or str((body or {}).get("commandId") or uuid.uuid4())
        headers = {} if method == "GET" else {"Idempotency-Key": key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = _Request(
            method,
            self._base_url + path,
            {name: _text(value) for name, value in (query or {}).items() if value is not None},
            headers,
            orjson.dumps(_wire(body)) if body is not None else None,
        )
        try:
            async with asyncio.timeout(self._retry.deadline):
                return await self._repeat(request, opened)
        except TimeoutError as error:
            raise ServerUnreachable(f"no answer within {self._retry.deadline:.0f} s") from error

    async def _repeat(self, request: _Request, opened: Callable[[bytes], Told]) -> Told:
        attempt, renewed = 0, False
        while True:
            attempt += 1
            asked: float | None = None
            try:
                return opened(await self._once(request))
            except BarberProError as refusal:
                may_renew = self._tokens is not None and self._tokens.renewable and not renewed
                verdict = judge(refusal, may_renew=may_renew)
                if verdict is Verdict.GIVE_UP:
                    raise
                if verdict is Verdict.RENEW_TOKEN and self._tokens is not None:
                    renewed = self._tokens.expire()
                asked = refusal.retry_after
            except (aiohttp.ClientError, OSError, ValueError):
                pass  # no answer, or a proxy's page instead of one
            await asyncio.sleep(self._retry.delay(attempt, random.random, asked or 0.0))

    async def _once(self, request: _Request) -> bytes:
        headers = dict(request.headers)
        if self._tokens is not None:
            headers["Authorization"] = f"Bearer {await self._tokens.get()}"
        timeout = aiohttp.ClientTimeout(total=self._retry.ack_timeout)
        async with self._http.request(
            request.method, request.url, params=request.query, data=request.body, headers=headers, timeout=timeout
        ) as response:
            answer = await response.read()
            wait = response.headers.get("Retry-After", "")
        if response.status < 400:
            return answer
        refused = orjson.loads(answer)
        if not isinstance(refused, dict):
            raise ValueError("the answer is no JSON object")
        raise error_from_wire(refused.get("error"), float(wait) if wait.isdecimal() else None)


def quoted(part: str) -> str:
    """A part of a path."""
    return quote(part, safe="")


def _envelope(answer: bytes) -> dict[str, Any]:
    """Raises ValueError."""
    told: object = orjson.loads(answer)
    if not isinstance(told, dict) or "data" not in told:
        raise ValueError("the answer is no envelope")
    return told


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wire(value: object) -> object:
    """As on the wire, without what is left out. In a model that is what was never set."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {name: _wire(each) for name, each in value.items() if not isinstance(each, Omitted)}
    return [_wire(each) for each in value] if isinstance(value, list) else value
