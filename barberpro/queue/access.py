"""What the engine asks about who may do what. The table is the domain's (domain/policy.py); the node brings it."""

from typing import Protocol

from barberpro.protocol.actors import Actor
from barberpro.storage.catalogue import Shop


class Access(Protocol):
    def require_ever(self, actor: Actor, command: str) -> None:
        """Raises FORBIDDEN when the actor's role may send no such command, whatever it is about."""
        ...

    def allowed(self, actor: Actor, command: str, shop: Shop, booking_id: str | None) -> bool:
        """Whether the actor may send it about this shop, or a booking there; for all that is known outside Redis."""
        ...

    def sees(self, actor: Actor, shop: Shop, booking_id: str, customer_id: str | None) -> bool:
        """Whether the actor may know of the booking, which is this customer's."""
        ...
