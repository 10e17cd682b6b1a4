"""Letters on their way, as administrators ask for them and see them."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query, Whole
from barberpro.protocol.states import Count, Timestamp

LetterStatus = Literal["waiting", "sent", "failed"]
LetterChannel = Literal["email", "sms"]


class LettersQuery(Query):
    """The parameters of GET /admin/letters."""

    status: LetterStatus | None = None
    channel: LetterChannel | None = None
    limit: Annotated[int, Field(ge=1, le=200), Whole] = 50
    cursor: Id | None = None


class LetterTold(TypedDict):
    """A letter, without what it says and to whom. reference: the provider's own word for it."""

    letterId: Id
    channel: LetterChannel
    template: str
    language: str
    status: LetterStatus
    attempts: Count
    problem: str | None
    reference: str | None
    createdAt: Timestamp
    nextAttemptAt: Timestamp | None
    settledAt: Timestamp | None
