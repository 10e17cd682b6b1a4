"""Reports: what was done in a time, for barbers and administrators, and as files."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from barberpro.protocol.commands import Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.money import CurrencySums, PeriodQuery, PeriodTold
from barberpro.protocol.queries import Listing, Query, Whole
from barberpro.protocol.states import BookingStatus, Count, Date, Timestamp
from barberpro.protocol.times import Moment

ReportName = Literal["bookings", "payments", "earnings", "reconciliation"]
ReportFormat = Literal["csv", "pdf"]
ExportStatus = Literal["waiting", "running", "done", "failed"]
Day = Annotated[str, StringConstraints(pattern=r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}$")]


class AnalyticsQuery(PeriodQuery):
    """The parameters of GET /admin/analytics. shopId: without one, all shops, by the days of UTC."""

    shop_id: Id | None = None


class SearchBookingsQuery(Listing):
    """The parameters of GET /admin/bookings. from, to: when they ended."""

    booking_id: Id | None = None
    shop_id: Id | None = None
    barber_id: Id | None = None
    customer_id: Id | None = None
    status: BookingStatus | None = None
    kind: Literal["walk_in", "appointment"] | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


class ExportsQuery(Query):
    """The parameters of GET /admin/reports/exports."""

    limit: Annotated[int, Field(ge=1, le=200), Whole] = 50
    cursor: Id | None = None


class Visits(TypedDict):
    """noShows: of those that ended then. serviceMinutes: in the chair; plannedMinutes: of the same visits.

    averageWaitMinutes: from joining to the chair, of those completed; null when there was none.
    """

    completed: Count
    walkIns: Count
    appointments: Count
    cancelled: Count
    noShows: Count
    serviceMinutes: Count
    plannedMinutes: Count
    averageWaitMinutes: float | None


class DayVisits(Visits):
    date: Date


class Promised(TypedDict):
    """Waits as they were told at joining, of those who were served and kept their place.

    withinP50, withinP90: how many waited no longer than that. complete: whether all of the time's events are still
    kept; without, the older ones are not counted.
    """

    promised: Count
    withinP50: Count
    withinP90: Count
    complete: bool


class Stats(PeriodTold, Visits):
    barberId: Id
    waits: Promised
    days: list[DayVisits]
    """Every day of the period."""


class Live(TypedDict):
    """What goes on at this moment."""

    shops: Count
    barbers: Count
    openQueues: Count
    waiting: Count
    serving: Count
    scheduled: Count


class ServiceDone(TypedDict):
    """How often it was done. plannedMinutes: as it was offered, all of them together."""

    name: str
    completed: Count
    plannedMinutes: Count


class Analytics(PeriodTold, Visits):
    """shopId: null for all shops; then days are those of UTC.

    arrivals: how many joined the line in each hour of the clock, 24 of them. services: the most frequent first.
    """

    shopId: Id | None
    earnings: list[CurrencySums]
    now: Live
    arrivals: list[Count]
    services: list[ServiceDone]
    days: list[DayVisits]


class DayPromised(TypedDict):
    """Of those who joined that day."""

    date: Date
    promised: Count
    withinP50: Count
    withinP90: Count


class PromisedByDay(Promised):
    days: list[DayPromised]


class ShopAnalytics(Analytics):
    """waits: of the lines of those who work there now."""

    waits: PromisedByDay


class BookingRow(TypedDict):
    """A booking in a list for administrators."""

    bookingId: Id
    shopId: Id
    shopName: str
    barberId: Id
    barberName: str
    customerId: str | None
    customerName: str | None
    kind: str
    status: BookingStatus
    tokenNumber: Count | None
    businessDate: Date | None
    totalPrice: str
    currency: str
    durationMinutes: Count
    createdAt: Timestamp
    appointmentAt: Timestamp | None
    startedAt: Timestamp | None
    endedAt: Timestamp | None
    endReason: str | None
    cancelledBy: str | None
    paid: str
    """For services and tips, refunds and corrections taken into account."""


class ExportReport(Wire):
    """The body of POST /admin/reports/export.

    from, to: days, both counted, by the clocks of the shop; without a shop, of UTC. shopId: needed for reconciliation.
    """

    report: ReportName
    format: ReportFormat
    from_: Annotated[Day, Field(alias="from")]
    to: Day
    shop_id: Id | None = None


class Export(TypedDict):
    """rowsDone: in the file so far. bytes, url: null until it is there. url: where the file is, until it expires.

    problem: why it failed, in words that name nobody.
    """

    exportId: Id
    report: ReportName
    format: ReportFormat
    status: ExportStatus
    rowsDone: Count
    bytes: Count | None
    problem: str | None
    createdAt: Timestamp
    endedAt: Timestamp | None
    expiresAt: Timestamp
    url: str | None


class FailedJob(TypedDict):
    """problem: the name of the error."""

    jobId: str
    kind: str
    at: Timestamp
    problem: str | None


class JobKind(TypedDict):
    """waiting, running: at this moment. overdueSeconds: for how long the first that is due has been so; null: none is.

    done, failed: in the last 24 hours.
    """

    kind: str
    waiting: Count
    running: Count
    overdueSeconds: float | None
    done: Count
    failed: Count


class JobsTold(TypedDict):
    kinds: list[JobKind]
    failures: list[FailedJob]
    """The last ones, the newest first."""
