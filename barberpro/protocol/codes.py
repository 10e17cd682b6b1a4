"""Error codes of the contract, each with its HTTP status and whether trying again can help."""

from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    BAD_REQUEST = "BAD_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a code, not a secret
    TOKEN_REVOKED = "TOKEN_REVOKED"  # noqa: S105 - a code, not a secret
    FORBIDDEN = "FORBIDDEN"
    PHONE_CONFIRMATION_REQUIRED = "PHONE_CONFIRMATION_REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    NO_LONGER_KEPT = "NO_LONGER_KEPT"
    QUEUE_CLOSED = "QUEUE_CLOSED"
    QUEUE_PAUSED = "QUEUE_PAUSED"
    QUEUE_FULL = "QUEUE_FULL"
    ALREADY_IN_QUEUE = "ALREADY_IN_QUEUE"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    STALE_STATE = "STALE_STATE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    BARBER_UNAVAILABLE = "BARBER_UNAVAILABLE"
    SLOT_TAKEN = "SLOT_TAKEN"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    PERSISTENCE_UNAVAILABLE = "PERSISTENCE_UNAVAILABLE"
    SHUTTING_DOWN = "SHUTTING_DOWN"


HTTP_STATUS: Final[dict[ErrorCode, int]] = {
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.TOKEN_EXPIRED: 401,
    ErrorCode.TOKEN_REVOKED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.PHONE_CONFIRMATION_REQUIRED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.NO_LONGER_KEPT: 410,
    ErrorCode.QUEUE_CLOSED: 409,
    ErrorCode.QUEUE_PAUSED: 409,
    ErrorCode.QUEUE_FULL: 409,
    ErrorCode.ALREADY_IN_QUEUE: 409,
    ErrorCode.INVALID_TRANSITION: 409,
    ErrorCode.STALE_STATE: 409,
    ErrorCode.IDEMPOTENCY_MISMATCH: 409,
    ErrorCode.BARBER_UNAVAILABLE: 409,
    ErrorCode.SLOT_TAKEN: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.RATE_LIMIT_EXCEEDED: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.PERSISTENCE_UNAVAILABLE: 503,
    ErrorCode.SHUTTING_DOWN: 503,
}

TEMPORARY: Final = frozenset(
    {ErrorCode.RATE_LIMIT_EXCEEDED, ErrorCode.PERSISTENCE_UNAVAILABLE, ErrorCode.SHUTTING_DOWN}
)
"""Codes after which the same request, sent again a little later, may succeed."""

MESSAGES: Final[dict[ErrorCode, str]] = {
    ErrorCode.BAD_REQUEST: "The request is not valid.",
    ErrorCode.UNAUTHORIZED: "A valid token is required.",
    ErrorCode.TOKEN_EXPIRED: "The token has expired.",
    ErrorCode.TOKEN_REVOKED: "The token has been revoked.",
    ErrorCode.FORBIDDEN: "Your role may not do this.",
    ErrorCode.PHONE_CONFIRMATION_REQUIRED: "After this many missed bookings, confirm your telephone number first.",
    ErrorCode.NOT_FOUND: "There is no such thing, or it is not yours.",
    ErrorCode.NO_LONGER_KEPT: "This is too old: it is no longer kept.",
    ErrorCode.QUEUE_CLOSED: "This line is closed.",
    ErrorCode.QUEUE_PAUSED: "This line is paused and takes nobody just now.",
    ErrorCode.QUEUE_FULL: "This line is full.",
    ErrorCode.ALREADY_IN_QUEUE: "The customer already has a live booking in this shop.",
    ErrorCode.INVALID_TRANSITION: "This is not possible from the present status.",
    ErrorCode.STALE_STATE: "The line has changed since you saw it.",
    ErrorCode.IDEMPOTENCY_MISMATCH: "This commandId was used before, with other content.",
    ErrorCode.BARBER_UNAVAILABLE: "The barber is not available then.",
    ErrorCode.SLOT_TAKEN: "Another appointment has this time.",
    ErrorCode.PAYLOAD_TOO_LARGE: "The request is too large.",
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: "Send application/json.",
    ErrorCode.RATE_LIMIT_EXCEEDED: "Too many requests; wait a little.",
    ErrorCode.INTERNAL_ERROR: "Something went wrong on the server.",
    ErrorCode.PERSISTENCE_UNAVAILABLE: "The line cannot be written just now; repeat with the same commandId.",
    ErrorCode.SHUTTING_DOWN: "This server is restarting; repeat with the same commandId.",
}
