"""Payments: recorded, given back and put right. Each is one more line of the ledger; none is ever changed.

What is paid at a 'complete' or 'advance' is written by the commit of its event (`commit_events`).
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from asyncpg import Pool

from barberpro.domain.replays import digest_of, need_same
from barberpro.protocol.actors import Actor, Via
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import Method
from barberpro.protocol.currencies import need_decimals, written
from barberpro.protocol.errors import BarberProError, bad_field, not_found
from barberpro.protocol.ids import new_payment_id
from barberpro.protocol.money import CorrectPayment, Kind, LedgerLine, Recorded, RecordPayment, RefundPayment
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.audit import Json, note
from barberpro.storage.ledger import Line, NewLine, add_line, find_line, left_of, lines_of_command
from barberpro.storage.postgres import AnyConnection

_BOOKING: Final = "SELECT shop_id, barber_id, currency FROM bookings WHERE booking_id = $1"


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for a payment, how, and the id of the request: sent again, it writes nothing more."""

    actor: Actor
    via: Via
    command_id: str

    def digest(self, *content: object) -> str:
        """Of what is asked for, and by whom."""
        return digest_of(self.actor, *content)


async def record(pool: "Pool[Any]", request: Request, booking_id: str, asked: RecordPayment) -> Recorded:
    """A charge, and a tip beside it, of a booking of any status: people pay before, and after.

    Raises NOT_FOUND, BAD_REQUEST for decimals that the currency does not have, IDEMPOTENCY_MISMATCH.
    """
    digest = request.digest("record", booking_id, asked.method, asked.amount, asked.tip)
    async with pool.acquire() as connection, connection.transaction():
        new = await _of_booking(connection, booking_id, Decimal(asked.amount), asked.method, request.command_id, digest)
        need_decimals("amount", asked.amount, new.currency)
        news = [new]
        if asked.tip is not None and Decimal(asked.tip) > 0:
            need_decimals("tip", asked.tip, new.currency)
            tip = replace(new, payment_id=new_payment_id(new.shop_id), kind="tip", purpose="tip")
            news.append(replace(tip, amount=Decimal(asked.tip)))
        known = await lines_of_command(connection, new.shop_id, request.command_id)
        return _replay(known, digest) if known else await _added(connection, request, news, "payment.recorded")


async def refund(pool: "Pool[Any]", request: Request, payment_id: str, asked: RefundPayment) -> Recorded:
    """Gives back a part of a charge or tip, or all that is left of it: never more.

    Raises NOT_FOUND; INVALID_TRANSITION with what is left (`refundable`), or for what is no charge or tip.
    """
    digest = request.digest("refund", payment_id, asked.amount, asked.method, asked.reason)
    async with pool.acquire() as connection, connection.transaction():
        payment = await _locked(connection, payment_id)
        known = await lines_of_command(connection, payment.shop_id, request.command_id)
        if known:
            return _replay(known, digest)
        _need_payment(payment)
        left, _ = await left_of(connection, payment_id)
        amount = left if asked.amount is None else _amount(asked.amount, payment.currency)
        if amount <= 0 and asked.amount is not None:
            raise bad_field("amount", "is not more than 0")
        if amount > left or left <= 0:
            raise _impossible("No more than was paid can be given back.", payment, refundable=left)
        new = _upon(payment, "refund", -amount, asked.method or payment.method, asked.reason, request, digest)
        return await _added(connection, request, [new], "payment.refunded")


async def correct(pool: "Pool[Any]", request: Request, payment_id: str, asked: CorrectPayment) -> Recorded:
    """Puts right what a charge or tip was written down as, by a line of the difference.

    Raises NOT_FOUND; BAD_REQUEST when it is so already; INVALID_TRANSITION when more was given back than it should have
    been (`refunded`), or for what is no charge or tip.
    """
    digest = request.digest("correct", payment_id, asked.amount, asked.reason)
    async with pool.acquire() as connection, connection.transaction():
        payment = await _locked(connection, payment_id)
        known = await lines_of_command(connection, payment.shop_id, request.command_id)
        if known:
            return _replay(known, digest)
        _need_payment(payment)
        left, paid = await left_of(connection, payment_id)
        right = _amount(asked.amount, payment.currency)
        if right == paid:
            raise bad_field("amount", "is what is written down already")
        if right < paid - left:
            raise _impossible("More than that was given back already.", payment, refunded=paid - left)
        new = _upon(payment, "correction", right - paid, payment.method, asked.reason, request, digest)
        return await _added(connection, request, [new], "payment.corrected")


def told(line: Line) -> LedgerLine:
    """A line as it stands on the wire."""
    return {
        "paymentId": line.payment_id,
        "kind": line.kind,
        "purpose": line.purpose,
        "shopId": line.shop_id,
        "barberId": line.barber_id,
        "bookingId": line.booking_id,
        "method": line.method,
        "amount": written(line.amount, line.currency),
        "currency": line.currency,
        "ofPaymentId": line.of_payment_id,
        "reason": line.reason,
        "at": rfc3339_of(line.at),
        "recordedBy": line.actor_id,
        "recordedByRole": line.actor_role,
    }


async def _of_booking(
    connection: AnyConnection, booking_id: str, amount: Decimal, method: Method, command_id: str, digest: str
) -> NewLine:
    """A charge, in the currency that was agreed when the booking was made."""
    row = await connection.fetchrow(_BOOKING, booking_id)
    if row is None:
        raise not_found("booking")
    return NewLine(
        new_payment_id(row["shop_id"]),
        "charge",
        "service",
        row["shop_id"],
        row["barber_id"],
        booking_id,
        method,
        amount,
        row["currency"],
        command_id=command_id,
        digest=digest,
    )


def _upon(
    payment: Line, kind: Kind, amount: Decimal, method: Method, reason: str | None, request: Request, digest: str
) -> NewLine:
    return NewLine(
        new_payment_id(payment.shop_id),
        kind,
        payment.purpose,
        payment.shop_id,
        payment.barber_id,
        payment.booking_id,
        method,
        amount,
        payment.currency,
        payment.payment_id,
        reason,
        request.command_id,
        digest,
    )


async def _added(connection: AnyConnection, request: Request, news: list[NewLine], action: str) -> Recorded:
    lines = [await _written(connection, new, request.actor, request.via, action) for new in news]
    return {"payments": [told(line) for line in lines], "replayed": False}


async def _written(connection: AnyConnection, new: NewLine, actor: Actor, via: Via, action: str) -> Line:
    line = await add_line(connection, new, actor, via.request_id or None)
    shown = ("kind", "bookingId", "method", "amount", "currency", "ofPaymentId")
    wire: Json = {**told(line)}
    after = {name: wire[name] for name in shown if wire[name] is not None}
    await note(connection, actor, action, "payment", line.payment_id, after=after, via=via, shop_id=line.shop_id)
    return line


async def _locked(connection: AnyConnection, payment_id: str) -> Line:
    payment = await find_line(connection, payment_id, lock=True)
    if payment is None:
        raise not_found("payment")
    return payment


def _need_payment(payment: Line) -> None:
    if payment.of_payment_id is not None:
        raise _impossible("Only a charge or a tip can be given back or put right.", payment)


def _amount(text: str, currency: str) -> Decimal:
    need_decimals("amount", text, currency)
    return Decimal(text)


def _impossible(why: str, payment: Line, **amounts: Decimal) -> BarberProError:
    details: Json = {"paymentId": payment.payment_id, "kind": payment.kind}
    details |= {name: written(amount, payment.currency) for name, amount in amounts.items()}
    return BarberProError(ErrorCode.INVALID_TRANSITION, why, details)


def _replay(lines: list[Line], digest: str | None) -> Recorded:
    """What the same request wrote before. Raises IDEMPOTENCY_MISMATCH when it was another."""
    for line in lines:
        need_same(line.digest, digest)
    return {"payments": [told(line) for line in lines], "replayed": True}
