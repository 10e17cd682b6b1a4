"""Shops, what they offer and their barbers: what is asked for, and what is told.

In what changes something, a field that is left out stays as it is; null empties one that may be empty. The defaults of
such fields are never read: the model tells which fields were given.
"""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from barberpro.protocol.commands import Money, Name, Notes, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Flag, Listing
from barberpro.protocol.states import Service, Timestamp

Address = Notes
"""A postal address, in one line."""
TimeZone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Minutes = Annotated[int, Field(ge=1, le=600)]
Clock = Annotated[str, StringConstraints(pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Span = Annotated[list[Clock], Field(min_length=2, max_length=2)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = Annotated[
    dict[Day, Annotated[list[Span], Field(max_length=8)]],
    Field(examples=[{"mon": [["09:00", "13:00"], ["14:00", "18:00"]], "sun": []}]),
]
"""A week on the shop's clock; a day that is left out has no hours."""


def _picture(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("is no address such as https://pictures.example/asha.jpg")
    return url


PhotoUrl = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,500}$"), AfterValidator(_picture)]


class ShopSettings(Wire):
    """graceMinutes: how long whoever is next may keep a free chair waiting; 0: for ever. closingCutoff: nobody joins
    who is likely to be done (P90) only after the day's closing.
    """

    queue_capacity: Annotated[int, Field(ge=1, le=10_000)] = 100
    remote_join: bool = True
    grace_minutes: Annotated[float, Field(ge=0, le=1440, allow_inf_nan=False)] = 5
    grace_action: Literal["skip", "no_show"] = "skip"
    max_skips: Annotated[int, Field(ge=0, le=100)] = 2
    late_minutes: Annotated[float, Field(ge=0, le=1440, allow_inf_nan=False)] = 15
    public_display: bool = True
    closing_cutoff: bool = True
    slot_minutes: Annotated[int, Field(ge=5, le=240)] = 15
    change_notice_minutes: Annotated[int, Field(ge=0, le=10_080)] = 0


class _Placed(Wire):
    """latitude and longitude: degrees (WGS 84), given together."""

    address: Address | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    opening_hours: Hours | None = None
    settings: ShopSettings = Field(default_factory=ShopSettings)

    @model_validator(mode="after")
    def _both(self) -> Self:
        given = self.model_fields_set & {"latitude", "longitude"}
        if len(given) == 1 or (self.latitude is None) != (self.longitude is None):
            raise ValueError("give both latitude and longitude, or neither")
        return self


class CreateShop(_Placed):
    """barberName: of a barber who makes a shop and works in no other; by default the account's name."""

    name: Name
    time_zone: TimeZone
    currency: Currency
    barber_name: Name | None = None


class ChangeShop(_Placed):
    """The currency stays what it is: prices and payments are in it."""

    name: Name = Field(default_factory=str)
    time_zone: TimeZone = Field(default_factory=str)


class CreateService(Wire):
    name: Name
    price: Money
    duration_minutes: Minutes


class ChangeService(Wire):
    """active: whether anybody offers it at all."""

    name: Name = Field(default_factory=str)
    price: Money = Field(default_factory=str)
    duration_minutes: Minutes = Field(default_factory=int)
    active: bool = Field(default_factory=bool)


class ChangeOffer(Wire):
    """How one barber offers a service; whole: what is left out is as the shop has it."""

    offered: bool
    price: Money | None = None
    duration_minutes: Minutes | None = None


class ChangeBarber(Wire):
    name: Name = Field(default_factory=str)
    photo_url: PhotoUrl | None = None


class SettingsTold(TypedDict):
    queueCapacity: int
    remoteJoin: bool
    graceMinutes: float
    graceAction: Literal["skip", "no_show"]
    maxSkips: int
    lateMinutes: float
    publicDisplay: bool
    closingCutoff: bool
    slotMinutes: int
    changeNoticeMinutes: int


class BarberTold(TypedDict):
    """services: at this barber's own prices and minutes."""

    barberId: Id
    shopId: Id
    name: str
    photoUrl: str | None
    services: list[Service]


class ShopTold(TypedDict):
    """A shop, for everybody. openNow, closesAt: by its opening hours, null when it has told none; closesAt: of the last
    hours of this day, null on a day without any.
    """

    shopId: Id
    name: str
    timeZone: str
    currency: str
    address: str | None
    latitude: float | None
    longitude: float | None
    openingHours: dict[Day, list[list[str]]] | None
    openNow: bool | None
    closesAt: Timestamp | None
    settings: SettingsTold
    barbers: list[BarberTold]


class OfferTold(TypedDict):
    """price, durationMinutes: null where they are the shop's."""

    barberId: Id
    serviceId: Id
    offered: bool
    price: str | None
    durationMinutes: int | None


class ServiceTold(Service):
    """offers: of each barber of the shop."""

    active: bool
    offers: list[OfferTold]


class AdminShopTold(TypedDict):
    """A shop, in the list for administrators, with what goes on there at this moment. barbers: those who work there."""

    shopId: Id
    name: str
    timeZone: str
    currency: str
    barbers: int
    openQueues: int
    waiting: int
    serving: int
    createdAt: Timestamp


class AdminBarberTold(TypedDict):
    """A barber, in the list for administrators."""

    barberId: Id
    shopId: Id
    shopName: str
    name: str
    photoUrl: str | None
    active: bool
    userId: Id | None
    createdAt: Timestamp


class ShopsQuery(Listing):
    """The parameters of GET /admin/shops. name: a part of it."""

    name: Name | None = None


class BarbersQuery(Listing):
    """The parameters of GET /admin/barbers. name: a part of it."""

    shop_id: Id | None = None
    active: Flag | None = None
    name: Name | None = None
