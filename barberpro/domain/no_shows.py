"""Customers who do not come: after some of it they need a telephone that is confirmed."""

from dataclasses import dataclass
from typing import Any

from asyncpg import Pool

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError
from barberpro.storage.no_shows import count_no_shows, has_happened
from barberpro.storage.users import has_phone


@dataclass(frozen=True, slots=True)
class NoShows:
    """The rule. most: no-shows in so many days after which a booking needs a confirmed telephone; 0: never."""

    pool: "Pool[Any]"
    most: int = 0
    days: int = 30

    async def check(self, customer_id: str, command_id: str) -> None:
        """Before a customer's booking by this command; one that has happened, and is only repeated, passes.

        Raises PHONE_CONFIRMATION_REQUIRED, and what storage.postgres.Away lists.
        """
        if not self.most:
            return
        missed = await count_no_shows(self.pool, customer_id, self.days, self.most)
        if missed < self.most or await has_phone(self.pool, customer_id):
            return
        if not await has_happened(self.pool, customer_id, command_id):
            details = {"noShows": missed, "days": self.days}
            raise BarberProError(ErrorCode.PHONE_CONFIRMATION_REQUIRED, details=details)
