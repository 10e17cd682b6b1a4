"""How an actor stands to a shop and what is in it: the one place where a role becomes a relation."""

from typing import Final

from barberpro.domain.policy import Action, Relation, allowed, require_ever
from barberpro.protocol.actors import Actor, Role
from barberpro.storage.catalogue import Shop


def to_shop(actor: Actor | None, shop: Shop) -> Relation:
    """A MEMBER or a STRANGER. A guest's ticket is for its booking, and makes nobody a member.

    A barber with a line works where the catalogue has it, and no longer than it does, whatever the token says.
    """
    if actor is None or actor.booking_id is not None:
        return Relation.STRANGER
    of_all = actor.role is Role.ADMIN or actor.role is Role.SYSTEM
    if actor.role is Role.BARBER and actor.barber_id is not None:
        belongs = actor.barber_id in shop.barbers
    else:
        belongs = actor.role is not Role.CUSTOMER and shop.shop_id in actor.shop_ids
    return Relation.MEMBER if of_all or belongs or _runs(actor, shop) else Relation.STRANGER


def to_running(actor: Actor | None, shop: Shop) -> Relation:
    """To what is done by those who run the shop, its owners and administrators: OWNER for them, else as `to_shop`."""
    return Relation.OWNER if actor is not None and _runs(actor, shop) else to_shop(actor, shop)


def to_offers(actor: Actor | None, shop: Shop, barber_id: str) -> Relation:
    """To what a barber of the shop offers: OWNER for the barber, too."""
    own = actor is not None and actor.role is Role.BARBER and actor.barber_id == barber_id in shop.barbers
    return Relation.OWNER if own else to_running(actor, shop)


def _runs(actor: Actor, shop: Shop) -> bool:
    # By the catalogue, and not by the token: whoever has just made a shop runs it with the token that they have.
    return actor.role is Role.ADMIN or (actor.role is Role.BARBER and actor.id in shop.owners)


def to_display(actor: Actor | None, shop: Shop) -> Relation:
    """PUBLIC, for everybody, where the shop shows its display to everybody; else as `to_shop`."""
    return Relation.PUBLIC if shop.public_display else to_shop(actor, shop)


def to_booking(actor: Actor | None, shop: Shop, booking_id: str, customer_id: str | None) -> Relation:
    """OWNER: its customer by account, or its guest by ticket."""
    if actor is None:
        return Relation.STRANGER
    if actor.role is Role.GUEST:
        return Relation.OWNER if actor.booking_id == booking_id else Relation.STRANGER
    if actor.role is Role.CUSTOMER:
        return Relation.OWNER if customer_id == actor.id else Relation.STRANGER
    return to_shop(actor, shop)


def to_visit(actor: Actor, customer_id: str | None) -> Relation:
    """OWNER: its customer, by account alone."""
    own = actor.role is Role.CUSTOMER and customer_id == actor.id
    return Relation.OWNER if own else Relation.STRANGER


_ACTIONS: Final = {action.value: action for action in Action}


class CommandAccess:
    """What the engine asks of the table (queue/access.py)."""

    def require_ever(self, actor: Actor, command: str) -> None:
        """Raises FORBIDDEN, whatever the command is about."""
        require_ever(actor, _ACTIONS[command])

    def allowed(self, actor: Actor, command: str, shop: Shop, booking_id: str | None) -> bool:
        """Whose a customer's booking is only the script knows, which holds it to its owner (queue/lua/line.lua)."""
        relation = to_shop(actor, shop) if booking_id is None else to_booking(actor, shop, booking_id, actor.id)
        return allowed(actor, _ACTIONS[command], relation)

    def sees(self, actor: Actor, shop: Shop, booking_id: str, customer_id: str | None) -> bool:
        """Whether the actor may know of the booking."""
        return allowed(actor, Action.SEE_BOOKING, to_booking(actor, shop, booking_id, customer_id))
