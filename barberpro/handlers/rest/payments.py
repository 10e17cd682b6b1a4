"""Payments: listed, recorded, given back, put right, and held against the bookings."""

from datetime import date, timedelta
from typing import Final

from aiohttp import web

from barberpro.domain import money
from barberpro.domain.money import Request
from barberpro.domain.periods import start_of, today
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_shop
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.lookup import shop_asked_for
from barberpro.handlers.rest.paging import cursor_after, cursor_of
from barberpro.handlers.rest.parsing import asked, body, command_id_or_new, path_booking, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Role
from barberpro.protocol.currencies import written
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.money import (
    CorrectPayment,
    DaysTold,
    Discrepancy,
    PaymentsQuery,
    ReconciliationQuery,
    Recorded,
    RecordPayment,
    RefundPayment,
)
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.ledger import find_line, search_lines
from barberpro.storage.reconciling import Discrepant, discrepancies

_MOST_DAYS: Final = 92


async def list_own(request: web.Request) -> Page:
    """GET /payments: the lines of a shop's ledger, the newest first. Admins, without `shopId`, see all shops'."""
    actor = identity(request).actor
    query = asked(PaymentsQuery, request)
    if actor.role is Role.ADMIN and query.shop_id is None:
        return await _listed(request, query, None)
    shop = await shop_asked_for(request, query.shop_id, Action.SEE_PAYMENTS)
    return await _listed(request, query, shop.shop_id)


async def list_all(request: web.Request) -> Page:
    """GET /admin/payments: the lines of all ledgers, the newest first."""
    query = asked(PaymentsQuery, request)
    return await _listed(request, query, query.shop_id)


async def record(request: web.Request) -> Answer:
    """POST /payments/{bookingId}/record: a charge, and perhaps a tip."""
    booking_id, shop_id = path_booking(request)
    await _require(request, shop_id, Action.RECORD_PAYMENT, "booking")
    wanted = validated(RecordPayment, await body(request))
    return _answer(await money.record(request.app[SERVICES].pool, _request(request), booking_id, wanted))


async def refund(request: web.Request) -> Answer:
    """POST /payments/{paymentId}/refund: gives back a part of a charge or tip, or all that is left of it."""
    payment_id = await _payment(request, Action.REFUND_PAYMENT)
    wanted = validated(RefundPayment, await body(request))
    return _answer(await money.refund(request.app[SERVICES].pool, _request(request), payment_id, wanted))


async def correct(request: web.Request) -> Answer:
    """POST /payments/{paymentId}/correct: what a charge or tip should have been written down as."""
    payment_id = await _payment(request, Action.CORRECT_PAYMENT)
    wanted = validated(CorrectPayment, await body(request))
    return _answer(await money.correct(request.app[SERVICES].pool, _request(request), payment_id, wanted))


async def reconcile(request: web.Request) -> Page:
    """GET /payments/reconciliation: the bookings of the days `from` to `to`, by default today, that do not add up."""
    query = asked(ReconciliationQuery, request)
    shop = await shop_asked_for(request, query.shop_id, Action.SEE_PAYMENTS)
    zone = shop.zone
    first = date.fromisoformat(query.from_) if query.from_ is not None else today(zone)
    last = date.fromisoformat(query.to) if query.to is not None else max(first, today(zone))
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise bad_field("to", f"is before `from`, or {_MOST_DAYS} days or more after it")
    limit = query.limit
    found = await discrepancies(
        request.app[SERVICES].pool,
        shop.shop_id,
        start_of(first, zone),
        start_of(last + timedelta(days=1), zone),
        query.problem,
        query.cursor,
        limit + 1,
    )
    cursor = found[limit - 1].booking_id if len(found) > limit else None
    meta: DaysTold = {"from": first.isoformat(), "to": last.isoformat(), "timeZone": zone.key}
    return Page([_discrepancy(each) for each in found[:limit]], cursor, meta)


async def _listed(request: web.Request, query: PaymentsQuery, shop_id: str | None) -> Page:
    wanted = {
        "shop_id": shop_id,
        "barber_id": query.barber_id,
        "booking_id": query.booking_id,
        "kind": query.kind,
        "method": query.method,
    }
    filters = {column: value for column, value in wanted.items() if value is not None}
    pool, limit = request.app[SERVICES].pool, query.limit
    found = await search_lines(pool, filters, query.from_, query.to, cursor_of(query.cursor), limit + 1)
    cursor = cursor_after(found[limit - 1].at, found[limit - 1].payment_id) if len(found) > limit else None
    return Page([money.told(line) for line in found[:limit]], cursor)


async def _payment(request: web.Request, action: Action) -> str:
    """The payment that the path names, for whoever may do this with it. Raises NOT_FOUND."""
    payment_id = request.match_info["paymentId"]
    line = await find_line(request.app[SERVICES].pool, payment_id) if is_id(payment_id) else None
    if line is None:
        raise not_found("payment")
    await _require(request, line.shop_id, action, "payment")
    return payment_id


async def _require(request: web.Request, shop_id: str, action: Action, resource: str) -> None:
    shop = await request.app[SERVICES].catalogue.shop(shop_id)
    if shop is None:
        raise not_found(resource)
    actor = identity(request).actor
    require(actor, action, to_shop(actor, shop), resource)


def _request(request: web.Request) -> Request:
    return Request(identity(request).actor, via_of(request), command_id_or_new(request))


def _answer(recorded: Recorded) -> Answer:
    return Answer(recorded, 200 if recorded["replayed"] else 201)


def _discrepancy(each: Discrepant) -> Discrepancy:
    owed = each.price if each.price is not None and each.status == "completed" else 0
    return {
        "bookingId": each.booking_id,
        "problem": each.problem,
        "barberId": each.barber_id,
        "status": each.status,
        "currency": each.currency,
        "price": written(each.price, each.currency) if each.price is not None else None,
        "paid": written(each.paid, each.currency),
        "difference": written(each.paid - owed, each.currency),
        "endedAt": rfc3339_of(each.ended_at) if each.ended_at is not None else None,
    }
