"""Commands: the requests for a transition, as a client sends them.

`parse_command` is the one way in, for every door. Unknown, missing and ill-typed fields are refused by name.
"""

import re
import unicodedata
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import bad_field, bad_request
from barberpro.protocol.ids import Id

_UNSHOWABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: Postgres cannot hold NUL, the others forge log lines
    "\u2028\u2029\u202a-\u202e\u2066-\u2069"  # line breaks and direction overrides: they forge screens
    "\ud800-\udfff]"  # half a character: not UTF-8
)
BLANK: Final = frozenset(
    "\u115f\u1160\u2800\u3164\uffa0"  # fillers of Hangul, an empty cell of Braille
    "\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f"  # joins graphemes; vowels and variations that only sort or choose
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # selectors of variations
)
"""Letters, marks and symbols by their category, and yet nothing to be seen."""


def _showable(text: str) -> str:
    if _UNSHOWABLE.search(text):
        raise ValueError("has a character that cannot be shown, such as a line break or a control character")
    # A letter, a number, punctuation or a symbol. Joiners of zero width have their place between letters, not alone.
    if not any(unicodedata.category(each)[0] in "LNPS" and each not in BLANK for each in text):
        raise ValueError("has no character that can be seen")
    return text


def _each_once(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise ValueError("names something more than once")
    return ids


Showable: Final = AfterValidator(_showable)
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), Showable]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Showable]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), Showable]
ServiceIds = Annotated[list[Id], Field(min_length=1, max_length=10), AfterValidator(_each_once)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ().-]{3,30}$")]
Money = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
"""An amount. How many decimals its currency has only the shop tells."""


class Wire(BaseModel):
    """Base of everything that comes in: camelCase, strict types, nothing unknown."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, serialize_by_alias=True
    )


class Expect(Wire):
    """What the caller saw; when it no longer holds, the command is refused with STALE_STATE.

    A `servingBookingId` of null says that the caller saw nobody being served.
    """

    seq: Annotated[int, Field(ge=0)] | None = None
    serving_booking_id: Id | None = None


class Customer(Wire):
    name: Name
    phone: Phone | None = None


Method = Literal["cash", "card", "upi"]


class Payment(Wire):
    """amount: for the services. tip: beside it, not a part of it."""

    method: Method
    amount: Money
    tip: Money | None = None


class Command(Wire):
    """What all commands share. Any command may be sent again with its id."""

    command_id: Id
    expect: Expect | None = None
    type: str


class OnQueue(Command):
    """Names the queue, by its barber."""

    barber_id: Id


class OnBooking(Command):
    booking_id: Id


class OnEither(Command):
    """Names the queue, or the booking in it; one of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"properties": {name: {"type": "string"}}, "required": [name]} for name in ("barberId", "bookingId")
            ]
        }
    )

    barber_id: Id | None = None
    booking_id: Id | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.barber_id is None) == (self.booking_id is None):
            raise ValueError("give either barberId or bookingId")
        return self


class Join(OnQueue):
    type: Literal["join"]
    service_ids: ServiceIds
    customer: Customer | None = None
    notes: Notes | None = None


class RuledOut(Wire):
    """Why a calendar has no room for an appointment."""

    code: ErrorCode
    details: dict[str, Any]


class Ruling(Wire):
    """What a barber's calendar says of an appointed time. The door finds it out; no client sends it.

    revision: of that calendar; 0 while the barber has none.
    """

    revision: Annotated[int, Field(ge=0)]
    refusal: RuledOut | None = None


class Schedule(OnQueue):
    """An appointment. Sent through `POST /api/v1/bookings` only; `at` is the appointed time.

    calendar: None where no calendar counts.
    """

    type: Literal["schedule"]
    service_ids: ServiceIds
    at: AwareDatetime
    calendar: Ruling | None = None
    customer: Customer | None = None
    notes: Notes | None = None


class Reschedule(OnBooking):
    """Another time for an appointment. Sent through `PATCH /api/v1/bookings/{id}` only. calendar: as of Schedule."""

    type: Literal["reschedule"]
    at: AwareDatetime
    calendar: Ruling | None = None


class CheckIn(OnBooking):
    type: Literal["check_in"]


class Start(OnEither):
    type: Literal["start"]


class Complete(OnEither):
    type: Literal["complete"]
    payment: Payment | None = None


class Advance(OnQueue):
    type: Literal["advance"]
    payment: Payment | None = None


class Skip(OnBooking):
    type: Literal["skip"]
    reason: Reason | None = None


class NoShow(OnBooking):
    type: Literal["no_show"]


class Recall(OnBooking):
    type: Literal["recall"]
    to: Literal["front", "back"]


class StepBack(OnBooking):
    type: Literal["step_back"]
    places: Annotated[int, Field(ge=1, le=1000)]


class Move(OnBooking):
    """`position` counts as in the states: 1 is `next`, so 2 is the first who waits."""

    type: Literal["move"]
    position: Annotated[int, Field(ge=2, le=10_000)]
    reason: Reason


class Transfer(OnBooking):
    type: Literal["transfer"]
    to_barber_id: Id


class Cancel(OnBooking):
    type: Literal["cancel"]
    reason: Reason | None = None


class Open(OnQueue):
    type: Literal["open"]


class Pause(OnQueue):
    type: Literal["pause"]
    reason: Reason | None = None


class Close(OnQueue):
    type: Literal["close"]
    waiting: Literal["keep", "cancel"]


AnyCommand = (
    Join | CheckIn | Start | Complete | Advance | Skip | NoShow | Recall | StepBack | Move | Transfer | Cancel
    | Open | Pause | Close
)  # fmt: skip
"""Every command that a client may send; Schedule and Reschedule have doors of their own."""

COMMAND_TYPES: Final = tuple(
    str(member.model_fields["type"].annotation.__args__[0])  # the one word of the Literal
    for member in AnyCommand.__args__
)

CommandRequest = Annotated[AnyCommand, Field(discriminator="type")]
_COMMANDS: Final[TypeAdapter[AnyCommand]] = TypeAdapter(CommandRequest)


def parse_command(document: object) -> AnyCommand:
    """The command that a JSON document holds.

    Raises BarberProError(BAD_REQUEST); details.fields names each field and its problem.
    """
    if not isinstance(document, dict):
        raise bad_field("(body)", "is not a JSON object")
    if "type" not in document:
        raise bad_field("type", "is missing")
    if document["type"] not in COMMAND_TYPES:
        raise bad_field("type", f"is none of {', '.join(COMMAND_TYPES)}")
    try:
        return _COMMANDS.validate_python(document)
    except ValidationError as error:
        raise bad_request(error, drop_prefix=1) from None
