"""Barbers, for everybody; and when they work."""

from typing import Final

from barberpro.domain.policy import Action
from barberpro.handlers.rest import barbers, calendar, shops
from barberpro.handlers.rest.operations import V1, Operation, get, patch
from barberpro.protocol.calendar import Availability, ChangeAvailability, Slot, SlotsMeta, SlotsQuery
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.find import FoundBarber, SearchMeta, SearchQuery
from barberpro.protocol.ratings import Review, ReviewsQuery
from barberpro.protocol.shops import BarberTold, ChangeBarber

_BARBERS: Final = f"{V1}/barbers"
_MISSING: Final = (ErrorCode.NOT_FOUND,)

ROUTES: Final[tuple[Operation, ...]] = (
    get(
        f"{_BARBERS}/search",
        "search_barbers",
        barbers.search,
        Action.FIND_BARBERS,
        query=SearchQuery,
        tells=list[FoundBarber],
        meta=SearchMeta,
    ),
    # aiohttp prefers a fixed path to one with a name in it, whatever their order here.
    get(f"{_BARBERS}/{{barberId}}", "get_barber", barbers.show, Action.FIND_BARBERS, tells=FoundBarber),
    get(
        f"{_BARBERS}/{{barberId}}/reviews",
        "list_reviews",
        barbers.reviews,
        Action.FIND_BARBERS,
        query=ReviewsQuery,
        tells=list[Review],
    ),
    get(
        f"{_BARBERS}/{{barberId}}/slots",
        "list_slots",
        calendar.slots,
        Action.SEE_SLOTS,
        query=SlotsQuery,
        tells=list[Slot],
        meta=SlotsMeta,
    ),
    patch(
        f"{_BARBERS}/me",
        "change_barber",
        shops.change_barber,
        Action.CHANGE_OWN_BARBER,
        takes=ChangeBarber,
        tells=BarberTold,
        refuses=_MISSING,
        example={"name": "Ravi", "photoUrl": "https://pictures.example/ravi.jpg"},
    ),
    get(
        f"{_BARBERS}/me/availability",
        "get_availability",
        calendar.show,
        Action.SEE_AVAILABILITY,
        tells=Availability,
        refuses=_MISSING,
    ),
    patch(
        f"{_BARBERS}/me/availability",
        "change_availability",
        calendar.change,
        Action.CHANGE_AVAILABILITY,
        takes=ChangeAvailability,
        tells=Availability,
        refuses=(*_MISSING, ErrorCode.STALE_STATE),
        example={"shifts": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]]}, "daysOff": ["2026-12-25"]},
    ),
)
