"""What /auth takes in: who somebody says that they are, and how they show it."""

import re
import unicodedata
from typing import Annotated, Final, Literal, NamedTuple, Self

import idna
import phonenumbers
from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator
from typing_extensions import TypedDict

from barberpro.protocol.commands import BLANK, Name, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.states import Timestamp

Channel = Literal["email", "sms"]
UserType = Literal["customer", "barber", "admin"]
_ODD: Final = r'\s@"(),:;<>\[\]\\'
_EMAIL: Final = re.compile(rf"[^{_ODD}]{{1,64}}@(?:[^.{_ODD}]{{1,63}}\.)+[^.{_ODD}]{{2,63}}")
_LONGEST_EMAIL: Final = 254


class Contact(NamedTuple):
    """An address or a number, in its one form."""

    channel: Channel
    text: str


def _one_email(text: str) -> str:
    """The one form of an address: two that look alike must not be two accounts, nor two mailboxes one.

    Small letters (not casefolded: that makes two of the one letter sharp s), and the domain as it goes into the DNS.
    """
    email = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().lower())
    if _EMAIL.fullmatch(email) is None:
        raise ValueError("is no e-mail address")
    if _unseen(email):
        raise ValueError("has a character that cannot be seen")
    local, _, domain = email.rpartition("@")
    try:
        whole = f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        raise ValueError("is no e-mail address: there can be no such domain") from None
    if len(whole) > _LONGEST_EMAIL:
        raise ValueError("is no e-mail address: it is too long")
    return whole


def _unseen(email: str) -> bool:
    """Whether there is what cannot be seen: joiners of zero width, fillers, marks with no letter to stand on."""
    kinds = [unicodedata.category(each)[0] for each in email]
    alone = any(kind == "M" and before not in "LM" for before, kind in zip("P" + "".join(kinds), kinds, strict=False))
    return alone or any(kind not in "LMNPS" for kind in kinds) or not BLANK.isdisjoint(email)


def _one_phone(text: str) -> str:
    """E.164."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise ValueError("is no telephone number with its country's code, such as +91 98765 43210") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("is no telephone number that is in use")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _encodable(password: SecretStr) -> SecretStr:
    try:
        password.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("has half a character in it") from None
    return password


Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(_one_email)]
FullPhone = Annotated[str, StringConstraints(max_length=40), AfterValidator(_one_phone)]
Password = Annotated[SecretStr, Field(min_length=8, max_length=128), AfterValidator(_encodable)]
"""Long rather than odd: no rule about kinds of characters."""
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
LinkToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]
IdToken = Annotated[str, StringConstraints(min_length=1, max_length=8192)]


class Claimed(Wire):
    """Either an address or a number."""

    email: Email | None = None
    phone: FullPhone | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.email is None) == (self.phone is None):
            raise ValueError("give either email or phone")
        return self

    @property
    def contact(self) -> Contact:
        return Contact("email", self.email) if self.email is not None else Contact("sms", self.phone or "")


class Register(Claimed):
    """With an address a password is needed; a number can be shown again at any time."""

    password: Password | None = None
    name: Name | None = None
    user_type: Literal["customer", "barber"] = "customer"
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"

    @model_validator(mode="after")
    def _password_with_email(self) -> Self:
        if self.email is not None and self.password is None:
            raise ValueError("password is missing")
        return self


class Login(Claimed):
    password: Password


class IdTokenLogin(Wire):
    """A token by which Google or Firebase tells who somebody is."""

    id_token: IdToken


class ResendOtp(Wire):
    challenge_id: Id


class VerifyOtp(ResendOtp):
    code: Code


class VerifyEmail(Wire):
    """password: as it was registered."""

    token: LinkToken
    password: Password


class AddContact(Claimed):
    pass


class ForgotPassword(Claimed):
    pass


class ResetPassword(Wire):
    """By the token of the link in a letter, or by the code of an SMS."""

    token: LinkToken | None = None
    challenge_id: Id | None = None
    code: Code | None = None
    password: Password

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_code = (self.challenge_id is not None, self.code is not None)
        if by_code not in {(True, True), (False, False)} or (self.token is None) != any(by_code):
            raise ValueError("give either token, or challengeId and code")
        return self


class Refresh(Wire):
    refresh_token: LinkToken


class BegunTold(TypedDict):
    """A code or a link is on its way, or not: the same whether or not there is an account."""

    challengeId: Id
    channel: Channel
    expiresAt: Timestamp


class AccountTold(TypedDict):
    """An account, for its owner. permissions: what nobody may without a token, and this account may."""

    userId: Id
    userType: UserType
    name: str | None
    email: str | None
    phone: str | None
    language: str
    barberId: Id | None
    shopIds: list[Id]
    permissions: list[str]
    hasPassword: bool
    createdAt: Timestamp


class GrantTold(TypedDict):
    """accessToken: for `Authorization: Bearer`. refreshToken: for one more grant, once; null when in a cookie."""

    accessToken: str
    tokenType: Literal["Bearer"]
    expiresAt: Timestamp
    refreshToken: str | None
    refreshExpiresAt: Timestamp
    sessionId: Id
    user: AccountTold


class SessionTold(TypedDict):
    """current: the one that asks."""

    sessionId: Id
    current: bool
    ip: str | None
    agent: str | None
    createdAt: Timestamp
    usedAt: Timestamp
    expiresAt: Timestamp


class SessionEnded(TypedDict):
    sessionId: Id
    ended: Literal[True]


class PasswordReset(TypedDict):
    reset: Literal[True]


class AccountDeleted(TypedDict):
    deleted: Literal[True]
