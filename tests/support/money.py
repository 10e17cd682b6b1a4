"""Payments, made and looked at through the doors. Holds no tests itself."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from barberpro.protocol.actors import Actor
from barberpro.protocol.ids import new_booking_id, new_payment_id
from tests.support.rest import Door
from tests.support.shops import Json, send


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


_BOOKING = """
    INSERT INTO bookings (booking_id, shop_id, kind, services, duration_minutes, total_price, currency, created_at,
                          barber_id, status, ended_at, shop_seq)
    VALUES ($1, $2, 'walk_in', '[]', 20, 250.00, $4, now(), $3, 'completed', now(), 1)
"""
_LINE = """
    INSERT INTO payment_ledger (payment_id, kind, purpose, shop_id, barber_id, booking_id, method, amount, currency, at,
                                actor_id, actor_role)
    VALUES ($1, 'charge', 'service', $2, $3, 'bk_x_1', 'cash', $4, 'INR', $5, 'us_1', 'barber')
"""


async def add_booking(door: Door, barber_id: str, currency: str = "INR") -> str:
    """A completed booking that no event tells of, of a barber who need not be there."""
    booking_id = new_booking_id(door.shop.shop_id)
    await door.node.pool.execute(_BOOKING, booking_id, door.shop.shop_id, barber_id, currency)
    return booking_id


async def add_charges(door: Door, barber_id: str, charges: list[tuple[Decimal, datetime]]) -> None:
    """Lines with these amounts, written at these times."""
    shop_id = door.shop.shop_id
    lines = [(new_payment_id(shop_id), shop_id, barber_id, amount, at) for amount, at in charges]
    await door.node.pool.executemany(_LINE, lines)
