"""The shop that is played, as `barberpro seed --json` prints it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Printed(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, coerce_numbers_to_str=True)


class Service(_Printed):
    service_id: str
    name: str
    price: str
    duration_minutes: Annotated[int, Field(ge=1)]


class Barber(_Printed):
    barber_id: str
    name: str
    services: Annotated[list[Service], Field(min_length=1)]

    @property
    def mean_minutes(self) -> float:
        return sum(service.duration_minutes for service in self.services) / len(self.services)


class Shop(_Printed):
    """`Shop.model_validate(document)` raises pydantic's ValidationError, which names what is wrong."""

    shop_id: str
    barbers: Annotated[list[Barber], Field(min_length=1)]

    @property
    def customers_per_hour(self) -> float:
        """How many the barbers can serve when none of them ever waits."""
        return sum(60 / barber.mean_minutes for barber in self.barbers)
