"""Who works in a shop, and who is asked to: what is asked for, and what is told."""

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator
from typing_extensions import TypedDict

from barberpro.protocol.accounts import Claimed, Code, Email, FullPhone, LinkToken
from barberpro.protocol.commands import Name, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Listing
from barberpro.protocol.states import Timestamp

StaffRole = Literal["barber", "owner"]


class Invite(Claimed):
    """role: a barber gets a line in the shop; an owner runs it. name: what the barber is called in the shop."""

    role: StaffRole = "barber"
    name: Name | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"


class AcceptInvitation(Wire):
    """By the token of the link in a letter, or by the code of an SMS. name: as in Invite, and before it."""

    token: LinkToken | None = None
    invitation_id: Id | None = None
    code: Code | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_code = (self.invitation_id is not None, self.code is not None)
        if by_code not in {(True, True), (False, False)} or (self.token is None) != any(by_code):
            raise ValueError("give either token, or invitationId and code")
        return self


class StaffTold(TypedDict):
    """userId: null for a barber without an account. barberId: null for who has no line. owner: runs the shop."""

    userId: Id | None
    barberId: Id | None
    name: str | None
    photoUrl: str | None
    owner: bool


class InvitationTold(TypedDict):
    """An invitation that is open, for those who run the shop."""

    invitationId: Id
    role: StaffRole
    name: str | None
    channel: Literal["email", "sms"]
    contact: str
    madeBy: Id
    madeAt: Timestamp
    expiresAt: Timestamp


class OwnInvitationTold(TypedDict):
    """An invitation that is open, for the one who is invited."""

    invitationId: Id
    shopId: Id
    shopName: str
    role: StaffRole
    channel: Literal["email", "sms"]
    expiresAt: Timestamp


class Accepted(TypedDict):
    """barberId: the line's; null for an owner. The next token (`/auth/refresh`) tells of it, too."""

    shopId: Id
    role: StaffRole
    barberId: Id | None


class UserTold(TypedDict):
    """An account, in the list for administrators."""

    userId: Id
    userType: Literal["customer", "barber", "admin"]
    name: str | None
    email: str | None
    phone: str | None
    barberId: Id | None
    shopIds: list[Id]
    createdAt: Timestamp
    deletedAt: Timestamp | None


class UsersQuery(Listing):
    """The parameters of GET /admin/users. email, phone: whose it is; name: a part of it."""

    user_type: Literal["customer", "barber", "admin"] | None = None
    shop_id: Id | None = None
    name: Name | None = None
    email: Email | None = None
    phone: FullPhone | None = None


class Invited(TypedDict):
    """channel: by which a link or a code goes there."""

    invitationId: Id
    channel: Literal["email", "sms"]
