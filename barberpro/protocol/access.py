"""Guests at the door and the shop's screens: what is asked, and what is told."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from barberpro.protocol.answers import Token
from barberpro.protocol.bookings import Ticket
from barberpro.protocol.commands import Name, Wire
from barberpro.protocol.ids import Id
from barberpro.protocol.queries import Query
from barberpro.protocol.states import Service, Timestamp

DeviceKind = Literal["display", "kiosk"]
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,100}$")]


class Scan(Wire):
    """The code of the shop's QR code, and the ticket that this phone kept, if it did."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
    ticket: Annotated[str, Field(max_length=8192)] | None = None


class TakeOver(Wire):
    """The code of a ticket that somebody hands on: the last part of the address in its QR code."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=-]{20,256}$")]


class QrQuery(Query):
    """The parameters of GET /shops/{shopId}/qr and GET /bookings/{bookingId}/qr."""

    format: Literal["svg", "png"] = "svg"


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


class DoorBarber(TypedDict):
    barberId: Id
    name: str
    services: list[Service]


class DoorShop(TypedDict):
    """What a guest needs to choose from."""

    shopId: Id
    name: str
    currency: str
    barbers: list[DoorBarber]


class Scanned(TypedDict):
    """door: the token to join with. place: of the booking that the phone has a ticket for; null when in no line."""

    shop: DoorShop
    door: Token
    place: Ticket | None


class TakenOver(TypedDict):
    ticket: Token
