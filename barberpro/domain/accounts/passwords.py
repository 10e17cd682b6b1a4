"""Passwords: argon2id, a few at a time, in threads of their own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError

_Result = TypeVar("_Result")
COST = RFC_9106_LOW_MEMORY
"""3 passes over 64 MiB in 4 lanes. Not Final: tests of other things do with less."""
_AT_ONCE: Final = 2
"""Each takes 64 MiB and a core for some 50 ms; a flood of sign-ins must not take the machine."""
_WAITING: Final = 50


class Passwords:
    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._hasher = PasswordHasher.from_parameters(COST)
        self._most = at_once + _WAITING
        self._threads = ThreadPoolExecutor(at_once, "password")
        self._asked = 0
        self._nobodys: str | None = None

    def close(self) -> None:
        """No password is looked at any more; waits for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Raises RATE_LIMIT_EXCEEDED when too many wait already."""
        return await self._in_turn(self._hasher.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """None, for nobody's, takes as long as a wrong one. Raises RATE_LIMIT_EXCEEDED when too many wait already."""
        if self._nobodys is None:
            self._nobodys = await self.hash("nobody's")
        matched = await self._in_turn(self._verify, hashed or self._nobodys, password)
        return matched and hashed is not None

    def is_dated(self, hashed: str) -> bool:
        """Whether it was made at another cost than today's."""
        return self._hasher.check_needs_rehash(hashed)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[..., _Result], *given: str) -> _Result:
        if self._asked >= self._most:
            raise BarberProError(ErrorCode.RATE_LIMIT_EXCEEDED, retry_after=5.0)
        self._asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        finally:
            self._asked -= 1
