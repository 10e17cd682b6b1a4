"""One typed method for every command of the contract."""

from abc import ABC, abstractmethod
from typing import Literal

from barberpro.clients.python.results import CommandResult
from barberpro.protocol.commands import Customer, Expect, Payment


class Commands(ABC):
    """All methods raise BarberProError and CommandUnresolved, as `command` does.

    `expect` is what the caller saw: `Expect(servingBookingId="bk_1")`, and None for nobody being served. When
    it no longer holds, the command is refused with STALE_STATE.
    """

    @abstractmethod
    async def command(
        self,
        type_: str,
        *,
        command_id: str | None = None,
        deadline: float | None = None,
        **fields: object,
    ) -> CommandResult:
        """Send a command; fields that are None are left out."""

    async def join(
        self,
        barber_id: str,
        service_ids: list[str],
        *,
        customer: Customer | None = None,
        notes: str | None = None,
    ) -> CommandResult:
        """Take a token. `customer`: who it is for, when a barber enters a walk-in."""
        return await self.command("join", barberId=barber_id, serviceIds=service_ids, customer=customer, notes=notes)

    async def check_in(self, booking_id: str) -> CommandResult:
        return await self.command("check_in", bookingId=booking_id)

    async def start(
        self, *, barber_id: str | None = None, booking_id: str | None = None, expect: Expect | None = None
    ) -> CommandResult:
        """Serve who is next; name the queue or the booking."""
        return await self.command("start", barberId=barber_id, bookingId=booking_id, expect=expect)

    async def complete(
        self,
        *,
        barber_id: str | None = None,
        booking_id: str | None = None,
        payment: Payment | None = None,
        expect: Expect | None = None,
    ) -> CommandResult:
        """End the visit of who is being served; name the queue or the booking."""
        return await self.command("complete", barberId=barber_id, bookingId=booking_id, payment=payment, expect=expect)

    async def advance(
        self, barber_id: str, *, payment: Payment | None = None, expect: Expect | None = None
    ) -> CommandResult:
        """Done, next please. Give `expect`, so that two devices pressing at once advance once."""
        return await self.command("advance", barberId=barber_id, payment=payment, expect=expect)

    async def skip(self, booking_id: str, *, reason: str | None = None) -> CommandResult:
        return await self.command("skip", bookingId=booking_id, reason=reason)

    async def no_show(self, booking_id: str) -> CommandResult:
        return await self.command("no_show", bookingId=booking_id)

    async def recall(self, booking_id: str, to: Literal["front", "back"]) -> CommandResult:
        return await self.command("recall", bookingId=booking_id, to=to)

    async def step_back(self, booking_id: str, places: int) -> CommandResult:
        return await self.command("step_back", bookingId=booking_id, places=places)

    async def move(self, booking_id: str, position: int, reason: str) -> CommandResult:
        """`position` as in the states: 2 is the first who waits. The reason is shown to those who moved."""
        return await self.command("move", bookingId=booking_id, position=position, reason=reason)

    async def transfer(self, booking_id: str, to_barber_id: str) -> CommandResult:
        return await self.command("transfer", bookingId=booking_id, toBarberId=to_barber_id)

    async def cancel(self, booking_id: str, *, reason: str | None = None) -> CommandResult:
        return await self.command("cancel", bookingId=booking_id, reason=reason)

    async def open(self, barber_id: str) -> CommandResult:
        return await self.command("open", barberId=barber_id)

    async def pause(self, barber_id: str, *, reason: str | None = None) -> CommandResult:
        return await self.command("pause", barberId=barber_id, reason=reason)

    async def close_queue(self, barber_id: str, waiting: Literal["keep", "cancel"]) -> CommandResult:
        """Close the line; who waits is still served, or cancelled. (`close` ends the client itself.)"""
        return await self.command("close", barberId=barber_id, waiting=waiting)
