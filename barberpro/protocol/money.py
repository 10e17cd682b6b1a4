"""Payments, earnings and what does not add up: what is asked, and what is told.

Amounts are decimal strings with as many decimals as their currency has. Those of the ledger are signed: a refund is
below 0, so any of its lines may be added up.
"""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.calendar import LocalDay
from barberpro.protocol.commands import Method, Money, Reason, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Listing, Query, Whole
from barberpro.protocol.states import Date, Timestamp
from barberpro.protocol.times import Moment

Kind = Literal["charge", "tip", "refund", "correction"]
Purpose = Literal["service", "tip"]
PeriodName = Literal["day", "week", "month"]
Problem = Literal["unpaid", "difference", "no_visit"]


class RecordPayment(Wire):
    """The body of POST /payments/{bookingId}/record. tip: beside the amount, not a part of it."""

    method: Method
    amount: Money
    tip: Money | None = None


class RefundPayment(Wire):
    """The body of POST /payments/{id}/refund. amount: all that is left, when none is given."""

    amount: Money | None = None
    method: Method | None = None
    """How it is given back; as it was paid, when not given."""
    reason: Reason | None = None


class CorrectPayment(Wire):
    """The body of POST /payments/{id}/correct. amount: what it should have been; 0 when there was no payment."""

    amount: Money
    reason: Reason


class PaymentsQuery(Listing):
    """The parameters of GET /payments. from, to: when it was recorded; the end is not part of it."""

    shop_id: Id | None = None
    barber_id: Id | None = None
    booking_id: Id | None = None
    kind: Kind | None = None
    method: Method | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


class ReconciliationQuery(Query):
    """The parameters of GET /payments/reconciliation. from, to: days of the shop's, both counted; 92 at most."""

    shop_id: Id | None = None
    problem: Problem | None = None
    from_: Annotated[LocalDay | None, Field(alias="from")] = None
    to: LocalDay | None = None
    limit: Annotated[int, Field(ge=1, le=200), Whole] = 50
    cursor: Id | None = None


class PeriodQuery(Query):
    """The parameters of earnings and stats. date: a day of the period; today, by default."""

    period: PeriodName = "day"
    date: LocalDay | None = None


class LedgerLine(TypedDict):
    """purpose: what the money is for; of a refund or a correction, what its payment is for.

    ofPaymentId: the charge or tip that a refund gives back, or a correction puts right.
    """

    paymentId: Id
    kind: Kind
    purpose: Purpose
    shopId: Id
    barberId: Id
    bookingId: Id
    method: Method
    amount: str
    currency: str
    ofPaymentId: Id | None
    reason: str | None
    at: Timestamp
    recordedBy: str
    recordedByRole: str


class Recorded(TypedDict):
    """The lines that a request wrote. replayed: they were there before, from the same request."""

    payments: list[LedgerLine]
    replayed: bool


class Sums(TypedDict):
    """refunds and corrections: of charges and tips; refunds are below 0. total: the sum of these four.

    forServices, forTips: what the total is for.
    """

    charges: str
    tips: str
    refunds: str
    corrections: str
    total: str
    forServices: str
    forTips: str


class DaySums(Sums):
    date: Date


class ByMethod(TypedDict):
    cash: str
    card: str
    upi: str


class CurrencySums(Sums):
    """byMethod and days: parts of the total. Every day of the period is there."""

    currency: str
    byMethod: ByMethod
    days: list[DaySums]


PeriodTold = TypedDict("PeriodTold", {"period": PeriodName, "from": Date, "to": Date, "timeZone": str})
"""from, to: the first day and the last, both counted, by the clocks of the time zone."""


class Earnings(PeriodTold):
    """One entry for each currency, the shop's present one first."""

    barberId: Id
    earnings: list[CurrencySums]


class Discrepancy(TypedDict):
    """unpaid: completed for a price, and nothing in the ledger. difference: paid is not the price.

    no_visit: paid, not completed. paid: for services, refunds and corrections taken into account.
    """

    bookingId: Id
    problem: Problem
    barberId: Id | None
    status: str | None
    currency: str
    price: str | None
    paid: str
    difference: str
    endedAt: Timestamp | None


DaysTold = TypedDict("DaysTold", {"from": Date, "to": Date, "timeZone": str})
"""from, to: the first day and the last, both counted, by the clocks of the time zone."""
