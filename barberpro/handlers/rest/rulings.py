"""What a barber's calendar says of an appointed time, for the command that asks for it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from barberpro.domain.calendar import LOOK_AHEAD, Calendar, Problem, Sought, Span
from barberpro.handlers.closing import week_of
from barberpro.handlers.rest.lookup import view_of
from barberpro.handlers.services import Services
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.commands import RuledOut, Ruling
from barberpro.protocol.times import rfc3339_of
from barberpro.storage.calendars import Booked, Kept, read_calendar, read_with_appointments
from barberpro.storage.catalogue import Shop


def calendar_of(shop: Shop, kept: Kept) -> Calendar:
    """The barber's calendar on the shop's clock. Raises BAD_REQUEST, as Calendar.of."""
    return Calendar.of(kept.document, shop.zone, week_of(shop))


async def ruling_of(
    services: Services, shop: Shop, barber_id: str, at: datetime, minutes: int, besides: str | None = None
) -> Ruling:
    """Whether the barber is there, by their calendar as Postgres has it now.

    minutes: of the appointment. besides: the booking that is to be moved there. Raises what storage.postgres.Away
    lists.
    """
    kept = await read_calendar(services.pool, barber_id)
    calendar = calendar_of(shop, kept)
    problem = calendar.problem(at, minutes)
    if problem is None:
        return Ruling(revision=kept.revision)
    now = datetime.now(UTC)
    after = max(at, now)
    _, booked = await read_with_appointments(services.pool, barber_id, after, after + LOOK_AHEAD + timedelta(days=2))
    others = [each for each in booked if each.booking_id != besides]
    busy = await busy_spans(services, shop, barber_id, others)
    free = calendar.next_slot(after, Sought(minutes, shop.rules.slot_minutes, busy, now))
    return Ruling(revision=kept.revision, refusal=_refusal(barber_id, problem, free))


async def busy_spans(services: Services, shop: Shop, barber_id: str, booked: Iterable[Booked]) -> list[Span]:
    """What these appointments take of the barber's time, and those that have checked in and are still in the line."""
    spans = [(each.at, each.ends) for each in booked]
    view = await view_of(services, shop.shop_id)
    queue = view.queues.get(barber_id)
    for booking_id in (*queue.waiting, queue.next, queue.serving) if queue is not None else ():
        booking = view.bookings.get(booking_id, {}) if booking_id is not None else {}
        if "appointmentAt" in booking:
            start = datetime.fromtimestamp(booking["appointmentAt"] / 1000, UTC)
            spans.append((start, start + timedelta(minutes=booking["minutes"])))
    return spans


def _refusal(barber_id: str, problem: Problem, free: datetime | None) -> RuledOut:
    details = {
        "barberId": barber_id,
        "fields": [{"path": problem.path, "problem": problem.words}],
        "nextAvailableTime": rfc3339_of(free) if free is not None else None,
    }
    return RuledOut(code=ErrorCode.BARBER_UNAVAILABLE, details=details)
