"""When a barber works, and which times can be booked."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from barberpro.domain import availability
from barberpro.domain.calendar import Calendar, Sought
from barberpro.domain.policy import Action, Relation, require
from barberpro.handlers.rest.context import identity, via_of
from barberpro.handlers.rest.parsing import asked, body, path_id, validated
from barberpro.handlers.rest.replies import Answer, Page
from barberpro.handlers.rest.rulings import busy_spans, calendar_of
from barberpro.handlers.services import SERVICES, Services
from barberpro.protocol.calendar import Availability, ChangeAvailability, Conflict, Slot, SlotsMeta, SlotsQuery
from barberpro.protocol.errors import bad_field, not_found
from barberpro.protocol.times import rfc3339_of
from barberpro.queue.calls import chosen_services
from barberpro.storage.calendars import Booked, Kept, read_with_appointments
from barberpro.storage.catalogue import Barber, Shop


async def show(request: web.Request) -> Answer:
    """GET /barbers/me/availability."""
    shop, barber = await _own(request, Action.SEE_AVAILABILITY)
    pool = request.app[SERVICES].pool
    return Answer(_told(shop, barber, *await read_with_appointments(pool, barber.barber_id, datetime.now(UTC))))


async def change(request: web.Request) -> Answer:
    """PATCH /barbers/me/availability: the answer has every appointment to come that conflicts with it.

    None can follow by the old one: the engine is told first, and what it took until then is durable before we look.
    """
    shop, barber = await _own(request, Action.CHANGE_AVAILABILITY)
    wanted = validated(ChangeAvailability, await body(request))
    calendar_of(shop, Kept(wanted.model_dump(exclude={"revision"}), 0))
    services, actor = request.app[SERVICES], identity(request).actor
    kept = await availability.change(services.pool, actor, shop.shop_id, barber.barber_id, wanted, via_of(request))
    await services.engine.calendar_changed(shop.shop_id, barber.barber_id, kept.revision)
    _, booked = await read_with_appointments(services.pool, barber.barber_id, datetime.now(UTC))
    return Answer(_told(shop, barber, kept, booked))


async def slots(request: web.Request) -> Page:
    """GET /barbers/{barberId}/slots: the times of a day that can be booked; for the services, or the shortest one."""
    services, barber_id = request.app[SERVICES], path_id(request, "barberId", "barber")
    shop, barber = await _found(services, barber_id)
    query = asked(SlotsQuery, request)
    day, minutes = date.fromisoformat(query.date), _minutes(query, barber)
    # No zone is a whole day away from UTC; and what begins on that day may end on a later one.
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    until = midnight + timedelta(days=3, minutes=minutes)
    kept, booked = await read_with_appointments(services.pool, barber_id, midnight - timedelta(days=1), until)
    calendar = calendar_of(shop, kept)
    busy = await busy_spans(services, shop, barber_id, booked)
    sought = Sought(minutes, shop.rules.slot_minutes, busy, datetime.now(UTC))
    rows: list[object] = [_slot(calendar, at, minutes) for at in calendar.slots(day, sought)]
    meta: SlotsMeta = {"date": day.isoformat(), "timeZone": shop.time_zone, "durationMinutes": minutes}
    return Page(rows, meta=meta)


async def _own(request: web.Request, action: Action) -> tuple[Shop, Barber]:
    actor = identity(request).actor
    if actor.barber_id is None:
        raise not_found("barber")
    require(actor, action, Relation.OWNER, "barber")
    return await _found(request.app[SERVICES], actor.barber_id)


async def _found(services: Services, barber_id: str) -> tuple[Shop, Barber]:
    """Raises NOT_FOUND when there is no such barber, or none any more."""
    barber = await services.catalogue.barber(barber_id)
    shop = await services.catalogue.shop(barber.shop_id) if barber is not None else None
    if shop is None or barber is None:
        raise not_found("barber")
    return shop, barber


def _told(shop: Shop, barber: Barber, kept: Kept, booked: Iterable[Booked]) -> Availability:
    document = kept.document
    return {
        "barberId": barber.barber_id,
        "timeZone": shop.time_zone,
        "shifts": document["shifts"],
        "breaks": document["breaks"],
        "exceptions": document["exceptions"],
        "daysOff": document["daysOff"],
        "revision": kept.revision,
        "conflicts": _conflicts(calendar_of(shop, kept), booked),
    }


def _conflicts(calendar: Calendar, booked: Iterable[Booked]) -> list[Conflict]:
    found: list[Conflict] = []
    for each in booked:
        problem = calendar.problem(each.at, each.minutes)
        if problem is not None:
            found.append(
                {
                    "bookingId": each.booking_id,
                    "startsAt": rfc3339_of(each.at),
                    "endsAt": rfc3339_of(each.ends),
                    "customerName": each.customer_name,
                    "problem": problem.kind,
                }
            )
    return found


def _slot(calendar: Calendar, at: datetime, minutes: int) -> Slot:
    there = at.astimezone(calendar.zone)
    return {
        "bookingDate": there.date().isoformat(),
        "preferredTime": f"{there:%H:%M}",
        "startsAt": rfc3339_of(at),
        "endsAt": rfc3339_of(at + timedelta(minutes=minutes)),
    }


def _minutes(query: SlotsQuery, barber: Barber) -> int:
    """How long the services take that the query names, separated by commas."""
    if query.service_ids is not None:
        chosen = chosen_services(barber, query.service_ids.split(","))
        return sum(service.duration_minutes for service in chosen)
    if not barber.services:
        raise bad_field("serviceIds", "is missing: this barber has no services")
    return min(service.duration_minutes for service in barber.services.values())
