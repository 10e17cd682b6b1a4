"""What customers say of a visit: asked and told."""

from typing import (
    Annotated,
    NotRequired,  # pydantic takes no other before Python 3.12
    Self,
)

from pydantic import Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from barberpro.protocol.commands import Reason, Showable, Wire
from barberpro.protocol.find import RatingSummary
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query, Whole
from barberpro.protocol.states import Timestamp

Stars = Annotated[int, Field(ge=1, le=5)]
ReviewText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), Showable]


class Rate(Wire):
    """The body of POST /bookings/{bookingId}/rate."""

    rating: Stars
    review: ReviewText | None = None


class AnswerReview(Wire):
    """The body of PUT /reviews/{reviewId}/answer. null takes the answer back."""

    text: ReviewText | None


class ModerateReview(Wire):
    """The body of PATCH /admin/reviews/{reviewId}. To hide one takes a reason."""

    hidden: bool
    reason: Reason | None = None

    @model_validator(mode="after")
    def _reason_to_hide(self) -> Self:
        if self.hidden != (self.reason is not None):
            raise ValueError("give a reason to hide it, and none to show it again")
        return self


class ReviewsQuery(Query):
    """The parameters of GET /barbers/{barberId}/reviews."""

    limit: Annotated[int, Field(ge=1, le=100), Whole] = 20
    cursor: Id | None = None


class ReviewAnswer(TypedDict):
    """What the shop says to it."""

    text: str
    at: Timestamp


class Hidden(TypedDict):
    reason: str
    at: Timestamp
    by: str


class Review(TypedDict):
    """A rating with what was said, for everybody: it names nobody. hidden: for admins alone; null: it is shown."""

    reviewId: Id
    rating: Stars
    text: str | None
    at: Timestamp
    answer: ReviewAnswer | None
    hidden: NotRequired[Hidden | None]


class Rated(TypedDict):
    """The rating that was given, and what those of the barber come to with it."""

    reviewId: Id
    bookingId: Id
    barberId: Id
    rating: Stars
    text: str | None
    at: Timestamp
    barberRating: RatingSummary
