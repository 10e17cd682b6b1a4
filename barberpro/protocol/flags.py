"""Feature flags: what is asked for, and what is told."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from barberpro.protocol.commands import Reason, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query, Whole
from barberpro.protocol.states import Timestamp

FLAG_PATTERN: Final = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"


class ChangeFlag(Wire):
    """Who sees it: so many percent of all users, and the target users besides. Whole: 0 and nobody switch it off."""

    description: Reason | None = None
    percentage: Annotated[int, Field(ge=0, le=100)] = 0
    target_users: Annotated[list[Id], Field(max_length=1000), AfterValidator(sorted)] = Field(default_factory=list)


class FlagsQuery(Query):
    """The parameters of GET /admin/flags. userId: tells of each whether that user sees it, and why."""

    user_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=500), Whole] = 100
    cursor: Annotated[str, Field(pattern=f"^{FLAG_PATTERN}$")] | None = None


class SeenTold(TypedDict):
    """Whether a user sees a flag, and why."""

    userId: Id
    on: bool
    why: Literal["target", "percentage"] | None


class FlagTold(TypedDict):
    """seen: when it was asked for a user."""

    name: str
    description: str | None
    percentage: int
    targetUsers: list[Id]
    changedAt: Timestamp
    changedBy: Id
    seen: SeenTold | None


class FlagsOn(TypedDict):
    """The names of the flags that are on for whoever asks."""

    on: list[str]
