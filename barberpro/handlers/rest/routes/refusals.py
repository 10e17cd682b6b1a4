"""What commands may be refused with, beside what everything may."""

from typing import Final

from barberpro.protocol.codes import ErrorCode

COMMAND: Final = (
    ErrorCode.NOT_FOUND,
    ErrorCode.QUEUE_CLOSED,
    ErrorCode.QUEUE_PAUSED,
    ErrorCode.QUEUE_FULL,
    ErrorCode.ALREADY_IN_QUEUE,
    ErrorCode.INVALID_TRANSITION,
    ErrorCode.STALE_STATE,
    ErrorCode.IDEMPOTENCY_MISMATCH,
    ErrorCode.PHONE_CONFIRMATION_REQUIRED,
)
BOOKING: Final = (*COMMAND, ErrorCode.BARBER_UNAVAILABLE, ErrorCode.SLOT_TAKEN)
