"""Examples of the messages: one small scene. mypy holds them to their models, and a test to their schemas."""

from typing import Final

from barberpro.protocol.actors import Role
from barberpro.protocol.answers import (
    AuthenticateAck,
    CommandAck,
    ConnectRefusal,
    ErrorObject,
    Refused,
    ServerRestarting,
    SessionExpiring,
    Subscribed,
)
from barberpro.protocol.codes import ErrorCode
from barberpro.protocol.errors import BarberProError, bad_field, refused
from barberpro.protocol.states import (
    BookingUpdated,
    DisplayUpdated,
    EstimatedWait,
    FullEntry,
    PlacedBooking,
    PublicEntry,
    QueueUpdated,
)

SHOP: Final = "sh_7f3k2m9qwe"
BARBER: Final = "bb_4t8n1c6x0azd"
BOOKING_ID: Final = "bk_7f3k2m9qwe_0dq1v9z3k8m2t5r7w4xa"
ROOM: Final = f"queue:{BARBER}"
COMMAND_ID: Final = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
_AT: Final = "2026-11-21T09:30:00.125Z"

TOKEN: Final = {"token": "eyJhbGciOiJSUzI1NiJ9..."}
SUBSCRIBE: Final = {"room": ROOM, "since": {"epoch": 1, "seq": 41}}
SUBSCRIBE_AGAIN: Final = {"since": {"epoch": 1, "seq": 41}}
JOIN: Final = {
    "commandId": COMMAND_ID,
    "type": "join",
    "barberId": BARBER,
    "serviceIds": ["sv_2h6v0j5b8ynm"],
    "notes": "short at the sides",
}

_WAIT: Final[EstimatedWait] = {"p50Minutes": 12, "p90Minutes": 21}
_SERVING: Final[PublicEntry] = {"tokenNumber": 6, "status": "serving", "position": 0, "estimatedWait": None}
_NEXT: Final[PublicEntry] = {"tokenNumber": 7, "status": "next", "position": 1, "estimatedWait": _WAIT}
_ANN: Final[FullEntry] = {
    **_NEXT,
    "bookingId": BOOKING_ID,
    "customerName": "Ann",
    "services": [{"serviceId": "sv_2h6v0j5b8ynm", "name": "Cut", "price": "250.00", "durationMinutes": 20}],
    "durationMinutes": 20,
    "joinedAt": _AT,
    "skipCount": 0,
    "kind": "walk_in",
    "notes": "short at the sides",
}
_ANNS_PLACE: Final[PlacedBooking] = {
    "bookingId": BOOKING_ID,
    "shopId": SHOP,
    "barberId": BARBER,
    "tokenNumber": 7,
    "status": "next",
    "position": 1,
    "aheadCount": 0,
}

PUBLIC_QUEUE: Final[QueueUpdated] = {
    "room": ROOM,
    "epoch": 1,
    "seq": 42,
    "cause": {"type": "join", "actorRole": Role.CUSTOMER, "at": _AT, "commandId": COMMAND_ID, "tokenNumber": 7},
    "barberId": BARBER,
    "shopId": SHOP,
    "businessDate": "2026-11-21",
    "status": "open",
    "serving": _SERVING,
    "next": _NEXT,
    "waiting": [],
    "skipped": [],
    "counts": {"waiting": 0, "completed": 5, "cancelled": 0, "skipped": 0},
    "updatedAt": _AT,
}
FULL_QUEUE: Final[QueueUpdated] = {**PUBLIC_QUEUE, "serving": None, "next": _ANN}
BOOKING: Final[BookingUpdated] = {
    "room": f"booking:{BOOKING_ID}",
    "epoch": 1,
    "seq": 57,
    "cause": {"type": "join", "actorRole": Role.CUSTOMER, "at": _AT, "bookingId": BOOKING_ID, "tokenNumber": 7},
    **_ANNS_PLACE,
    "estimatedWaitTime": 12,
    "estimatedWait": _WAIT,
    "servingToken": 6,
    "updatedAt": _AT,
}
DISPLAY: Final[DisplayUpdated] = {
    "room": f"display:{SHOP}",
    "epoch": 1,
    "seq": 57,
    "cause": {"type": "join", "actorRole": Role.CUSTOMER, "at": _AT, "tokenNumber": 7},
    "shopId": SHOP,
    "shopName": "Corner Barbers",
    "queues": [
        {
            "barberId": BARBER,
            "barberName": "Ravi",
            "status": "open",
            "serving": _SERVING,
            "next": _NEXT,
            "waiting": [],
            "waitingCount": 0,
            "estimatedWait": {"p50Minutes": 31, "p90Minutes": 48},
        }
    ],
    "calls": [
        {"callId": f"{BARBER}.38", "tokenNumber": 6, "barberId": BARBER, "barberName": "Ravi", "at": _AT},
    ],
    "serverTime": _AT,
}

SUBSCRIBED: Final[Subscribed] = {"room": ROOM, "epoch": 1, "seq": 42, "upToDate": False, "state": PUBLIC_QUEUE}
COMMAND_ACK: Final[CommandAck] = {
    "ok": True,
    "replayed": False,
    "data": {
        "booking": {**_ANNS_PLACE, "businessDate": "2026-11-21", "skipCount": 0},
        "queue": {"barberId": BARBER, "epoch": 1, "seq": 42},
    },
}
AUTHENTICATE_ACK: Final[AuthenticateAck] = {"ok": True, "expiresAt": "2026-11-21T10:30:00.000Z"}
REFUSED: Final[Refused] = refused(bad_field("barberId", "Field required"))
EXPIRED: Final[ErrorObject] = BarberProError(ErrorCode.TOKEN_EXPIRED).to_wire()
CONNECT_REFUSAL: Final[ConnectRefusal] = {
    "code": EXPIRED["code"],
    "message": EXPIRED["message"],
    "temporary": EXPIRED["temporary"],
}
SESSION_EXPIRING: Final[SessionExpiring] = {"expiresAt": "2026-11-21T10:30:00.000Z"}
SERVER_RESTARTING: Final[ServerRestarting] = {"reconnectAfterMs": 1740}
