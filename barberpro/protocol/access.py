"""Guests at the door and the shop's screens: what is asked, and what is told."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from barberpro.protocol.answers import Token
from barberpro.protocol.commands import Name, Wire
from barberpro.protocol.states import Timestamp

DeviceKind = Literal["display", "kiosk"]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,100}$")]


class Scan(Wire):
    """The code of the shop's QR code, and the ticket that this phone kept, if it did."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
    ticket: Annotated[str, Field(max_length=8192)] | None = None


class TakeOver(Wire):
    """The code of a ticket that somebody hands on: the last part of the address in its QR code."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=-]{20,256}$")]


class AskPairing(Wire):
    kind: DeviceKind


class FetchDeviceToken(Wire):
    secret: Secret


class Pair(Wire):
    """The code that the device shows, however it is typed, and what to call the device."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z -]{1,32}$")]
    name: Name


class JoinCodeTold(TypedDict):
    """url: what the QR code holds."""

    code: str
    url: str
    madeAt: Timestamp


class AskedPairing(TypedDict):
    """code: for people to read. secret: the device's own."""

    code: str
    secret: str
    expiresAt: Timestamp


class DeviceWaits(TypedDict):
    status: Literal["waiting"]
    askAgainSeconds: int


class DeviceToken(Token):
    status: Literal["paired"]
    deviceId: str
    kind: str
    shopId: str


class PairedDevice(TypedDict):
    deviceId: str
    kind: str
    name: str
    pairedAt: Timestamp
    pairedBy: str | None
