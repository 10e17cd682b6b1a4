"""Who stands how to a shop: the one place where a role becomes a relation."""

from barberpro.protocol.actors import Actor, Role
from barberpro.storage.catalogue import Shop


def is_staff(actor: Actor, shop: Shop) -> bool:
    """Whether the actor works in this shop, or administers all shops."""
    if actor.role in {Role.ADMIN, Role.SYSTEM}:
        return True
    return actor.role is Role.BARBER and (shop.shop_id in actor.shop_ids or actor.barber_id in shop.barbers)


def owns_booking(actor: Actor, booking_id: str, customer_id: str | None) -> bool:
    """Whether it is the actor's own booking: a customer's by account, a guest's by ticket."""
    if actor.role is Role.GUEST:
        return actor.booking_id == booking_id
    return actor.role is Role.CUSTOMER and customer_id == actor.id
