"""Payments, made and looked at through the doors. Holds no tests itself."""

from typing import Any

from barberpro.protocol.actors import Actor
from tests.support.rest import Door
from tests.support.shops import Json, customer, send


async def visit(door: Door, number: int, payment: Json | None = None, barber: int = 0) -> str:
    """A customer joins, is served, and pays, if there is a payment; the booking."""
    node, shop = door.node, door.shop
    [booking_id] = await shop.fill(node, 1, barber, number)
    staff = shop.staff[barber]
    await send(node, staff, type="start", bookingId=booking_id)
    more = {"payment": payment} if payment is not None else {}
    await send(node, staff, type="complete", bookingId=booking_id, **more)
    return booking_id


async def ledger(door: Door, query: str = "", who: Actor | None = None) -> list[Json]:
    """The shop's lines, the newest first, as its first barber sees them."""
    answer = await door.get(f"/payments?{query}", who or door.shop.staff[0])
    lines: list[Json] = answer.data
    return lines


async def earned(door: Door, query: str = "", barber: int = 0) -> Json:
    """What the barber earned, in the shop's currency."""
    answer = await door.get(f"/queue/earnings?{query}", door.shop.staff[barber])
    own: Json = answer.data["earnings"][0]
    return own


async def rows(door: Door) -> list[Any]:
    """The ledger as the database has it."""
    return list(await door.node.pool.fetch("SELECT * FROM payment_ledger ORDER BY at, payment_id"))
