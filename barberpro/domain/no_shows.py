"""Customers who do not come: after some of it they need a telephone that is confirmed."""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg import Pool

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.no_shows import count_no_shows, has_happened
from barberpro.storage.together import Gathered
from barberpro.storage.users import has_phone


class NoShows:
    """The rule. Under load, those of many who join are counted in one query."""

    def __init__(self, pool: "Pool[Any]", most: int = 0, days: int = 30) -> None:
        """most: no-shows in so many days after which a booking needs a confirmed telephone; 0: never."""
        self._pool = pool
        self._most = most
        self._days = days
        self._missed: Gathered[int] = Gathered(self._count)

    async def check(self, customer_id: str, command_id: str) -> None:
        """Before a customer's booking by this command; one that has happened, and is only repeated, passes.

        Raises PHONE_CONFIRMATION_REQUIRED, and what storage.postgres.Away lists.
        """
        if not self._most:
            return
        missed = await self._missed(customer_id)
        if missed < self._most or await has_phone(self._pool, customer_id):
            return
        if not await has_happened(self._pool, customer_id, command_id):
            details = {"noShows": missed, "days": self._days}
            raise BarberProError(ErrorCode.PHONE_CONFIRMATION_REQUIRED, details=details)

    async def _count(self, customer_ids: Sequence[str]) -> Mapping[str, int]:
        return await count_no_shows(self._pool, customer_ids, self._days, self._most)
