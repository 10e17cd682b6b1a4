"""Finding a barber: what is searched for, and what is found."""

from typing import (
    Annotated,
    Literal,
    NotRequired,  # pydantic takes no other before Python 3.12
)

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from barberpro.protocol.commands import Name
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Cursor, Flag, Number, Query, Whole
from barberpro.protocol.states import Count, EstimatedWait, QueueStatus, Service, Timestamp
from barberpro.protocol.times import Moment

SortBy = Literal["distance", "wait", "rating"]


def _to_eleven_metres(degrees: float) -> float:
    """No search needs more, and those who stand together ask for the same."""
    return round(degrees, 4)


_Rounded = AfterValidator(_to_eleven_metres)
"""Behind the bounds: before them, pydantic's schema would not tell them."""


class SearchQuery(Query):
    """The parameters of GET /barbers/search. All that are given have to fit.

    lat, lng, radiusKm: near this place. q: words in the names of barber, shop and services; service: in those of the
    services alone. freeAt, freeMinutes: the barber works then, and has no appointment that stands in the way. sort: by
    distance where a place is given, else by rating.
    """

    lat: Annotated[float, Field(ge=-90, le=90), _Rounded, Number] | None = None
    lng: Annotated[float, Field(ge=-180, le=180), _Rounded, Number] | None = None
    radius_km: Annotated[float, Field(ge=0.1, le=500), Number] | None = None
    q: Name | None = None
    service: Name | None = None
    open_now: Flag = False
    free_at: Moment | None = None
    free_minutes: Annotated[int, Field(ge=5, le=600), Whole] = 30
    min_rating: Annotated[float, Field(ge=1, le=5), Number] | None = None
    sort: SortBy | None = None
    limit: Annotated[int, Field(ge=1, le=50), Whole] = 20
    cursor: Cursor | None = None


class Place(TypedDict):
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


class RatingSummary(TypedDict):
    """average: of all that are not hidden, to two places; null while there are none."""

    average: str | None
    count: Count


class FoundBarber(TypedDict):
    """A barber, for everybody. openNow: the line takes people, within the shop's hours where it has told them.

    estimatedWait: of whoever would join now; null while the line is closed.
    """

    barberId: Id
    barberName: str
    photoUrl: str | None
    shopId: Id
    shopName: str
    place: Place | None
    queueStatus: QueueStatus
    openNow: bool
    waitingCount: Count
    estimatedWait: EstimatedWait | None
    rating: RatingSummary
    currency: str
    services: list[Service]
    distanceKm: NotRequired[float]


class SearchMeta(TypedDict):
    """asOf: everything that happened before is in the answer; less than five seconds ago."""

    asOf: Timestamp
