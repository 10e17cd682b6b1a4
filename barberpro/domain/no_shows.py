"""Customers who do not come: after some of it they need a telephone that is confirmed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asyncpg import Pool

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.no_shows import count_no_shows


async def _nobodys(_user_id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class NoShows:
    """The rule. most: no-shows in so many days after which a booking needs a confirmed telephone; 0: never.

    phone_confirmed: whether the user, by id, has one.
    """

    pool: "Pool[Any]"
    most: int = 0
    days: int = 30
    phone_confirmed: Callable[[str], Awaitable[bool]] = _nobodys

    async def check(self, customer_id: str) -> None:
        """Before a customer's booking. Raises PHONE_CONFIRMATION_REQUIRED, and what storage.postgres.Away lists."""
        if not self.most:
            return
        missed = await count_no_shows(self.pool, customer_id, self.days, self.most)
        if missed >= self.most and not await self.phone_confirmed(customer_id):
            details = {"noShows": missed, "days": self.days}
            raise BarberProError(ErrorCode.PHONE_CONFIRMATION_REQUIRED, details=details)
