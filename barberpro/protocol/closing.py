"""Close codes of the WebSocket door."""

from enum import IntEnum
from typing import Final

from barberpro.protocol.codes import ErrorCode


class CloseCode(IntEnum):
    RESTARTING = 1012
    TRY_LATER = 1013
    BAD_FRAME = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    NO_SUCH_ROOM = 4404
    TOO_SLOW = 4408
    TOO_LARGE = 4413
    TOO_MANY = 4429

    @classmethod
    def of(cls, code: ErrorCode) -> "CloseCode":
        """With which a connection ends for an error."""
        return _OF_ERROR.get(code, cls.TRY_LATER)


_OF_ERROR: Final = {
    ErrorCode.BAD_REQUEST: CloseCode.BAD_FRAME,
    ErrorCode.UNAUTHORIZED: CloseCode.UNAUTHENTICATED,
    ErrorCode.TOKEN_EXPIRED: CloseCode.UNAUTHENTICATED,
    ErrorCode.TOKEN_REVOKED: CloseCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN: CloseCode.FORBIDDEN,
    ErrorCode.NOT_FOUND: CloseCode.NO_SUCH_ROOM,
    ErrorCode.RATE_LIMIT_EXCEEDED: CloseCode.TOO_MANY,
    ErrorCode.SHUTTING_DOWN: CloseCode.RESTARTING,
}

RECONNECT: Final = frozenset({CloseCode.RESTARTING, CloseCode.TRY_LATER, CloseCode.TOO_SLOW, CloseCode.TOO_MANY})
"""Those after which the same client, with the same token, should come back; after all others it should not."""

MEANINGS: Final = {
    CloseCode.RESTARTING: "The server restarts; wait as long as server_restarting said.",
    CloseCode.TRY_LATER: "Try again later.",
    CloseCode.BAD_FRAME: "A bad frame, bad epoch and seq, or what is no id in the path.",
    CloseCode.UNAUTHENTICATED: "No token came in time, or it is not (any longer) good.",
    CloseCode.FORBIDDEN: "This web origin may not connect.",
    CloseCode.NO_SUCH_ROOM: "There is no such room, or it is not yours to know of.",
    CloseCode.TOO_SLOW: "Too slow: more waited than is kept for a client, for too long.",
    CloseCode.TOO_LARGE: "A frame was too large.",
    CloseCode.TOO_MANY: "Too many connections of one user.",
}
