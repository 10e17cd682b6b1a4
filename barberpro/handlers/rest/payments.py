"""Payments: listed, recorded, given back, put right, and held against the bookings."""

from datetime import timedelta
from typing import Final, get_args

from aiohttp import web

from barberpro.domain import money
from barberpro.domain.money import Request
from barberpro.domain.periods import start_of, today
from barberpro.domain.policy import Action, require
from barberpro.domain.relations import to_shop
from barberpro.handlers.rest.context import identity, is_id, via_of
from barberpro.handlers.rest.lookup import shop_asked_for
from barberpro.handlers.rest.paging import cursor_after, query_cursor, query_date, query_moment
from barberpro.handlers.rest.parsing import (
    body,
    command_id_or_new,
    path_booking,
    query_count,
    query_id,
    query_word,
    validated,
)
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.services import SERVICES
from barberpro.protocol.actors import Role
from barberpro.protocol.commands import Method
from barberpro.protocol.currencies import written
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.money import (
    CorrectPayment,
    Discrepancy,
    Kind,
    Problem,
    Recorded,
    RecordPayment,
    RefundPayment,
)
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.catalogue import Shop
from barberpro.storage.ledger import find_line, search_lines
from barberpro.storage.reconciling import Discrepant, discrepancies

_IDS: Final = {"shopId": "shop_id", "barberId": "barber_id", "bookingId": "booking_id"}
_WORDS: Final = {"kind": ("kind", get_args(Kind)), "method": ("method", get_args(Method))}
QUERY: Final = (*_IDS, *_WORDS, "from", "to", "cursor", "limit")
RECONCILIATION_QUERY: Final = ("shopId", "problem", "from", "to", "cursor", "limit")
_LIMIT: Final = 50
_MOST: Final = 200
_MOST_DAYS: Final = 92


async def list_own(request: web.Request) -> Page:
    """GET /payments: the lines of a shop's ledger, the newest first. Admins, without `shopId`, see all shops'."""
    actor = identity(request).actor
    if actor.role is Role.ADMIN and "shopId" not in request.query:
        return await list_all(request)
    shop = await _shop(request)
    return await _listed(request, {**_filters(request), "shop_id": shop.shop_id})


async def list_all(request: web.Request) -> Page:
    """GET /admin/payments: the lines of all ledgers, the newest first."""
    return await _listed(request, _filters(request))


async def record(request: web.Request) -> Answer:
    """POST /payments/{bookingId}/record: a charge, and perhaps a tip."""
    booking_id, shop_id = path_booking(request)
    await _require(request, shop_id, Action.RECORD_PAYMENT, "booking")
    asked = validated(RecordPayment, await body(request))
    return _answer(await money.record(request.app[SERVICES].pool, _request(request), booking_id, asked))


async def refund(request: web.Request) -> Answer:
    """POST /payments/{paymentId}/refund: gives back a part of a charge or tip, or all that is left of it."""
    payment_id = await _payment(request, Action.REFUND_PAYMENT)
    asked = validated(RefundPayment, await body(request))
    return _answer(await money.refund(request.app[SERVICES].pool, _request(request), payment_id, asked))


async def correct(request: web.Request) -> Answer:
    """POST /payments/{paymentId}/correct: what a charge or tip should have been written down as."""
    payment_id = await _payment(request, Action.CORRECT_PAYMENT)
    asked = validated(CorrectPayment, await body(request))
    return _answer(await money.correct(request.app[SERVICES].pool, _request(request), payment_id, asked))


async def reconcile(request: web.Request) -> Page:
    """GET /payments/reconciliation: the bookings of the days `from` to `to`, by default today, that do not add up."""
    shop = await _shop(request)
    zone = shop.zone
    first = query_date(request, "from") or today(zone)
    last = query_date(request, "to") or max(first, today(zone))
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise bad_field("to", f"is before `from`, or {_MOST_DAYS} days or more after it")
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    found = await discrepancies(
        request.app[SERVICES].pool,
        shop.shop_id,
        start_of(first, zone),
        start_of(last + timedelta(days=1), zone),
        _problem(request),
        query_id(request, "cursor"),
        limit + 1,
    )
    cursor = found[limit - 1].booking_id if len(found) > limit else None
    meta = {"from": first.isoformat(), "to": last.isoformat(), "timeZone": zone.key}
    return Page([_discrepancy(each) for each in found[:limit]], cursor, meta)


async def _listed(request: web.Request, filters: dict[str, str]) -> Page:
    limit = query_count(request, "limit", _LIMIT, least=1, most=_MOST)
    since, until = query_moment(request, "from"), query_moment(request, "to")
    pool, before = request.app[SERVICES].pool, query_cursor(request)
    found = await search_lines(pool, filters, since, until, before, limit + 1)
    cursor = cursor_after(found[limit - 1].at, found[limit - 1].payment_id) if len(found) > limit else None
    return Page([money.told(line) for line in found[:limit]], cursor)


def _filters(request: web.Request) -> dict[str, str]:
    """By column. Raises BAD_REQUEST."""
    ids = {column: query_id(request, name) for name, column in _IDS.items()}
    words = {column: query_word(request, name, known) for name, (column, known) in _WORDS.items()}
    return {column: value for column, value in {**ids, **words}.items() if value is not None}


def _problem(request: web.Request) -> Problem | None:
    wanted = query_word(request, "problem", get_args(Problem))
    return next((problem for problem in get_args(Problem) if problem == wanted), None)


async def _shop(request: web.Request) -> Shop:
    return await shop_asked_for(request, query_id(request, "shopId"), Action.SEE_PAYMENTS)


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
