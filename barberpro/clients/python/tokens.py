"""Where the access token comes from: a fixed one, or a callable that gives a fresh one."""

import inspect
from collections.abc import Awaitable, Callable

TokenProvider = Callable[[], str | Awaitable[str]]
"""Gives a token that is valid now; called before the first connection and when the last one has expired."""


class TokenSource:
    def __init__(self, token: str | TokenProvider) -> None:
        self._provider = None if isinstance(token, str) else token
        self._token = token if isinstance(token, str) else None

    @property
    def renewable(self) -> bool:
        return self._provider is not None

    async def get(self) -> str:
        """The token to use now. Lets through whatever the provider raises."""
        if self._token is None:
            if self._provider is None:
                raise RuntimeError("a fixed token cannot be renewed")
            given = self._provider()
            self._token = await given if inspect.isawaitable(given) else given
        return self._token

    def replace(self, token: str) -> None:
        self._token = token

    def expire(self) -> bool:
        """Forget the token when a fresh one can be had; says whether it can."""
        if self._provider is None:
            return False
        self._token = None
        return True
