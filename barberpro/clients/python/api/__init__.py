"""REST, typed: a method for every endpoint."""

from types import TracebackType
from typing import Self

import aiohttp

from barberpro.clients.python.api.every import Endpoints
from barberpro.clients.python.closing import finish
from barberpro.clients.python.logic import RetryPolicy
from barberpro.clients.python.rest import Rest
from barberpro.clients.python.tokens import TokenProvider, TokenSource

__all__ = ["BarberProApi", "Endpoints"]


class BarberProApi(Endpoints):
    """REST alone, for `async with`; no connection is kept.

    async with BarberProApi("https://shop.example") as api:
        grant = await api.login(email="asha@example.com", password="...")
        api.use(grant["accessToken"])
    """

    def __init__(
        self, base_url: str, token: str | TokenProvider | None = None, *, retry: RetryPolicy | None = None
    ) -> None:
        """token: as of BarberProClient; None: of somebody without one."""
        self._base_url = base_url
        self._retry = retry or RetryPolicy()
        self._tokens = TokenSource(token) if token is not None else None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._rest = Rest(self._base_url, self._http, self._tokens, self._retry)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await finish(self._http.close())

    def use(self, token: str | TokenProvider | None) -> None:
        """Ask with this token from now on."""
        self._tokens = TokenSource(token) if token is not None else None
        self._rest = Rest(self._base_url, self._http, self._tokens, self._retry)
